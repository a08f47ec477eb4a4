"""What was written, sealed: one chain over all tables of the ledger. What it covers and how: ledger/seals.py."""

from django.db import models
from django.db.models import Q


class Seal(models.Model):
    """A signed list of the rows that came since the last one. Append-only; each holds the hash of the one before it.

    Made by one process at a time: a second one finds its number and its place in the chain taken.
    """

    number = models.PositiveBigIntegerField(unique=True, help_text="1, 2, 3 …")
    at = models.DateTimeField()
    previous_hash = models.CharField(max_length=64, unique=True, blank=True)
    rows = models.PositiveIntegerField(help_text="How many rows it covers")
    counts = models.JSONField(help_text="How many of each kind")
    cents = models.PositiveBigIntegerField(help_text="Sum of its postings")
    reach = models.TextField(
        help_text="JSON: up to which id each table is sealed, and what may still come below"
    )
    covers = models.TextField(help_text="JSON: each row, by payment, with its keyed hash")
    root = models.CharField(max_length=64, help_text="sha256 of what it reaches and covers")
    # the same as in `reach`, for the one question of /health/ready
    last_event_id = models.BigIntegerField()
    last_posting_id = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    key_id = models.CharField(max_length=8, help_text="Which LEDGER_KEY signed it")

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.CheckConstraint(name="a_seal_covers_something", condition=Q(rows__gt=0)),
            models.CheckConstraint(name="seals_are_numbered_from_one", condition=Q(number__gt=0)),
        )

    def __str__(self) -> str:
        return f"Seal {self.number}"


class SealedInPart(models.Model):
    """A row that was sealed as it was told, and is sealed once more when the rest of it is known. Only the sealer's
    list of what to come back to: no proof rests on it."""

    table = models.CharField(max_length=1)
    row_id = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(name="a_row_is_listed_once", fields=("table", "row_id")),)

    def __str__(self) -> str:
        return f"{self.table}{self.row_id}"
