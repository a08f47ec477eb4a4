"""What the worker does beside asking, each thing by its own clock. That one can't be done stops none of the others, and
nobody who waits for an answer waits for more than a little of it."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from djkraph import counting
from djkraph.staff import forgetting
from payments import alerts, callbacks, enquiries, gateway, ledger, lookups, manual, reconciliation, reversals
from payments.gateway import release_connection

log = logging.getLogger(__name__)

MATCHING = 15.0  # seconds between two looks for statements whose matching stopped
LINES_A_ROUND = 100  # of such a statement


@dataclass(kw_only=True)
class Chore:
    """`deed` is done every so many seconds, and in each round while it says that there is more to do. `else_log`: what
    the log says where it can't be done; then it is tried again in its time."""

    every: float
    deed: Callable[[], bool]
    else_log: str
    _next: float = field(default=-math.inf, init=False)

    def take_turn(self) -> None:
        if time.monotonic() < self._next:
            return
        try:
            more = self.deed()
        except Exception:  # whatever it was: asking and reading go on
            log.exception(self.else_log)
            release_connection()
            more = False
        self._next = -math.inf if more else time.monotonic() + self.every


def chores() -> list[Chore]:
    """In the order in which they are done."""
    return [
        Chore(every=15, deed=_beat, else_log="The desk could not be told that the worker is at work"),
        Chore(every=2, deed=_send_back, else_log="A reversal could not be sent; the worker tries again"),
        Chore(every=2, deed=_look_for_reversals, else_log="Reversals could not be looked for"),
        Chore(every=2, deed=_look_up, else_log="Receipts that were told could not be looked up"),
        Chore(every=3600, deed=_forget_strangers, else_log="Old posts of strangers could not be removed"),
        Chore(every=3600, deed=_erase_files, else_log="Old files of statements could not be erased"),
        Chore(every=60, deed=_close_pointless, else_log="What became pointless could not be closed"),
        Chore(every=60, deed=_seal, else_log="The ledger could not be sealed; the worker tries again"),
        Chore(
            every=300, deed=_forget_counts, else_log="Counts and sessions that are over could not be removed"
        ),
        Chore(every=60, deed=_tell_people, else_log="People could not be told; the worker tries again"),
    ]


def _beat() -> bool:
    enquiries.beat(enquiries.WORKER, now=gateway.now())
    return False


def _send_back() -> bool:
    return reversals.send_next(clock=gateway.now)


def _look_for_reversals() -> bool:
    return reversals.look_next(clock=gateway.now)


def _look_up() -> bool:
    return lookups.look_next(clock=gateway.now)


def _forget_strangers() -> bool:
    return bool(callbacks.forget_strangers(now=gateway.now()))


def _erase_files() -> bool:
    reconciliation.erase_old_files(now=gateway.now())
    return False


def _close_pointless() -> bool:
    """Proposals that make no sense any more."""
    manual.close_pointless(now=gateway.now())
    return False


def _seal() -> bool:
    """Of a history that was never sealed one seal a round. That it can't seal is told by /health/ready too."""
    made = ledger.seal_next(now=gateway.now())
    return made is not None and made.has_more


def _forget_counts() -> bool:
    counting.forget_old()
    forgetting.forget_over()
    return False


def _tell_people() -> bool:
    alerts.take_round()
    return False


class Matcher:
    """Goes on with statements whose matching stopped before its end, a few lines a round. One that can't be matched
    stops none of the others."""

    def __init__(self) -> None:
        self._next = -math.inf
        self._failed: set[int] = set()

    def step(self) -> bool:
        """False: there is nothing to match for now, and it looks again in a while."""
        if time.monotonic() < self._next:
            return False
        if self.match_some():
            return True
        self._next = time.monotonic() + MATCHING
        return False

    def match_some(self) -> bool:
        """False: there is nothing to match."""
        now = gateway.now()
        waiting = [each for each in reconciliation.unfinished(now=now) if each not in self._failed]
        if not waiting:
            self._failed.clear()
            return False
        try:
            reconciliation.match_some(waiting[0], now=now, limit=LINES_A_ROUND)
        except Exception:
            log.exception(
                "A statement could not be matched; the worker tries again", extra={"id": waiting[0]}
            )
            self._failed.add(waiting[0])
            release_connection()
        return True
