"""The rule "no network inside a transaction", as code, and its like for what must be permanent at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

HURRIED_MILLISECONDS = 3000


class CalledInsideTransaction(RuntimeError):
    """Something was about to be done with a transaction open that may only be done without one."""


def release_connection() -> None:
    """Gives this thread's connection back before a network call; refuses while a transaction is open (a lock would
    be held for the call's length)."""
    blocks = connection.atomic_blocks
    if not blocks:
        connection.close()
    elif not _only_a_tests(blocks):
        raise CalledInsideTransaction("Commit before you call.")


def refuse_inside_transaction() -> None:
    """For a single statement that is to be permanent when it returns: what durable=True is for a block."""
    if not _only_a_tests(connection.atomic_blocks):
        raise CalledInsideTransaction("Commit first: this write has to be permanent at once.")


@contextmanager
def hurried() -> Iterator[None]:
    """For a write that has another place to go: on SQLite it waits three seconds for another writer, and not twenty."""
    if connection.vendor != "sqlite":
        yield
        return
    before = _busy_timeout(HURRIED_MILLISECONDS)
    try:
        yield
    finally:
        if connection.connection is not None:
            _busy_timeout(before)


def _busy_timeout(milliseconds: int) -> int:
    """Sets SQLite's, and says what it was."""
    with connection.cursor() as cursor:
        (before,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds:d}")
    return int(before)


def _only_a_tests(blocks: list[Any]) -> bool:
    """Whether no transaction of the shop's own is open: Django's TestCase wraps each test in one."""
    return not blocks or getattr(blocks[-1], "_from_testcase", False)
