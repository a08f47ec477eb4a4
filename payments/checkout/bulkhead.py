"""How many pushes one process has in flight: so few that polls, callbacks and health always find a thread of their own,
however long Safaricom takes. The rest are refused at once, in words."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from payments import gateway
from payments.checkout.problems import PushProblem, Why

RETRY_AFTER = 5  # seconds


class Bulkhead:
    """Counts who is inside. Nobody waits at its door."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    @contextmanager
    def place(self, *, of: int) -> Iterator[None]:
        """One of so many places, for the length of the block. Raises PushProblem where none is free."""
        with self._lock:
            if self._inside >= of:
                raise PushProblem(
                    "Very many people are paying just now. Nothing was sent by this click and nothing was charged. If "
                    "your phone asks for your M-PESA PIN already, enter it; else try again in a few seconds.",
                    code=Why.TOO_MANY_AT_ONCE,
                    retry_after=RETRY_AFTER,
                )
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1


_pushes = Bulkhead()


@contextmanager
def place_for_push() -> Iterator[None]:
    """Raises PushProblem where this process has as many pushes in flight as it may."""
    with _pushes.place(of=gateway.pushes_in_flight()):
        yield
