"""Money that moved at our short code, as Safaricom names it: each M-PESA transaction once, whoever told of it. What it
was for stands in posting.py."""

from django.db import models
from django.db.models import Q

from payments.models.attempt import MpesaTransaction
from payments.models.event import PaymentEvent


class Receipt(models.Model):
    """One M-PESA transaction. Amounts are cents.

    Told once it is kept: the database refuses another code, amount or direction (models/triggers.py). Only a code that
    was awaited may be filled in, and a receipt that never was may be voided.
    """

    class Direction(models.TextChoices):
        IN = "in", "Came in"
        OUT = "out", "Went out"

    class Kind(models.TextChoices):
        PAYMENT = "payment", "Payment"
        REFUND = "refund", "Refund"
        REVERSAL = "reversal", "Reversal"
        CHARGE = "charge", "Charge"
        TO_BANK = "to_bank", "To the bank"
        OTHER = "other", "Other"

    code = models.CharField(max_length=30, null=True, help_text="Safaricom's code; empty while it is awaited")
    direction = models.CharField(max_length=3, choices=Direction.choices)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    amount_cents = models.PositiveBigIntegerField("amount (cents)")
    happened_at = models.DateTimeField(null=True, help_text="Safaricom's own time, where it named one")
    short_code = models.CharField(max_length=12)
    account_no = models.CharField(max_length=60, blank=True, help_text="As the payer typed it")
    payer_masked = models.CharField(max_length=16, blank=True)
    reverses = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="reversals")
    attempt = models.ForeignKey(
        MpesaTransaction,
        null=True,
        on_delete=models.PROTECT,
        related_name="receipts",
        help_text="Our request, if any",
    )
    # where its shillings stand, written with its postings; the rest is an order's, kept, or gone
    unclaimed_cents = models.PositiveBigIntegerField("unclaimed (cents)", default=0, db_default=0)
    due_cents = models.PositiveBigIntegerField("to be sent back (cents)", default=0, db_default=0)
    told_by = models.CharField(max_length=10, choices=PaymentEvent.Source.choices)
    told_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, help_text="When it was found never to have been")
    reviewed_at = models.DateTimeField(null=True, help_text="When staff marked it as looked at")
    reviewed_by = models.CharField(max_length=150, blank=True, default="", db_default="")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                name="a_receipt_is_one_movement",
                fields=("code", "direction", "kind"),
                condition=Q(voided_at=None),
            ),
            models.UniqueConstraint(
                name="one_awaited_receipt_per_attempt",
                fields=("attempt",),
                condition=Q(code=None, voided_at=None),
            ),
            models.CheckConstraint(name="a_receipt_has_an_amount", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="receipt_direction_is_known", condition=Q(direction__in=("in", "out"))
            ),
            models.CheckConstraint(
                name="receipt_kind_is_known",
                condition=Q(kind__in=("payment", "refund", "reversal", "charge", "to_bank", "other")),
            ),
            models.CheckConstraint(
                name="receipt_source_is_known",
                condition=Q(told_by__in=("push", "callback", "query", "clock", "statement", "staff")),
            ),
        )
        indexes = (
            # what needs a person
            models.Index(name="receipt_unclaimed", fields=("-id",), condition=Q(unclaimed_cents__gt=0)),
            models.Index(name="receipt_due", fields=("-id",), condition=Q(due_cents__gt=0)),
            models.Index(
                name="receipt_went",
                fields=("-id",),
                condition=Q(direction="out", kind__in=("reversal", "other"), reviewed_at=None),
            ),
            # what was taken on a day, and what of it was found never to have been
            models.Index(
                name="receipt_taken",
                fields=("told_at",),
                include=("amount_cents", "voided_at"),
                condition=Q(direction="in", kind="payment"),
            ),
            models.Index(name="receipt_voided", fields=("voided_at",), condition=Q(voided_at__isnull=False)),
            # the book of a day and of a short code
            models.Index(name="receipt_happened", fields=("happened_at",)),
        )

    def __str__(self) -> str:
        return self.code or "receipt awaited"
