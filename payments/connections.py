"""The rule "no network inside a transaction", as code. Nothing else here."""

from django.db import connection


class CalledInsideTransaction(RuntimeError):
    """A network call was about to be made with a transaction open: a lock would be held for its length."""


def let_go_of_database() -> None:
    """Gives this thread's connection back before a network call; refuses while a transaction is open."""
    blocks = connection.atomic_blocks
    if not blocks:
        connection.close()
    elif not getattr(
        blocks[-1], "_from_testcase", False
    ):  # as Django's own durable=True does for its TestCase
        raise CalledInsideTransaction("Commit before you call.")
