"""Money that Safaricom is to send back by our order: decided, sent once, and followed until it is seen gone or seen
here. What it did to the book: receipt.py and posting.py."""

from django.db import models
from django.db.models import Q

from payments.models.receipt import Receipt


class Reversal(models.Model):
    """One order to send (some of) a receipt's money back. Written only by reversals/.

    Not refused, a receipt has one at most, which the database holds: it is sent once, and no second one beside it.
    Tokens of its addresses are kept as hashes.
    """

    class State(models.TextChoices):
        DUE = "due", "Decided, not sent yet"
        SENDING = "sending", "Being sent"
        ASKED = "asked", "Safaricom took the order"
        UNKNOWN = "unknown", "No answer: checking"
        DONE = "done", "The money went back"
        REFUSED = "refused", "It did not go back"

    receipt = models.ForeignKey(
        Receipt, on_delete=models.PROTECT, related_name="ordered_back", help_text="Whose money it is"
    )
    amount_kes = models.PositiveIntegerField("amount (KES)")
    reason = models.CharField(max_length=300)
    decided_by = models.CharField(max_length=150)
    confirmed_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.DUE, db_default="due")
    token_hash = models.CharField(max_length=64, null=True, unique=True)
    look_token_hash = models.CharField(max_length=64, null=True, unique=True)
    sent_at = models.DateTimeField(null=True, help_text="When it left; it leaves once")
    originator_conversation_id = models.CharField(max_length=128, blank=True)
    conversation_id = models.CharField(max_length=128, blank=True)
    code = models.CharField(max_length=40, blank=True, help_text="Safaricom's ResultCode or errorCode")
    words = models.CharField("Safaricom's words", max_length=300, blank=True)
    next_look_at = models.DateTimeField(null=True, help_text="When it is sent, or looked for, next")
    looks = models.PositiveIntegerField(default=0, help_text="How often it was looked for")
    ended_at = models.DateTimeField(null=True)
    went_as = models.ForeignKey(
        Receipt, null=True, on_delete=models.PROTECT, related_name="+", help_text="As it left"
    )
    reviewed_at = models.DateTimeField(null=True, help_text="When staff marked its failure as looked at")
    reviewed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                name="a_receipt_goes_back_by_one_order",
                fields=("receipt",),
                condition=~Q(state="refused"),
            ),
            models.CheckConstraint(name="a_reversal_has_an_amount", condition=Q(amount_kes__gt=0)),
            models.CheckConstraint(
                name="reversal_state_is_known",
                condition=Q(state__in=("due", "sending", "asked", "unknown", "done", "refused")),
            ),
            models.CheckConstraint(
                name="what_left_was_sent_at_a_time",
                condition=Q(state__in=("due", "refused")) | Q(sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="what_is_done_names_its_receipt", condition=~Q(state="done") | Q(went_as__isnull=False)
            ),
        )
        indexes = (
            # the worker's queue
            models.Index(
                name="reversal_next", fields=("next_look_at",), condition=Q(next_look_at__isnull=False)
            ),
            # what needs a person
            models.Index(
                name="reversal_failed",
                fields=("ended_at",),
                condition=Q(state="refused", reviewed_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"KES {self.amount_kes:,} of {self.receipt}"
