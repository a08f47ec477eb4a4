"""The book: every shilling that moved from one account to another, once, and nothing rubbed out. A balance is a sum
over these rows and stands nowhere else."""

from django.db import models
from django.db.models import F, Q

from payments.models.attempt import MpesaTransaction
from payments.models.receipt import Receipt


class Posting(models.Model):
    """An amount moved from the account debited to the account credited, and why. Cents.

    `mpesa:<short code>`, `bank`, `charges` and `undecided` are ours: what stands there is debits less credits. The
    others (`order:<code>`, `unclaimed`, `refunds_due`, `kept`, `opening`) we owe: credits less debits. Append-only: a
    mistake is mended by the opposite posting, which names it.
    """

    class Code(models.TextChoices):
        PAID = "paid", "Paid for an order"
        UNCLAIMED = "unclaimed", "Came, and nobody's yet"
        CLAIMED = "claimed", "Claimed for an order"
        OVERPAID = "overpaid", "More than the order costs"
        REFUND_DECIDED = "refund_decided", "To be sent back"
        REFUND_SENT = "refund_sent", "Sent back"
        REVERSED = "reversed", "Reversed by Safaricom"
        LEFT = "left", "Left, and nobody decided it"
        KEPT = "kept", "Kept, with a reason"
        CHARGE = "charge", "Safaricom's charge"
        TO_BANK = "to_bank", "Moved to the bank"
        OPENING = "opening", "There before the book"
        CORRECTION = "correction", "A mistake mended"

    ref = models.CharField(
        max_length=32, unique=True, help_text="Its own, so that no copy of it can be slipped in"
    )
    at = models.DateTimeField()
    debit = models.CharField(max_length=40)
    credit = models.CharField(max_length=40)
    amount_cents = models.PositiveBigIntegerField("amount (cents)")
    code = models.CharField(max_length=16, choices=Code.choices)
    receipt = models.ForeignKey(Receipt, null=True, on_delete=models.PROTECT, related_name="postings")
    attempt = models.ForeignKey(
        MpesaTransaction,
        null=True,
        on_delete=models.PROTECT,
        related_name="postings",
        help_text="Whose event it goes with",
    )
    event_number = models.PositiveIntegerField(
        null=True, help_text="Which of its attempt's events brought it"
    )
    mends = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="mended_by")
    hash = models.CharField(max_length=64)
    key_id = models.CharField(max_length=8, help_text="Which LEDGER_KEY signed it")

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(name="a_posting_moves_something", condition=Q(amount_cents__gt=0)),
            models.CheckConstraint(name="a_posting_has_two_accounts", condition=~Q(debit=F("credit"))),
            models.CheckConstraint(
                name="posting_code_is_known",
                condition=Q(
                    code__in=(
                        "paid",
                        "unclaimed",
                        "claimed",
                        "overpaid",
                        "refund_decided",
                        "refund_sent",
                        "reversed",
                        "left",
                        "kept",
                        "charge",
                        "to_bank",
                        "opening",
                        "correction",
                    )
                ),
            ),
            models.CheckConstraint(
                name="only_a_correction_mends",
                condition=Q(code="correction", mends__isnull=False) | (~Q(code="correction") & Q(mends=None)),
            ),
        )
        indexes = (
            # a balance: the sum of an account's debits, and of its credits
            models.Index(name="posting_debit", fields=("debit", "id"), include=("amount_cents",)),
            models.Index(name="posting_credit", fields=("credit", "id"), include=("amount_cents",)),
        )

    def __str__(self) -> str:
        return f"{self.debit} → {self.credit} {self.amount_cents / 100:,.2f}"
