"""Money that was sent back, each time once: how much, why, by whom. What that did to the accounts: posting.py."""

from django.db import models
from django.db.models import Q

from payments.models.attempt import MpesaTransaction


class Refund(models.Model):
    """One refund of a payment's money, made in the M-PESA portal and recorded by a person. A payment can have several.

    Never more than came with the payment, all of them together. Written only with its event (ledger/).
    """

    attempt = models.ForeignKey(MpesaTransaction, on_delete=models.PROTECT, related_name="refunds")
    amount_cents = models.PositiveBigIntegerField("amount (cents)")
    reference = models.CharField(max_length=30, unique=True, help_text="M-PESA's code of the refund")
    reason = models.CharField(max_length=300, blank=True)
    recorded_by = models.CharField(max_length=150)
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(name="a_refund_has_an_amount", condition=Q(amount_cents__gt=0)),
        )

    def __str__(self) -> str:
        return self.reference
