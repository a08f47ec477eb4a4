"""The ledger's tables. No behaviour: services/ledger.py is the only writer of attempts and events."""

import uuid

from django.db import models
from django.db.models import F, Q

from orders.models import MAX_TOTAL_KES, Order
from payments.attention import REASONS
from payments.states import LIVE, State


class MpesaTransaction(models.Model):
    """One attempt to have one order paid from one phone: what is true of it now.

    How it came to be true stands in its events. Amounts are whole shillings. The full phone number is kept
    nowhere: a masked form for eyes, a keyed hash for search. (CheckoutRequestID ends in the payer's number:
    it is personal too.)
    """

    class Channel(models.TextChoices):
        PAYBILL = "CustomerPayBillOnline", "Paybill"
        TILL = "CustomerBuyGoodsOnline", "Till"

    public_id = models.CharField(max_length=40, unique=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="attempts")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CREATED)
    amount_kes = models.PositiveIntegerField("amount (KES)")
    phone_masked = models.CharField("phone", max_length=16)
    phone_hash = models.CharField(max_length=64, db_index=True)
    channel = models.CharField(max_length=24, choices=Channel.choices)
    short_code = models.CharField(max_length=8)
    account_reference = models.CharField(max_length=12)
    description = models.CharField(max_length=13)
    # sha256 of the token in this attempt's callback address; the token itself is only ever sent
    callback_token_hash = models.CharField(max_length=64, unique=True)

    merchant_request_id = models.CharField("MerchantRequestID", max_length=128, blank=True)
    checkout_request_id = models.CharField("CheckoutRequestID", max_length=128, null=True, unique=True)

    result_code = models.CharField(max_length=40, blank=True)
    result_desc = models.CharField("Safaricom's words", max_length=300, blank=True)
    receipt = models.CharField(max_length=30, null=True, unique=True)
    pays_order = models.BooleanField(default=False, help_text="This payment is the one that paid the order")
    refund_due = models.BooleanField(default=False, help_text="Money for an order that was paid already")
    amount_differs = models.BooleanField(
        default=False, help_text="Safaricom named another amount than we asked"
    )
    came_late = models.BooleanField(default=False, help_text="Paid after it was taken for failed or expired")
    unpriced = models.BooleanField(
        default=False, help_text="Its order has an amount from a browser, no items"
    )
    by_hand = models.BooleanField(default=False, help_text="A member of staff settled it")
    received_kes = models.PositiveIntegerField(
        "received (KES)", null=True, help_text="As the callback, the statement or staff named it"
    )
    looked_at = models.DateTimeField(null=True, help_text="When staff marked it as looked at")
    refunded_at = models.DateTimeField(null=True, help_text="When staff recorded its refund")
    refunded_kes = models.PositiveIntegerField("refunded (KES)", null=True)
    refund_reference = models.CharField(max_length=30, null=True, unique=True)

    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, help_text="When its present final state was reached")
    paid_at = models.DateTimeField(null=True, help_text="Safaricom's own time of the payment, where known")
    next_check_at = models.DateTimeField(null=True, help_text="When to ask Safaricom next; empty: no need")
    last_check_at = models.DateTimeField(null=True, help_text="When Safaricom was last asked")
    last_answer_at = models.DateTimeField(
        null=True, help_text="When Safaricom, asked, last said paid or not paid"
    )
    checks = models.PositiveIntegerField(default=0, help_text="How often Safaricom was asked")

    # the head of the chain of events: compare-and-set on both of these guards every write
    events_count = models.PositiveIntegerField(default=0)
    chain_head = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "payment"
        ordering = ("-id",)
        permissions = (
            ("ask_safaricom", "Can ask Safaricom about a payment"),
            ("write_note", "Can write a note on a payment"),
            ("mark_looked_at", "Can mark a payment as looked at"),
            ("settle_by_hand", "Can settle a payment by hand"),
            ("record_refund", "Can record a refund made in the portal"),
            ("export_payments", "Can export payments"),
            ("see_audit", "Can see the audit and run the ledger check"),
        )
        constraints = (
            models.CheckConstraint(
                name="attempt_amount_is_whole_shillings_in_range",
                condition=Q(amount_kes__gte=1, amount_kes__lte=MAX_TOTAL_KES),
            ),
            models.CheckConstraint(
                name="attempt_state_is_known", condition=Q(state__in=[str(state) for state in State])
            ),
            models.UniqueConstraint(
                name="one_live_attempt_per_order",
                fields=("order",),
                condition=Q(state__in=[str(state) for state in LIVE]),
            ),
            models.UniqueConstraint(
                name="one_paying_attempt_per_order", fields=("order",), condition=Q(pays_order=True)
            ),
            models.CheckConstraint(
                name="only_completed_attempts_pay",
                condition=Q(pays_order=False, refund_due=False) | Q(state=str(State.COMPLETED)),
            ),
            models.CheckConstraint(
                name="an_attempt_pays_or_is_refunded", condition=~Q(pays_order=True, refund_due=True)
            ),
            models.CheckConstraint(
                name="only_money_that_came_is_refunded",
                condition=Q(refunded_at=None, refunded_kes=None, refund_reference=None)
                | Q(
                    state=str(State.COMPLETED),
                    refunded_at__isnull=False,
                    refunded_kes__gte=1,
                    refund_reference__isnull=False,
                ),
            ),
        )
        indexes = (
            # the worker's queue: what to ask Daraja about next
            models.Index(
                name="attempt_due", fields=("next_check_at",), condition=Q(next_check_at__isnull=False)
            ),
            # one live prompt per phone, prompts per phone in ten minutes
            models.Index(name="attempt_phone_recent", fields=("phone_hash", "-created_at")),
            # the desk's filter by state, newest first
            models.Index(name="attempt_state_recent", fields=("state", "-id")),
            # the desk's filters by day and amount
            models.Index(name="attempt_created", fields=("created_at",)),
            models.Index(name="attempt_amount", fields=("amount_kes", "-id")),
            # the desk's home: what was taken, day by day, and how fast
            models.Index(
                name="attempt_taken",
                fields=("settled_at",),
                include=("amount_kes", "created_at"),
                condition=Q(state=str(State.COMPLETED)),
            ),
            # the desk's home and filter: what needs a person, one small index a reason
            *(
                models.Index(name=f"attempt_needs_{reason.key}", fields=("-id",), condition=reason.applies)
                for reason in REASONS
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_reference} · KES {self.amount_kes:,} · {self.get_state_display()}"


class PaymentEvent(models.Model):
    """One thing that happened to an attempt. Append-only; each holds the keyed hash of the one before it."""

    class Source(models.TextChoices):
        PUSH = "push", "Our request"
        CALLBACK = "callback", "Safaricom's callback"
        QUERY = "query", "Safaricom asked"
        CLOCK = "clock", "The clock"
        STATEMENT = "statement", "The M-PESA statement"
        STAFF = "staff", "Staff"

    attempt = models.ForeignKey(MpesaTransaction, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveIntegerField(help_text="1, 2, 3 … within its attempt")
    kind = models.CharField(max_length=24)
    source = models.CharField(max_length=10, choices=Source.choices)
    from_state = models.CharField(max_length=10, blank=True)
    to_state = models.CharField(max_length=10, choices=State.choices)
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    key_id = models.CharField(max_length=8, help_text="Which LEDGER_KEY signed it")

    class Meta:
        ordering = ("attempt_id", "number")
        constraints = (
            models.UniqueConstraint(name="events_of_an_attempt_are_numbered", fields=("attempt", "number")),
        )
        # the audit: what staff did, newest first
        indexes = (models.Index(name="event_by_staff", fields=("-id",), condition=Q(source="staff")),)

    def __str__(self) -> str:
        return f"{self.number}. {self.kind}"


# What a person should look at: a callback that somebody else sent, or that we could not make sense of.
PROBLEM_VERDICTS = ("unknown_token", "wrong_id", "wrong_amount", "receipt_taken", "unreadable")

# What was believed: reading it once more would change nothing.
DONE_VERDICTS = ("applied", "repeated")


class CallbackDelivery(models.Model):
    """One delivery at our callback address, stored before anybody reads it. Digits of phones are blanked."""

    class Verdict(models.TextChoices):
        RECEIVED = "received", "Not read yet"
        APPLIED = "applied", "Applied"
        REPEATED = "repeated", "Nothing new"
        HINT = "hint", "Only a hint: Safaricom is asked"
        UNKNOWN_TOKEN = "unknown_token", "Not an address of ours"
        WRONG_ID = "wrong_id", "Another payment's id"
        WRONG_AMOUNT = "wrong_amount", "Another amount than asked"
        RECEIPT_TAKEN = "receipt_taken", "Another payment's receipt"
        UNREADABLE = "unreadable", "Not readable"

    received_at = models.DateTimeField()
    token_hash = models.CharField(
        max_length=64, blank=True, help_text="Empty: the bare address, without a token"
    )
    attempt = models.ForeignKey(
        MpesaTransaction, null=True, on_delete=models.PROTECT, related_name="deliveries"
    )
    checkout_request_id = models.CharField("CheckoutRequestID", max_length=128, blank=True)
    body = models.TextField()
    source_address = models.GenericIPAddressField(null=True)
    from_safaricom = models.BooleanField(
        default=False, help_text="Its address is one that Safaricom publishes"
    )
    spool_id = models.UUIDField(
        null=True, unique=True, help_text="Set where it waited on disk for the database"
    )
    verdict = models.CharField(max_length=14, choices=Verdict.choices, default=Verdict.RECEIVED)
    looked_at = models.DateTimeField(null=True, help_text="When staff marked it as looked at")
    looked_at_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name_plural = "callback deliveries"
        ordering = ("-id",)
        permissions = (("replay_delivery", "Can read stored callbacks once more"),)
        indexes = (
            models.Index(name="delivery_verdict", fields=("verdict", "-id")),
            # the desk's home: which deliveries a person should look at
            models.Index(
                name="delivery_problem",
                fields=("-id",),
                condition=Q(verdict__in=PROBLEM_VERDICTS, looked_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_verdict_display()}"


class IdempotencyKey(models.Model):
    """A push's Idempotency-Key with what was asked under it and, once known, what was answered."""

    key = models.CharField(max_length=255, unique=True)
    body_hash = models.CharField(max_length=64, help_text="Keyed hash of the request's body")
    claim = models.UUIDField(default=uuid.uuid4, help_text="Tells who made this row from who found it")
    attempt = models.ForeignKey(MpesaTransaction, null=True, on_delete=models.PROTECT, related_name="+")
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty: still under way")
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Idempotency-Key #{self.pk}"


class DarajaToken(models.Model):
    """Daraja's OAuth token, shared by all processes, encrypted; one process at a time fetches a new one."""

    name = models.CharField(max_length=80, unique=True, help_text="Which app's, at which address")
    sealed = models.TextField(blank=True, help_text="Encrypted with SECRET_KEY")
    fresh_until = models.DateTimeField(null=True)
    fetching_until = models.DateTimeField(
        null=True, help_text="A process holds the right to fetch until then"
    )

    def __str__(self) -> str:
        return self.name


class QueryBudget(models.Model):
    """When the next question may go to Daraja: one row, shared by all processes and machines."""

    name = models.CharField(max_length=20, unique=True)
    free_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class HandSettlement(models.Model):
    """What a member of staff says became of a payment, with the evidence. Above a limit a second one confirms it.

    Written only by services/settlements.py.
    """

    class Decision(models.TextChoices):
        WAITING = "waiting", "Waits for a second person"
        DONE = "done", "Done"
        DECLINED = "declined", "Declined"

    class Evidence(models.TextChoices):
        SMS = "sms", "The customer's M-PESA message"
        PORTAL = "portal", "The M-PESA organisation portal"
        STATEMENT = "statement", "The M-PESA statement"
        SAFARICOM = "safaricom", "Safaricom's word by phone or e-mail"

    attempt = models.ForeignKey(
        MpesaTransaction,
        null=True,
        on_delete=models.PROTECT,
        related_name="settlements",
        help_text="Empty while money of a statement waits to become a payment of the order",
    )
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="+")
    line = models.ForeignKey(
        "StatementLine",
        null=True,
        on_delete=models.PROTECT,
        related_name="settlements",
        help_text="The statement's line that is the evidence",
    )
    receipt = models.CharField(max_length=30)
    amount_kes = models.PositiveIntegerField("amount (KES)", help_text="As the evidence names it")
    accepts_amount = models.BooleanField(
        default=False, help_text="The order counts as paid although the amount is not the one asked"
    )
    evidence = models.CharField(max_length=10, choices=Evidence.choices)
    reason = models.CharField(max_length=300)
    needs_second = models.BooleanField(help_text="Above the limit for one person when it was proposed")
    proposed_by = models.CharField(max_length=150)
    proposed_at = models.DateTimeField()
    decision = models.CharField(max_length=8, choices=Decision.choices, default=Decision.WAITING)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    declined_because = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                name="one_waiting_settlement_per_attempt",
                fields=("attempt",),
                condition=Q(decision="waiting"),
            ),
            models.UniqueConstraint(
                name="one_waiting_settlement_per_line", fields=("line",), condition=Q(decision="waiting")
            ),
            models.CheckConstraint(
                name="a_settlement_is_of_a_payment_or_of_a_line_for_an_order",
                condition=Q(attempt__isnull=False) | Q(order__isnull=False, line__isnull=False),
            ),
            models.CheckConstraint(
                name="a_done_settlement_has_its_payment",
                condition=~Q(decision="done") | Q(attempt__isnull=False),
            ),
            models.CheckConstraint(
                name="a_second_person_confirms",
                condition=~Q(decision="done", needs_second=True, decided_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="a_decided_settlement_names_who",
                condition=Q(decision="waiting", decided_by="", decided_at=None)
                | (~Q(decision="waiting") & ~Q(decided_by="") & Q(decided_at__isnull=False)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.receipt} · {self.get_decision_display()}"


class Statement(models.Model):
    """One account statement exported from the M-PESA organisation portal. Written only by services/statement.py."""

    sha256 = models.CharField(max_length=64, unique=True)
    file_name = models.CharField(max_length=200)
    uploaded_by = models.CharField(max_length=150)
    uploaded_at = models.DateTimeField()
    short_code = models.CharField(max_length=12, blank=True)
    account = models.CharField(max_length=60, blank=True)
    period_from = models.DateTimeField()
    period_to = models.DateTimeField()
    opening_balance = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    closing_balance = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    total_paid_in = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    total_withdrawn = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    lines_in_file = models.PositiveIntegerField()
    lines_known = models.PositiveIntegerField(default=0, help_text="Brought by an earlier statement already")
    warnings = models.JSONField(default=list)
    matched_up_to = models.BigIntegerField(default=0, help_text="Its lines up to this id have been matched")
    matched_at = models.DateTimeField(null=True, help_text="When the last of its lines was matched")

    class Meta:
        ordering = ("-id",)
        permissions = (
            ("import_statement", "Can upload a statement and match it"),
            ("attach_money", "Can attach money of a statement to an order"),
        )

    def __str__(self) -> str:
        return self.file_name


class StatementLine(models.Model):
    """One line of the portal's statement, once, however many exports named it."""

    class Kind(models.TextChoices):
        PAYMENT = "payment", "Payment"
        CHARGE = "charge", "Charge"
        SWEEP = "sweep", "Moved to the bank"
        REVERSAL = "reversal", "Reversal"
        OTHER = "other", "Other"

    class Match(models.TextChoices):
        NONE = "", "Not matched"
        RECEIPT = "receipt", "By receipt"
        REFERENCE = "reference", "By order code, amount and time"
        BY_HAND = "by_hand", "Attached by staff"

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    row = models.PositiveIntegerField(help_text="Its row in the file that brought it")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    receipt = models.CharField(max_length=30)
    completed_at = models.DateTimeField()
    paid_in = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    withdrawn = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    money_in = models.BooleanField()
    reason_type = models.CharField(max_length=80, blank=True)
    details = models.CharField(max_length=300, blank=True)
    other_party = models.CharField(max_length=120, blank=True)
    account_no = models.CharField(max_length=60, blank=True)
    linked_receipt = models.CharField(max_length=30, blank=True)
    attempt = models.ForeignKey(
        MpesaTransaction, null=True, on_delete=models.PROTECT, related_name="statement_lines"
    )
    match = models.CharField(max_length=9, choices=Match.choices, blank=True, default=Match.NONE)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                name="a_line_once_whatever_file", fields=("receipt", "reason_type", "money_in")
            ),
            models.UniqueConstraint(
                name="one_payment_line_per_attempt", fields=("attempt",), condition=Q(kind="payment")
            ),
            models.CheckConstraint(
                name="a_line_is_money_in_or_out",
                condition=Q(money_in=True, paid_in__gt=0, withdrawn=0)
                | Q(money_in=False, paid_in=0, withdrawn__gte=0),
            ),
        )
        indexes = (
            models.Index(name="line_of_period", fields=("completed_at",)),
            # theirs but not ours
            models.Index(name="line_unmatched", fields=("-id",), condition=Q(kind="payment", attempt=None)),
            # the search; which other lines could be the same payment's
            models.Index(name="line_account_no", fields=("account_no",)),
        )

    def __str__(self) -> str:
        return f"{self.receipt} · {self.get_kind_display()}"


class Heartbeat(models.Model):
    """When a part of the shop that runs by itself was last seen at work."""

    name = models.CharField(max_length=20, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
