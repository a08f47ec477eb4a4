"""What a person decided about money, on what evidence, and who confirmed it. The money itself is the ledger's."""

from django.db import models
from django.db.models import F, Q

from orders.models import Order
from payments.models.attempt import MpesaTransaction
from payments.models.receipt import Receipt


class HandSettlement(models.Model):
    """What a member of staff says became of a payment, with the evidence. Above a limit a second one confirms it.

    Written only by manual/ (settling.py, placing.py).
    """

    class Decision(models.TextChoices):
        WAITING = "waiting", "Waits for a second person"
        DONE = "done", "Done"
        DECLINED = "declined", "Declined"

    class What(models.TextChoices):
        SETTLE = "settle", "Settled, or attached whole"
        CLAIM = "claim", "A part for an order"
        KEEP = "keep", "A part kept"

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
    what = models.CharField(
        max_length=6,
        choices=What.choices,
        default=What.SETTLE,
        db_default="settle",
        help_text="What was decided",
    )
    money = models.ForeignKey(
        Receipt,
        null=True,
        on_delete=models.PROTECT,
        related_name="decisions",
        help_text="The receipt of which a part was claimed or kept",
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
            models.CheckConstraint(
                name="settlement_decision_is_known", condition=Q(decision__in=("waiting", "done", "declined"))
            ),
            models.CheckConstraint(
                name="settlement_evidence_is_known",
                condition=Q(evidence__in=("sms", "portal", "statement", "safaricom")),
            ),
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
                condition=Q(attempt__isnull=False)
                | Q(order__isnull=False, line__isnull=False)
                | Q(what__in=("claim", "keep"), money__isnull=False),
            ),
            models.CheckConstraint(
                name="a_done_settlement_has_its_payment",
                condition=~Q(decision="done") | Q(attempt__isnull=False) | Q(money__isnull=False),
            ),
            models.CheckConstraint(
                name="settlement_what_is_known", condition=Q(what__in=("settle", "claim", "keep"))
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
