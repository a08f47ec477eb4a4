"""What is true of a refund that a person recorded. As in money.py: a function for a row in hand, its twin for a
query."""

from datetime import datetime, timedelta
from typing import Protocol

from django.db.models import Q

SEEN_WITHIN = timedelta(days=3)  # a statement shows by then what left


class Sent(Protocol):
    @property
    def state(self) -> str: ...
    @property
    def recorded_at(self) -> datetime: ...


def refund_is_unseen(refund: Sent, *, now: datetime) -> bool:
    """Recorded as sent, and no statement has shown it leave, though one should have by now."""
    return refund.state == "sent" and refund.recorded_at <= now - SEEN_WITHIN


def refund_unseen_at(now: datetime) -> Q:
    return Q(state="sent", recorded_at__lte=now - SEEN_WITHIN)
