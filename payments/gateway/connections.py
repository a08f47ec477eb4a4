"""The rule "no network inside a transaction", as code, and its like for what must be permanent at once."""

from typing import Any

from django.db import connection


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


def _only_a_tests(blocks: list[Any]) -> bool:
    """Whether no transaction of the shop's own is open: Django's TestCase wraps each test in one."""
    return not blocks or getattr(blocks[-1], "_from_testcase", False)
