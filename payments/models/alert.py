"""What people were told of, and the messages that told them. No money, and no whole phone number."""

import uuid

from django.db import models
from django.db.models import Q


class Alert(models.Model):
    """One thing that people were told of: so that it is told once, and again only after a day."""

    key = models.CharField(max_length=80, unique=True, help_text="The kind of thing, and which one")
    first_told_at = models.DateTimeField()
    last_told_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, help_text="When it was seen to be over")

    class Meta:
        # which of those that were told may be over by now; and what ended long ago
        indexes = (models.Index(name="alert_closed", fields=("closed_at",)),)

    def __str__(self) -> str:
        return self.key


class AlertMessage(models.Model):
    """One mail, or one post to the webhook: what is new, summed up. Waits here until it has left."""

    class Channel(models.TextChoices):
        MAIL = "mail", "Mail"
        WEBHOOK = "webhook", "Webhook"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        GIVEN_UP = "given_up", "Given up"

    public_id = models.UUIDField(
        unique=True, default=uuid.uuid4, help_text="The same each time it is sent: receivers know it again"
    )
    channel = models.CharField(max_length=7, choices=Channel.choices)
    subject = models.CharField(max_length=200)
    body = models.TextField(help_text="As it is sent: text by mail, JSON to the webhook")
    made_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING, db_default="waiting")
    attempts = models.PositiveSmallIntegerField("tries", default=0, db_default=0)
    last_failure = models.CharField(max_length=200, blank=True, default="", db_default="")
    next_at = models.DateTimeField(null=True, help_text="When it is tried next")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "alert"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="message_channel_is_known", condition=Q(channel__in=("mail", "webhook"))
            ),
            models.CheckConstraint(
                name="message_state_is_known", condition=Q(state__in=("waiting", "sent", "given_up"))
            ),
            models.CheckConstraint(
                name="a_waiting_message_has_its_next_try",
                condition=Q(state="waiting", next_at__isnull=False) | ~Q(state="waiting"),
            ),
            models.CheckConstraint(
                name="a_sent_message_says_when", condition=~Q(state="sent") | Q(sent_at__isnull=False)
            ),
        )
        indexes = (
            # what is to be tried next
            models.Index(name="message_next", fields=("next_at",), condition=Q(state="waiting")),
            # the last that a channel took
            models.Index(name="message_by_channel", fields=("channel", "state", "-id")),
        )

    def __str__(self) -> str:
        return self.subject
