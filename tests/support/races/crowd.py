"""Many doing something in the same instant, and the numbers they do it from."""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_numbers = itertools.count(1)


def new_phone(ending: str = "50") -> str:
    """A number nobody had yet. Ending in 50 it waits for a person; see the simulator's table of endings."""
    return f"254712{next(_numbers):04d}{ending}"


def at_once(doings: Sequence[Callable[[], Any]]) -> list[Any]:
    """Runs all of them on threads that start together; their results in order."""
    start = threading.Barrier(len(doings))

    def do(doing: Callable[[], Any]) -> Any:
        start.wait(timeout=30)
        return doing()

    with ThreadPoolExecutor(len(doings)) as pool:
        return list(pool.map(do, doings))


def wait_until(is_so: Callable[[], Any], what: str, *, within: float = 30.0) -> float:
    """Seconds until it was so."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < within, f"not within {within:.0f} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began
