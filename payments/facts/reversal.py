"""What is true of an order to send money back. As in money.py: a function for a row in hand, its twin for a query."""

from datetime import datetime, timedelta
from typing import Protocol

from django.db.models import Q

UNDER_WAY = ("due", "sending", "asked", "unknown")
SHOULD_BE_KNOWN_WITHIN = timedelta(hours=1)

REVERSAL_UNDER_WAY = Q(state__in=UNDER_WAY)
REVERSAL_FAILED = Q(state="refused", reviewed_at=None)


class Ordered(Protocol):
    @property
    def state(self) -> str: ...
    @property
    def sent_at(self) -> datetime | None: ...


def reversal_is_under_way(ordered: Ordered) -> bool:
    """Its money may be gone, or go in any moment."""
    return ordered.state in UNDER_WAY


def reversal_is_stuck(ordered: Ordered, *, now: datetime) -> bool:
    """It was sent, and nobody has said for an hour what came of it."""
    return (
        ordered.state in ("sending", "asked", "unknown")
        and ordered.sent_at is not None
        and ordered.sent_at <= now - SHOULD_BE_KNOWN_WITHIN
    )


def reversal_stuck_at(now: datetime) -> Q:
    return Q(state__in=("sending", "asked", "unknown"), sent_at__lte=now - SHOULD_BE_KNOWN_WITHIN)
