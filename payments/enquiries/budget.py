"""One budget of questions to Daraja for all processes and machines. Knows nothing of payments.

Safaricom's gateway counts evenly (5 in 60 s with a burst of 1 is one every 12 s), so this is one row that holds
the time when the next question may go; taking a turn is one compare-and-set.
"""

from datetime import datetime, timedelta

from payments import gateway
from payments.models import QueryBudget

NAME = "query"


def take_turn(*, now: datetime) -> bool:
    """Whether one question may go to Daraja now. Yes uses the turn up."""
    if _take(now):
        return True
    first_ever = QueryBudget(name=NAME, free_at=now)
    if QueryBudget.objects.filter(name=NAME).exists():
        return False
    QueryBudget.objects.bulk_create([first_ever], ignore_conflicts=True)
    return _take(now)


def next_turn_at() -> datetime | None:
    """When the next turn can be had; None: now."""
    return QueryBudget.objects.filter(name=NAME).values_list("free_at", flat=True).first()


def pause(*, until: datetime) -> None:
    """Daraja said "too many": nobody asks before then."""
    QueryBudget.objects.filter(name=NAME, free_at__lt=until).update(free_at=until)


def _take(now: datetime) -> bool:
    next_free = now + timedelta(seconds=60 / gateway.queries_per_minute())
    return QueryBudget.objects.filter(name=NAME, free_at__lte=now).update(free_at=next_free) == 1
