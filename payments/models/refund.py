"""Money that was sent back, each time once: how much, why, by whom. What that did to the accounts: posting.py."""

from django.db import models
from django.db.models import Q

from payments.models.attempt import MpesaTransaction
from payments.models.receipt import Receipt


class Refund(models.Model):
    """One refund of a payment's money, made in the M-PESA portal and recorded by a person. A payment can have several.

    Never more than came with the payment, all of them together. Written only with its event (ledger/).
    """

    class State(models.TextChoices):
        SENT = "sent", "Sent, not seen yet"
        SEEN = "seen", "Seen on the statement"
        FAILED = "failed", "It never left"

    receipt = models.ForeignKey(
        Receipt, null=True, on_delete=models.PROTECT, related_name="refunds", help_text="Whose money it is"
    )
    attempt = models.ForeignKey(MpesaTransaction, null=True, on_delete=models.PROTECT, related_name="refunds")
    state = models.CharField(max_length=6, choices=State.choices, default=State.SENT, db_default="sent")
    seen_as = models.OneToOneField(
        Receipt, null=True, on_delete=models.PROTECT, related_name="seen_refund", help_text="As it left"
    )
    amount_cents = models.PositiveBigIntegerField("amount (cents)")
    reference = models.CharField(max_length=30, unique=True, help_text="M-PESA's code of the refund")
    reason = models.CharField(max_length=300, blank=True)
    recorded_by = models.CharField(max_length=150)
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(name="a_refund_has_an_amount", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(
                name="refund_state_is_known", condition=Q(state__in=("sent", "seen", "failed"))
            ),
        )
        indexes = (
            # what went back in a day (the day's report)
            models.Index(name="refund_recorded", fields=("recorded_at",)),
            # what needs a person: no statement has shown it
            models.Index(name="refund_sent", fields=("recorded_at",), condition=Q(state="sent")),
        )

    def __str__(self) -> str:
        return self.reference
