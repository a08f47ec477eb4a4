"""What people decide about money, on what evidence, and who confirmed it. The money itself is the ledger's."""

from django.db import models
from django.db.models import F, Q

from orders.models import Order
from payments.models.attempt import MpesaTransaction
from payments.models.receipt import Receipt
from payments.models.refund import Refund


class HandSettlement(models.Model):
    """One decision about money, whatever its kind, with the evidence. Above the limit of its person's day it waits for
    a second person. (The name is older than most kinds.)

    Written only by manual/ (deciding.py).
    """

    class Decision(models.TextChoices):
        WAITING = "waiting", "Waits for a second person"
        DONE = "done", "Done"
        DECLINED = "declined", "Declined"
        CLOSED = "closed", "Came to nothing"

    class What(models.TextChoices):
        SETTLE = "settle", "Settled, or attached whole"
        CLAIM = "claim", "A part for an order"
        KEEP = "keep", "A part kept"
        REFUND = "refund", "Refund recorded"
        SEND_BACK = "send_back", "Sent back by M-PESA"
        NEVER_WENT = "never_went", "Never sent back"
        UNDO = "undo", "A decision taken back"
        UNDO_REFUND = "undo_refund", "Refund never left"
        VOID_LINE = "void_line", "A statement's line voided"
        VOID_FILE = "void_file", "A statement voided"

    class Evidence(models.TextChoices):
        SMS = "sms", "The customer's M-PESA message"
        PORTAL = "portal", "The M-PESA organisation portal"
        STATEMENT = "statement", "The M-PESA statement"
        SAFARICOM = "safaricom", "Safaricom's word by phone or e-mail"
        REASON = "reason", "The reason given"

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
        max_length=12,
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
        help_text="The receipt of which a part was claimed, kept or sent back",
    )
    statement = models.ForeignKey(
        "Statement",
        null=True,
        on_delete=models.PROTECT,
        related_name="decisions",
        help_text="Voided",
    )
    refund = models.ForeignKey(
        Refund, null=True, on_delete=models.PROTECT, related_name="decisions", help_text="Taken back"
    )
    reference = models.CharField(
        max_length=30,
        blank=True,
        default="",
        db_default="",
        help_text="M-PESA's code of the refund to be recorded",
    )
    of_event = models.PositiveIntegerField(
        null=True, help_text="The payment's event that is taken back: what comes later is another decision"
    )
    receipt = models.CharField(max_length=30)
    amount_kes = models.PositiveIntegerField("amount (KES)", help_text="As the evidence names it")
    accepts_amount = models.BooleanField(
        default=False, help_text="The order counts as paid although the amount is not the one asked"
    )
    evidence = models.CharField(max_length=10, choices=Evidence.choices)
    reason = models.CharField(max_length=300)
    counts_kes = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="What it counts for in its person's day (KES)"
    )
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
                name="settlement_decision_is_known",
                condition=Q(decision__in=("waiting", "done", "declined", "closed")),
            ),
            models.CheckConstraint(
                name="settlement_evidence_is_known",
                condition=Q(evidence__in=("sms", "portal", "statement", "safaricom", "reason")),
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
                | Q(what__in=("claim", "keep", "refund", "send_back", "never_went"), money__isnull=False)
                | Q(what="undo_refund", refund__isnull=False)
                | Q(what="void_line", line__isnull=False)
                | Q(what="void_file", statement__isnull=False),
            ),
            models.CheckConstraint(
                name="a_done_settlement_has_its_payment",
                condition=~Q(decision="done", what="settle") | Q(attempt__isnull=False),
            ),
            models.CheckConstraint(
                name="settlement_what_is_known",
                condition=Q(
                    what__in=(
                        "settle",
                        "claim",
                        "keep",
                        "refund",
                        "send_back",
                        "never_went",
                        "undo",
                        "undo_refund",
                        "void_line",
                        "void_file",
                    )
                ),
            ),
            models.CheckConstraint(
                name="a_second_person_confirms",
                condition=~Q(decision="done", needs_second=True, decided_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="a_decided_settlement_names_who",
                condition=Q(decision="waiting", decided_by="", decided_at=None)
                | (Q(decision__in=("done", "declined")) & ~Q(decided_by="") & Q(decided_at__isnull=False))
                | Q(decision="closed", decided_at__isnull=False),
            ),
        )
        indexes = (
            # what one person decided alone today (limits.py)
            models.Index(
                name="decided_alone",
                fields=("proposed_by", "proposed_at"),
                include=("counts_kes",),
                condition=Q(decision="done", needs_second=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.receipt or self.get_what_display()} · {self.get_decision_display()}"
