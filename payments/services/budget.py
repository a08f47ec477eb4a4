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
    next_free = now + timedelta(seconds=60 / gateway.queries_per_minute())
    if QueryBudget.objects.filter(name=NAME, free_at__lte=now).update(free_at=next_free):
        return True
    return bool(not QueryBudget.objects.filter(name=NAME).exists() and _first_turn(next_free))


def free_at() -> datetime | None:
    """When the next turn can be had; None: now."""
    return QueryBudget.objects.filter(name=NAME).values_list("free_at", flat=True).first()


def pause(*, until: datetime) -> None:
    """Daraja said "too many": nobody asks before then."""
    QueryBudget.objects.filter(name=NAME, free_at__lt=until).update(free_at=until)


def _first_turn(next_free: datetime) -> bool:
    row = QueryBudget(name=NAME, free_at=next_free)
    QueryBudget.objects.bulk_create([row], ignore_conflicts=True)
    # of two processes that get here together one may be told yes wrongly: once in the life of a database
    return True
