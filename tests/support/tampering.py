"""The database keeps events as they were written. A test that forges them, or empties the tables, lifts that for a
moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.db import connection, transaction

from djkraph.migrating import keep_rows, let_rows_go

KEPT = ("payments_paymentevent",)
# A right of the database's superuser: the shop's role need not have it.
LIFTED = "SET session_replication_role = replica"
GUARDED = "SET session_replication_role = origin"


@contextmanager
def tampering() -> Iterator[None]:
    """In here events can be changed and removed."""
    lift, guard = _POSTGRES if connection.vendor == "postgresql" else _SQLITE
    with transaction.atomic():  # whatever goes wrong in here takes the lifting back with it
        lift()
        yield
        guard()


def _say(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _drop_triggers() -> None:
    for table in KEPT:
        let_rows_go(_Plain(), table)


def _make_triggers() -> None:
    for table in KEPT:
        keep_rows(_Plain(), table)


class _Plain:
    """As much of a schema editor as that needs: the real one can't be had inside a transaction."""

    connection = connection

    def execute(self, sql: str, params: None = None) -> None:
        _say(sql)


_POSTGRES = partial(_say, LIFTED), partial(_say, GUARDED)
_SQLITE = _drop_triggers, _make_triggers
