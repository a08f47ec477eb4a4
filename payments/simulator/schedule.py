"""The simulator's clock, what is due on it, and what is under way. Knows nothing of payments."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone

logger = logging.getLogger(__name__)

EAT = timezone(timedelta(hours=3), "EAT")
Action = Callable[[float], object]


class Schedule:
    """Times are seconds since 1970 on the simulator's clock, which `advance` moves forward.

    Actions run one at a time on one thread, in the order in which they are due, and are given the time they were
    due at: after a jump an action still sees its own moment.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._epoch = time.time() - time.monotonic()
        self._offset = 0.0
        self._busy = 0
        self._firing = False
        self._stopped = False

    def now(self) -> float:
        return self._epoch + time.monotonic() + self._offset

    def start(self) -> None:
        threading.Thread(target=self._run, name="schedule", daemon=True).start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def reset(self) -> None:
        """Forget what is due and return to real time. What is already under way goes on."""
        with self._changed:
            self._heap.clear()
            self._offset = 0.0
            self._changed.notify_all()

    def at(self, due: float, action: Action) -> None:
        with self._changed:
            heapq.heappush(self._heap, (due, next(self._order), action))
            self._changed.notify_all()

    def advance(self, seconds: float, *, timeout: float = 10) -> bool:
        """Move the clock; returns once everything now due has been fired (False: not within the timeout)."""
        with self._changed:
            self._offset += seconds
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._firing and not self._is_due(), timeout)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While inside, the simulator is not idle."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def wait_idle(self, timeout: float) -> bool:
        """Until nothing is due and nothing is under way; False when the timeout came first."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._busy or self._firing or self._is_due()), max(timeout, 0)
            )

    def _is_due(self) -> bool:
        return bool(self._heap) and self._heap[0][0] <= self.now()

    def _run(self) -> None:
        while (item := self._next()) is not None:
            due, action = item
            try:
                action(due)
            except Exception:
                logger.exception("An action of the simulator's schedule failed")
            finally:
                with self._changed:
                    self._firing = False
                    self._changed.notify_all()

    def _next(self) -> tuple[float, Action] | None:
        """Block until something is due; None once stopped."""
        with self._changed:
            while not self._stopped:
                if self._is_due():
                    due, _, action = heapq.heappop(self._heap)
                    self._firing = True
                    return due, action
                self._changed.wait(self._heap[0][0] - self.now() if self._heap else None)
            return None


def eat(moment: float) -> datetime:
    """A moment of the simulator's clock as Nairobi's wall clock shows it."""
    return datetime.fromtimestamp(moment, UTC).astimezone(EAT)
