"""The ledger's tables. No behaviour: services/ledger.py is the only writer of attempts and events."""

import uuid

from django.db import models
from django.db.models import Q

from orders.models import MAX_TOTAL_KES, Order
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

    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, help_text="When its present final state was reached")
    paid_at = models.DateTimeField(null=True, help_text="Safaricom's own time of the payment, where known")
    next_check_at = models.DateTimeField(null=True, help_text="When to ask Safaricom next; empty: no need")
    last_check_at = models.DateTimeField(null=True, help_text="When Safaricom was last asked")
    checks = models.PositiveIntegerField(default=0, help_text="How often Safaricom was asked")

    # the head of the chain of events: compare-and-set on both of these guards every write
    events_count = models.PositiveIntegerField(default=0)
    chain_head = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "M-Pesa payment"
        ordering = ("-id",)
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

    def __str__(self) -> str:
        return f"{self.number}. {self.kind}"


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

    class Meta:
        verbose_name_plural = "callback deliveries"
        ordering = ("-id",)
        indexes = (models.Index(name="delivery_verdict", fields=("verdict", "-id")),)

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
