"""What happened to an attempt, each thing once. Nothing that can be worked out from it."""

from django.db import models
from django.db.models import Q

from payments.models.attempt import MpesaTransaction
from payments.states import State


class PaymentEvent(models.Model):
    """One thing that happened to an attempt. Append-only; each holds the keyed hash of the one before it."""

    class Source(models.TextChoices):
        PUSH = "push", "Our request"
        CALLBACK = "callback", "Safaricom's callback"
        QUERY = "query", "Safaricom asked"
        CLOCK = "clock", "The clock"
        STATEMENT = "statement", "The M-PESA statement"
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
            models.CheckConstraint(
                name="event_source_is_known",
                condition=Q(source__in=("push", "callback", "query", "clock", "statement", "staff")),
            ),
            models.CheckConstraint(
                name="event_state_is_known", condition=Q(to_state__in=[str(state) for state in State])
            ),
        )
        # the audit: what staff did, newest first
        indexes = (models.Index(name="event_by_staff", fields=("-id",), condition=Q(source="staff")),)

    def __str__(self) -> str:
        return f"{self.number}. {self.kind}"
