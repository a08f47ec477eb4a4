"""For tests that send more in a minute than a sender may, and for a restart: what was counted is forgotten, by all."""

from django.core.cache import cache

from djkraph import counting
from djkraph.models import RequestCount


def forget_counts() -> None:
    cache.clear()
    RequestCount.objects.all().delete()
    start_counting_anew()


def start_counting_anew() -> None:
    """As a new process does."""
    counting.requests = counting.Counter(counting.share)
    counting.guesses = counting.count_guesses()
