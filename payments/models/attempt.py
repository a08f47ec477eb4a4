"""One attempt to have one order paid: what is true of it now. How it came to be true stands in event.py."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Right

from djkraph.indexes import begins
from orders.models import MAX_TOTAL_KES, Order
from payments.facts import REASONS
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
    phone_hash = models.CharField(max_length=64)
    # what opens the first event's commitment to the phone's hash; it goes with the hash when personal data is erased
    phone_salt = models.CharField(max_length=32, null=True)
    # the hash as it was first written, where a rotation of the key has replaced it, signed with the one that stands now
    phone_joined = models.CharField(max_length=140, null=True)
    channel = models.CharField(max_length=24, choices=Channel.choices)
    short_code = models.CharField(max_length=8)
    account_reference = models.CharField(max_length=12)
    description = models.CharField(max_length=13)
    # sha256 of the token in this attempt's callback address; the token itself is only ever sent
    callback_token_hash = models.CharField(max_length=64, unique=True)

    # keyed hash of the network whose page asked for it: only there many wrong guesses don't hide its receipt
    opened_from = models.CharField(max_length=32, blank=True, default="", db_default="")

    merchant_request_id = models.CharField("MerchantRequestID", max_length=128, blank=True)
    checkout_request_id = models.CharField("CheckoutRequestID", max_length=128, null=True, unique=True)

    result_code = models.CharField(max_length=40, blank=True)
    result_desc = models.CharField("Safaricom's words", max_length=300, blank=True)
    receipt = models.CharField(max_length=30, null=True, unique=True)
    pays_order = models.BooleanField(default=False, help_text="Its money is its order's")
    refund_due = models.BooleanField(default=False, help_text="Money for an order that was paid already")
    unclaimed = models.BooleanField(
        default=False, db_default=False, help_text="Its order took no more money: a person decides"
    )
    due_cents = models.PositiveBigIntegerField(
        "to be sent back (cents)",
        default=0,
        db_default=0,
        help_text="More than its order cost, and not sent yet",
    )
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
    reviewed_at = models.DateTimeField(
        null=True, db_column="looked_at", help_text="When staff marked it as looked at"
    )
    refunded_at = models.DateTimeField(
        null=True, help_text="When the last of its money was recorded as sent back"
    )
    refunded_kes = models.PositiveIntegerField("refunded (KES)", null=True)
    refund_reference = models.CharField(max_length=30, null=True, unique=True)

    created_at = models.DateTimeField()
    # the columns keep their first names: settled_at, looked_at
    concluded_at = models.DateTimeField(
        null=True, db_column="settled_at", help_text="When its present final state was reached"
    )
    paid_at = models.DateTimeField(null=True, help_text="Safaricom's own time of the payment, where known")
    next_check_at = models.DateTimeField(null=True, help_text="When to ask Safaricom next; empty: no need")
    last_check_at = models.DateTimeField(null=True, help_text="When Safaricom was last asked")
    last_answer_at = models.DateTimeField(
        null=True, help_text="When Safaricom, asked, last said paid or not paid"
    )
    given_up_at = models.DateTimeField(
        null=True, help_text="When Safaricom, asked for the last time, had not said how it ended"
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
            ("undo_decision", "Can take back what was decided about money"),
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
            models.CheckConstraint(
                name="attempt_channel_is_known",
                condition=Q(channel__in=("CustomerPayBillOnline", "CustomerBuyGoodsOnline")),
            ),
            models.UniqueConstraint(
                name="one_live_attempt_per_order",
                fields=("order",),
                condition=Q(state__in=[str(state) for state in LIVE]),
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
                | Q(state=str(State.COMPLETED), refunded_kes__gte=1, refund_reference__isnull=False),
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
            # the search: the last five of a receipt, the last four of a phone
            models.Index(
                Right("receipt", 5),
                models.F("id").desc(),
                name="attempt_receipt_end",
                condition=Q(receipt__isnull=False),
            ),
            begins("attempt_receipt_begins", "receipt"),
            begins("attempt_request_begins", "checkout_request_id"),
            models.Index(Right("phone_masked", 4), models.F("id").desc(), name="attempt_phone_end"),
            # the desk's filters by day and amount
            models.Index(name="attempt_created", fields=("created_at",)),
            models.Index(name="attempt_amount", fields=("amount_kes", "-id")),
            # the desk's home: what was taken, day by day, and how fast
            models.Index(
                name="attempt_taken",
                fields=("concluded_at",),
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
