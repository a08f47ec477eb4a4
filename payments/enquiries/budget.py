"""One budget of questions to Daraja for all processes and machines. Knows nothing of payments.

Safaricom's gateway counts evenly (5 in 60 s with a burst of 1 is one every 12 s), so this is one row that holds
the time when the next question may go; taking a turn is one compare-and-set. Turns are numbered: whose each one is,
lanes.py says.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from payments import gateway
from payments.models import QueryBudget

NAME = "query"
ANYBODYS_AFTER = timedelta(seconds=2)  # a turn that lay unused for so long is whoever's comes
BY_THIS_CLOCK = timedelta(minutes=1)


def take_turn(*, now: datetime, may_take: Callable[[int], bool] = lambda _turn: True) -> bool:
    """Whether one question may go to Daraja now. Yes uses the turn up. `may_take` is given its number and may leave it
    to others; a turn that lies unused is not left to anybody."""
    row = _row() or _first_row(now)
    if not _is_free(row, now):
        return False
    unused = row.free_at <= now - ANYBODYS_AFTER
    if not unused and not may_take(row.turns):
        return False
    as_it_was = QueryBudget.objects.filter(name=NAME, free_at=row.free_at, turns=row.turns)
    return as_it_was.update(free_at=now + _step(), turns=(row.turns + 1) % 2**31) == 1


def free_turn(*, now: datetime) -> int | None:
    """The number of the turn that can be had now, if one can."""
    row = _row() or _first_row(now)
    return row.turns if _is_free(row, now) else None


def next_turn_at(*, now: datetime) -> datetime | None:
    """When the next turn can be had; None: now."""
    row = _row()
    if row is None or _is_free(row, now):
        return None
    return row.paused_until if row.paused_until is not None and _is_paused(row, now) else row.free_at


def pause(*, now: datetime, until: datetime) -> None:
    """Daraja said "too many": nobody asks before then."""
    row = _row()
    if row is None or not _is_paused(row, now) or (row.paused_until or until) < until:
        QueryBudget.objects.filter(name=NAME).update(paused_from=now, paused_until=until)


def _is_free(row: QueryBudget, now: datetime) -> bool:
    """A time further ahead than a turn is long was written by a clock that was set back since: it binds nobody."""
    return not _is_paused(row, now) and (row.free_at <= now or row.free_at > now + 2 * _step())


def _is_paused(row: QueryBudget, now: datetime) -> bool:
    if row.paused_until is None or row.paused_from is None:
        return False
    return row.paused_from <= now + BY_THIS_CLOCK and now < row.paused_until


def _step() -> timedelta:
    return timedelta(seconds=60 / gateway.queries_per_minute())


def _row() -> QueryBudget | None:
    return QueryBudget.objects.filter(name=NAME).first()


def _first_row(now: datetime) -> QueryBudget:
    QueryBudget.objects.bulk_create([QueryBudget(name=NAME, free_at=now)], ignore_conflicts=True)
    return QueryBudget.objects.get(name=NAME)
