"""What the project itself keeps: how often each sender came in a minute, and what log-ins must remember for a while. No
row about orders or money."""

from django.db import models


class RequestCount(models.Model):
    """Requests of one kind from one sender in one minute (or in some, under their first), of all processes. `key` is a
    keyed hash: no address stands in it. Kept for a few minutes."""

    minute = models.BigIntegerField(help_text="Since 1970, by the database's clock")
    key = models.TextField()
    count = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(name="one_count_a_minute", fields=("minute", "key")),)

    def __str__(self) -> str:
        return f"{self.count} in minute {self.minute}"


class CacheEntry(models.Model):
    """A row of Django's database cache, as its own command would make the table: the keys are hashes, the values its
    own pickles. Wrong passwords are counted here, and codes that were used."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.cache_key
