"""The database's time, for all that several machines decide by a clock: whose turn it is, what is due, what is stale.

Hosts disagree about the time, some by minutes; the database has one. A look at it every few seconds is enough: between
two looks this process's steady clock goes on, which nobody sets.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from django.db import Error, connection
from django.utils import timezone

LOOK_EVERY = 15.0  # seconds

READ = {
    "postgresql": "SELECT EXTRACT(EPOCH FROM clock_timestamp())",
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
}


class SharedClock:
    """Where the database can't be asked, the last look counts on; before the first one, the host's clock does."""

    def __init__(
        self,
        read: Callable[[], datetime],
        *,
        host: Callable[[], datetime] = timezone.now,
        steady: Callable[[], float] = monotonic,
    ) -> None:
        self._read = read
        self._host = host
        self._steady = steady
        self._lock = threading.Lock()
        self._seen: tuple[float, datetime] | None = None  # by the steady clock; what the database said then
        self._look_at = 0.0

    def __call__(self) -> datetime:
        if self._steady() >= self._look_at and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        if self._seen is None:
            return self._host()
        at, said = self._seen
        return said + timedelta(seconds=self._steady() - at)

    def _look(self) -> None:
        before = self._steady()
        self._look_at = before + LOOK_EVERY
        try:
            said = self._read()
        except Error:
            return
        self._seen = ((before + self._steady()) / 2, said)


def read_database() -> datetime:
    """Its time now. A connection that was not held before is not held afterwards: a call of Daraja may follow."""
    held = connection.connection is not None
    try:
        with connection.cursor() as cursor:
            cursor.execute(READ[connection.vendor])
            (seconds,) = cursor.fetchone()
    finally:
        if not held:
            connection.close()
    return datetime.fromtimestamp(float(seconds), tz=UTC)


shared = SharedClock(read_database)


def now() -> datetime:
    """The time that all processes and machines of the shop agree upon."""
    return shared()
