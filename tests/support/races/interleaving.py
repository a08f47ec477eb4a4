"""Two who do something to the same rows in the same moment, in every order that matters: the first is held before one
of its writes, locks or commits, the second goes as far as it gets, then the first goes on. Threads with a connection of
their own, on PostgreSQL."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError, connection, connections
from psycopg.errors import DeadlockDetected

TAKES_A_LOCK = re.compile(
    r"\s*(INSERT|UPDATE|DELETE)\b|.*\bFOR (NO KEY )?UPDATE\b", re.IGNORECASE | re.DOTALL
)
AT_MOST = 20.0  # seconds for anything here
DEADLOCK_AFTER = "SET deadlock_timeout = '50ms'"

Doing = Callable[[], Any]


@dataclass(kw_only=True)
class Play:
    """What one order of things came to: by each of the two, what it gave or what it raised. `trouble`: deadlocks that
    PostgreSQL found, and errors that were caught and logged, whoever caught them."""

    ends: list[Any] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)


class _Racer(threading.Thread):
    def __init__(self, doing: Doing, play: Play, *, held_at: int | None = None) -> None:
        super().__init__(daemon=True)
        self._doing, self._play, self._held_at = doing, play, held_at
        self._passed = 0
        self.is_held, self.may_go = threading.Event(), threading.Event()
        self.end: Any = None

    def run(self) -> None:
        database = connections["default"]
        commit = database._commit
        try:
            with database.cursor() as cursor:
                cursor.execute(DEADLOCK_AFTER)
            database._commit = lambda: self._gate(commit)
            with database.execute_wrapper(self._execute):
                self.end = self._doing()
        except Exception as raised:  # noqa: BLE001 — the test judges it
            self.end = raised
        finally:
            database._commit = commit
            database.close()

    def _execute(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        def go_on() -> Any:
            return execute(sql, params, many, context)

        try:
            return self._gate(go_on) if TAKES_A_LOCK.match(str(sql)) else go_on()
        except OperationalError as error:
            if isinstance(error.__cause__, DeadlockDetected):
                self._play.trouble.append(f"deadlock: {error}")
            raise

    def _gate(self, go_on: Doing) -> Any:
        self._passed += 1
        if self._passed == self._held_at:
            self.is_held.set()
            self.may_go.wait(AT_MOST)
        return go_on()


def in_every_order(one: Doing, other: Doing, *, anew: Doing) -> Iterator[tuple[str, Play]]:
    """`anew` puts the rows back before each. In words which it was, and what it came to; the ends are one's, then
    other's."""
    for first, second, words in ((one, other, "the first held"), (other, one, "the second held")):
        held_at = 1
        while True:
            anew()
            play = _play(first, second, held_at)
            if play is None:
                break
            if first is other:
                play.ends.reverse()
            yield f"{words} at {held_at}", play
            held_at += 1


def one_after_the_other(first: Doing, second: Doing) -> Play:
    play = Play()
    with _errors_into(play):
        for doing in (first, second):
            racer = _Racer(doing, play)
            racer.start()
            _join(racer)
            play.ends.append(racer.end)
    return play


def _play(first: Doing, second: Doing, held_at: int) -> Play | None:
    """None: the first has no such point."""
    play = Play()
    with _errors_into(play):
        held, other = _Racer(first, play, held_at=held_at), _Racer(second, play)
        held.start()
        _wait_for(lambda: held.is_held.is_set() or not held.is_alive())
        if not held.is_held.is_set():
            return None
        other.start()
        _wait_for(lambda: not other.is_alive() or _somebody_waits())
        held.may_go.set()
        _join(held)
        _join(other)
    play.ends = [held.end, other.end]
    return play


def _join(racer: _Racer) -> None:
    racer.join(AT_MOST)
    assert not racer.is_alive(), "it never came to an end"


def _wait_for(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + AT_MOST
    while not is_so():
        assert time.monotonic() < give_up_at, "neither done nor waiting for the other"
        time.sleep(0.001)


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone() is not None


class _errors_into(logging.Handler):  # noqa: N801 — it is used as a word
    def __init__(self, play: Play) -> None:
        super().__init__(logging.ERROR)
        self._play = play

    def emit(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[1] if record.exc_info else ""
        self._play.trouble.append(f"{record.getMessage()}: {raised!r}")

    def __enter__(self) -> None:
        logging.getLogger().addHandler(self)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
