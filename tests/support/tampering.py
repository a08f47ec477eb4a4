"""The database keeps events as they were written. A test that forges them, or empties the tables, lifts that for a
moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

KEPT = ("payments_paymentevent", "payments_posting", "payments_receipt", "payments_seal")
# A right of the database's superuser: the shop's role need not have it.
LIFTED = "SET session_replication_role = replica"
GUARDED = "SET session_replication_role = origin"


@contextmanager
def tampering() -> Iterator[None]:
    """In here events can be changed and removed."""
    lifted = _as_replica if connection.vendor == "postgresql" else _without_triggers
    with transaction.atomic(), lifted():  # whatever goes wrong in here takes the lifting back with it
        yield


def _say(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _triggers() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        return list(cursor.fetchall())


@contextmanager
def _without_triggers() -> Iterator[None]:
    """SQLite can't put them to sleep: they are dropped, and made again as they were."""
    lifted = _triggers()
    for name, _ in lifted:
        _say(f'DROP TRIGGER "{name}"')
    yield
    for _, sql in lifted:
        _say(sql)


@contextmanager
def _as_replica() -> Iterator[None]:
    _say(LIFTED)
    yield
    _say(GUARDED)
