"""Notes when a part of the shop that runs by itself was last at work, and finds out by it that the clock was set back.
The only writer of Heartbeat."""

from datetime import datetime, timedelta

from payments import ledger
from payments.models import Heartbeat

WORKER = "worker"
WORKER_WITHIN = timedelta(minutes=2)  # it says so every few seconds

SET_BACK = timedelta(minutes=1)  # by so much and more a clock was set back, and was not merely corrected


def beat(name: str, *, now: datetime) -> None:
    """It is at work now. Several workers share one row."""
    _go_back_with_clock(name, now=now)
    if not Heartbeat.objects.filter(name=name).update(at=now):
        Heartbeat.objects.bulk_create([Heartbeat(name=name, at=now)], ignore_conflicts=True)


def _go_back_with_clock(name: str, *, now: datetime) -> None:
    """Where the last beat lies ahead, the clock was set back: what is due goes back with it, else nothing would be due
    until the old time is reached again. One worker does it."""
    last = Heartbeat.objects.filter(name=name).values_list("at", flat=True).first()
    if last is None or last - now < SET_BACK:
        return
    if Heartbeat.objects.filter(name=name, at=last).update(at=now):
        ledger.set_checks_back(by=last - now)


def worker_silent_since(*, now: datetime) -> datetime | None:
    """None: it was at work a moment ago, or never yet."""
    seen = Heartbeat.objects.filter(name=WORKER).values_list("at", flat=True).first()
    return seen if seen is not None and now - seen > WORKER_WITHIN else None
