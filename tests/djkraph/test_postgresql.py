"""A connection that is looked at before it is handed out is as it was: no transaction is left open on it. Where the
database is away, one waits for it, and where it is only busy, nobody is told that it is away."""

from collections.abc import Iterator
from itertools import count
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import ConnectionHandler, OperationalError, connection
from psycopg.pq import TransactionStatus

from djkraph import sql
from orders.models import Order
from payments.models import MpesaTransaction
from tests.support.races.machines import free_port

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own"),
]


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_look_leaves_no_transaction_open(autocommit: bool) -> None:
    """A connection that was let go in the middle of a transaction lies in the pool with autocommit off."""
    from djkraph.postgresql.base import is_alive

    connection.ensure_connection()
    ours = connection.connection
    ours.autocommit = autocommit
    ours.looked_at = 0
    assert is_alive(ours)
    assert ours.info.transaction_status == TransactionStatus.IDLE
    assert ours.autocommit is autocommit
    ours.autocommit = True


WAITS = 1.0  # seconds, of the pools here
NUMBERS = count()


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    """Connections of their own, to a database that is named; their pools wait a second."""
    made: list[Any] = []

    def to(**where: Any) -> Any:
        pool = {"min_size": 1, "max_size": 1, "timeout": WAITS, "reconnect_timeout": 0.5}
        settings = connection.settings_dict
        settings = {**settings, "OPTIONS": {**settings["OPTIONS"], **where, "pool": pool}}
        found = ConnectionHandler({"default": settings})["default"]
        found.alias = f"elsewhere-{next(NUMBERS)}"  # pools are kept by it
        made.append(found)
        return found

    yield to
    for each in made:
        each.close()
        each.close_pool()


def waited(ask: Any) -> float:
    began = monotonic()
    with pytest.raises(OperationalError):
        ask()
    return monotonic() - began


def test_while_the_database_is_away_one_waits_and_the_next_do_not(
    elsewhere: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from djkraph.postgresql import base

    monkeypatch.setattr(base, "AWAY_FOR", 0.5)
    away = elsewhere(host="127.0.0.1", port=free_port())
    assert waited(away.ensure_connection) >= WAITS
    assert [waited(away.ensure_connection) < WAITS / 2 for _ in range(3)] == [True] * 3
    sleep(0.5)
    assert waited(away.ensure_connection) >= WAITS  # after a moment somebody looks again


def test_a_database_whose_connections_are_all_in_use_is_not_away(elsewhere: Any) -> None:
    busy = elsewhere()
    busy.ensure_connection()
    other = busy.copy(alias=busy.alias)
    assert waited(other.ensure_connection) >= WAITS
    assert waited(other.ensure_connection) >= WAITS  # the second waits for its turn as the first did
    busy.close()
    other.ensure_connection()
    other.close()


def test_only_what_says_so_is_prepared() -> None:
    """A plan for any values passes by the indexes that hold only some rows."""
    MpesaTransaction.objects.filter(state="pending").first()
    for _ in range(10):
        MpesaTransaction.objects.filter(state="pending").first()
        sql.select_id(Order, {"code": "DKNOBODYS"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        prepared = [statement for (statement,) in cursor.fetchall()]
    assert [each for each in prepared if '"code" = $1' in each]
    assert not [each for each in prepared if "payments_mpesatransaction" in each]


def test_no_text_column_has_a_second_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE indexname LIKE '%\\_like' AND tablename ~ '^(orders|payments)_'"
        )
        assert cursor.fetchall() == []


@pytest.mark.parametrize(
    ("lookup", "index"), [("code", "order_code_begins"), ("client_reference", "order_reference_begins")]
)
def test_how_a_text_begins_is_found_by_an_index(lookup: str, index: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
    plan = Order.objects.filter(**{f"{lookup}__startswith": "DKAB"}).order_by().explain()
    with connection.cursor() as cursor:
        cursor.execute("RESET enable_seqscan")
    assert index in plan
