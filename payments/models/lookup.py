"""A receipt that somebody named (an unsigned notice, a person), and what Safaricom says of it when it is asked. What
its money did: receipt.py."""

from django.db import models
from django.db.models import Q

from payments.models.attempt import MpesaTransaction
from payments.models.receipt import Receipt


class Lookup(models.Model):
    """One receipt that was told by a source which proves nothing. It moves no money before Safaricom, asked by receipt,
    says that it came. Written only by lookups/.

    Amount, account and time are as they were told; what is booked is what Safaricom says.
    """

    class State(models.TextChoices):
        DUE = "due", "Safaricom is asked soon"
        ASKED = "asked", "Safaricom is asked"
        CONFIRMED = "confirmed", "Safaricom says that it came"
        DENIED = "denied", "Safaricom knows no such payment to us"

    code = models.CharField("receipt", max_length=30, unique=True)
    short_code = models.CharField(max_length=8)
    amount_kes = models.DecimalField("amount (KES)", max_digits=12, decimal_places=2, null=True)
    account_no = models.CharField(
        "account number", max_length=60, blank=True, help_text="As the payer typed it"
    )
    happened_at = models.DateTimeField(null=True)
    attempt = models.ForeignKey(
        MpesaTransaction,
        null=True,
        on_delete=models.PROTECT,
        related_name="lookups",
        help_text="Whose money a person says it is",
    )
    told_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.DUE, db_default="due")
    token_hash = models.CharField(max_length=64, null=True, unique=True)
    words = models.CharField("Safaricom's words", max_length=300, blank=True)
    looks = models.PositiveIntegerField(default=0, help_text="How often Safaricom was asked")
    next_look_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    booked_as = models.ForeignKey(Receipt, null=True, on_delete=models.PROTECT, related_name="lookups")

    class Meta:
        verbose_name = "receipt told"
        verbose_name_plural = "receipts told"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="lookup_state_is_known",
                condition=Q(state__in=("due", "asked", "confirmed", "denied")),
            ),
            models.CheckConstraint(
                name="what_is_confirmed_is_booked",
                condition=~Q(state="confirmed") | Q(booked_as__isnull=False),
            ),
        )
        indexes = (
            models.Index(
                name="lookup_next", fields=("next_look_at",), condition=Q(next_look_at__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return self.code
