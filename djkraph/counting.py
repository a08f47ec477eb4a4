"""How often something came in these minutes, counted by all processes and machines together: in the database, or in the
cache where CACHE_URL names a shared one.

Each process counts by itself and tells the others whenever it has counted a twentieth of the limit, so that few polls
cost a write and a limit is overrun by that little at most, for each process. Where the others can't be told (database
or cache away, or slow), it goes on alone for a while: a limit is no reason to lose a sale.
"""

import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import caches

from djkraph import sql
from djkraph.models import RequestCount

log = logging.getLogger(__name__)

WINDOW = 60  # seconds
PARTS = 20  # of a limit: how often it is shared
ALONE_FOR = 30.0  # seconds after the others could not be told
GUESSES = 10  # minutes
KEPT = GUESSES + 3  # minutes

# adds so many under this key in this window (minutes), and says how many there are then
Share = Callable[[str, int, int], int]


@dataclass
class _Count:
    """`mine`: counted here since the others were told. `all`: everybody's, as far as it is known here."""

    mine: int = 0
    all: int = 0

    def hand_over(self) -> tuple[int, int]:
        """What the others are to be told, and how many there are with it as far as it is known here."""
        told, self.mine = self.mine, 0
        self.all += told
        return told, self.all


class Counter:
    """Of one process. Its threads share it. A window is so many minutes long, and the others are told after each of so
    many parts of the limit."""

    def __init__(
        self, share: Share, *, minutes: int = 1, parts: int = PARTS, now: Callable[[], float] = time.time
    ) -> None:
        self._share = share
        self._minutes = minutes
        self._parts = parts
        self._now = now
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[str, _Count] = {}
        self._alone_until = 0.0

    def add(self, key: str, *, limit: int) -> int:
        """How many there were in this window, with this one. Beyond the limit nobody goes on counting."""
        with self._lock:
            count = self._counted_for(key)
            count.mine += 1
            if (
                count.all + count.mine > limit
                or count.mine < limit // self._parts
                or self._now() < self._alone_until
            ):
                return count.all + count.mine
            told, known = count.hand_over()
        return max(known, self._together(count, key, told))

    def total(self, key: str, *, limit: int) -> int:
        """How many there were in this window. The others are asked, unless it is known to be beyond the limit."""
        with self._lock:
            count = self._counted_for(key)
            if count.all + count.mine > limit or self._now() < self._alone_until:
                return count.all + count.mine
            told, known = count.hand_over()
        return max(known, self._together(count, key, told))

    def _together(self, count: _Count, key: str, told: int) -> int:
        """How many there were when these were added: whoever comes while the others are told counts after them."""
        together = self._shared(key, told)
        with self._lock:
            count.all = max(count.all, together)
        return together

    def _counted_for(self, key: str) -> _Count:
        minute = int(self._now()) // (WINDOW * self._minutes)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        return self._counts.setdefault(key, _Count())

    def _shared(self, key: str, told: int) -> int:
        """0 where the others could not be told."""
        try:
            return self._share(key, told, self._minutes)
        except Exception:  # whatever it is: the request goes on
            log.warning("requests are counted by each process for itself", exc_info=True)
            self._alone_until = self._now() + ALONE_FOR
            return 0


def share(key: str, told: int, minutes: int) -> int:
    """Under a hash of the key, in which no address stands."""
    hashed = _hashed(key)
    if has_shared_cache():
        return _in_cache(hashed, told, minutes)
    return sql.count_up(RequestCount, hashed, told, minutes=minutes)


def cache_key(key: str, prefix: str, version: int) -> str:
    """What a row of the cache is kept under: no address stands in it."""
    return f"{prefix}:{version}:{_hashed(key)}"


def has_shared_cache() -> bool:
    """Whether CACHE_URL names a server, and not this process's own memory or this machine's disk."""
    backend: str = settings.CACHES["shared"]["BACKEND"]
    return "redis" in backend or "memcached" in backend


def _hashed(key: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), key.encode(), hashlib.sha256).hexdigest()[:32]


def _in_cache(hashed: str, told: int, minutes: int) -> int:
    key = f"requests:{int(time.time()) // (WINDOW * minutes)}:{hashed}"
    caches["shared"].add(key, 0, timeout=KEPT * WINDOW)
    return int(caches["shared"].incr(key, told))


def forget_old() -> int:
    """How many counts of minutes gone by were removed."""
    return sql.forget_minutes(RequestCount, older_than=KEPT)


def count_guesses() -> Counter:
    """Each is told at once: they are few, and whoever goes on in another process is known there."""
    return Counter(share, minutes=GUESSES, parts=1_000)


requests, guesses = Counter(share), count_guesses()
