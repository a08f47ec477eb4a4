"""What all processes and machines share to keep out of each other's way. Nothing about money."""

import uuid

from django.db import models

from payments.models.attempt import MpesaTransaction


class IdempotencyKey(models.Model):
    """A push's Idempotency-Key with what was asked under it and, once known, what was answered."""

    key = models.CharField(max_length=255, unique=True)
    body_hash = models.CharField(max_length=64, help_text="Keyed hash of the request's body")
    claim = models.UUIDField(default=uuid.uuid4, help_text="Tells who made this row from who found it")
    attempt = models.ForeignKey(MpesaTransaction, null=True, on_delete=models.PROTECT, related_name="+")
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty: still under way")
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Idempotency-Key #{self.pk}"


class DarajaToken(models.Model):
    """Daraja's OAuth token, shared by all processes, encrypted; one process at a time fetches a new one."""

    name = models.CharField(max_length=80, unique=True, help_text="Which app's, at which address")
    sealed = models.TextField(blank=True, help_text="Encrypted with SECRET_KEY")
    fresh_until = models.DateTimeField(null=True)
    fetching_until = models.DateTimeField(
        null=True, help_text="A process holds the right to fetch until then"
    )
    refused_until = models.DateTimeField(
        null=True, help_text="The last fetch failed: until then nobody asks for another"
    )
    refusal = models.CharField(max_length=40, blank=True, db_default="", help_text="How it failed")

    def __str__(self) -> str:
        return self.name


class QueryBudget(models.Model):
    """When the next question may go to Daraja: one row, shared by all processes and machines."""

    name = models.CharField(max_length=20, unique=True)
    free_at = models.DateTimeField()
    turns = models.PositiveIntegerField(default=0, db_default=0, help_text="How many were taken")
    paused_from = models.DateTimeField(null=True, help_text='When Daraja said "too many"')
    paused_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class StoppedPhone(models.Model):
    """A phone whose owner told the shop to ask it no more."""

    phone_hash = models.CharField(max_length=64, unique=True, help_text="Keyed hash of the number")
    phone_masked = models.CharField(max_length=20)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.phone_masked


class Awaited(models.Model):
    """An attempt of which somebody waits to hear, and that could have no question yet. Gone with the question."""

    attempt = models.OneToOneField(MpesaTransaction, on_delete=models.CASCADE, related_name="+")
    lane = models.PositiveSmallIntegerField(help_text="1: a buyer on the page, 2: staff")
    since = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When whoever waits was last seen")

    class Meta:
        verbose_name_plural = "awaited"
        # who waits longest in a lane
        indexes = (models.Index(name="awaited_next", fields=("lane", "since")),)

    def __str__(self) -> str:
        return f"Awaited #{self.pk}"


class Heartbeat(models.Model):
    """When a part of the shop that runs by itself was last seen at work."""

    name = models.CharField(max_length=20, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
