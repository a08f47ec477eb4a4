"""What came to our callback address, as it came. What it means is read in callbacks/."""

from django.db import models
from django.db.models import Q

from payments.models.attempt import MpesaTransaction

# What a person should look at: a callback that somebody else sent, or that we could not make sense of.
PROBLEM_VERDICTS = ("unknown_token", "wrong_id", "wrong_amount", "receipt_taken", "unreadable")

# What was believed: reading it once more would change nothing.
DONE_VERDICTS = ("applied", "repeated")


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
    as_bytes = models.BinaryField(null=True, help_text="As it came, where it is no text")
    source_address = models.GenericIPAddressField(null=True)
    from_safaricom = models.BooleanField(
        default=False, help_text="Its address is one that Safaricom publishes"
    )
    spool_id = models.UUIDField(
        null=True, unique=True, help_text="Set where it waited on disk for the database"
    )
    verdict = models.CharField(max_length=14, choices=Verdict.choices, default=Verdict.RECEIVED)
    # the columns keep their first names: looked_at, looked_at_by
    reviewed_at = models.DateTimeField(
        null=True, db_column="looked_at", help_text="When staff marked it as looked at"
    )
    reviewed_by = models.CharField(max_length=150, blank=True, db_column="looked_at_by")

    class Meta:
        verbose_name_plural = "callback deliveries"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="delivery_verdict_is_known",
                condition=Q(
                    verdict__in=(
                        "received",
                        "applied",
                        "repeated",
                        "hint",
                        "unknown_token",
                        "wrong_id",
                        "wrong_amount",
                        "receipt_taken",
                        "unreadable",
                    )
                ),
            ),
        )
        permissions = (("replay_delivery", "Can read stored callbacks once more"),)
        indexes = (
            models.Index(name="delivery_verdict", fields=("verdict", "-id")),
            # the desk's home: which deliveries a person should look at
            models.Index(
                name="delivery_problem",
                fields=("-id",),
                condition=Q(verdict__in=PROBLEM_VERDICTS, reviewed_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_verdict_display()}"
