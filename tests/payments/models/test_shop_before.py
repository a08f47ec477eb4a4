"""The database of a shop that ran an earlier version is opened by this one: nothing is lost, the ledger is whole."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[3]
SHOPS = ROOT / "tests" / "samples" / "shops"
# what a payment is: columns that every version since has had under these names
ATTEMPTS = """SELECT public_id, state, amount_kes, phone_masked, phone_hash, receipt, pays_order, refund_due,
    received_kes, refunded_kes, refund_reference, settled_at, looked_at, events_count, chain_head
  FROM payments_mpesatransaction ORDER BY id"""
EVENTS = """SELECT attempt_id, number, kind, source, from_state, to_state, hash, key_id
  FROM payments_paymentevent ORDER BY id"""
ORDERS = "SELECT code, state, total_kes, paid_at FROM orders_order ORDER BY id"

Read = Callable[[str], Sequence[Any]]
Shop = tuple[str, Read]  # DATABASE_URL, and how to ask it something


@pytest.fixture
def shop_before(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A copy of the stored shop, in a database of its own of the engine under test."""
    if connection.vendor == "sqlite":
        file = tmp_path / "shop.sqlite3"
        with closing(sqlite3.connect(file)) as database:
            database.executescript((SHOPS / "0006.sqlite.sql").read_text())

        def read(query: str) -> Sequence[Any]:
            with closing(sqlite3.connect(file)) as database:
                return database.execute(query).fetchall()

        yield f"sqlite:///{file}", read
        return
    request.getfixturevalue("transactional_db")
    connection.ensure_connection()
    info = connection.connection.info
    where = {"host": info.host, "port": info.port, "user": info.user}
    with psycopg.connect(**where, dbname="postgres", autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS shop_before")
        server.execute("CREATE DATABASE shop_before")

    def ask(query: str) -> Sequence[Any]:
        with psycopg.connect(**where, dbname="shop_before") as database:
            return database.execute(query).fetchall()  # type: ignore[arg-type]

    with psycopg.connect(**where, dbname="shop_before") as database:
        database.execute((SHOPS / "0006.postgres.sql").read_text())  # type: ignore[arg-type]
    yield f"postgres://{info.user}@/shop_before?host={quote(info.host, safe='')}&port={info.port}", ask
    with psycopg.connect(**where, dbname="postgres", autocommit=True) as server:
        server.execute("DROP DATABASE shop_before WITH (FORCE)")


def manage(url: str, *command: str) -> str:
    """What a command of this version says; it must end well."""
    env = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "djkraph.settings",
        "SECRET_KEY": "tests-only",
        "LEDGER_KEY": "tests-only-ledger-key",
        "DEBUG": "True",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_shop_of_the_version_before_goes_on(shop_before: Shop) -> None:
    url, read = shop_before
    before = [read(query) for query in (ATTEMPTS, EVENTS, ORDERS)]
    assert {row[1] for row in before[0]} == {
        "created",
        "pending",
        "unknown",
        "completed",
        "failed",
        "expired",
    }
    manage(url, "migrate", "--no-input")
    assert [read(query) for query in (ATTEMPTS, EVENTS, ORDERS)] == before
    told = manage(url, "verify_ledger")
    assert told.startswith(f"{len(before[0])} payments checked: all is as their events say.\n")
    assert "Nothing is sealed yet" in told
    assert "Seal 1 of " in manage(url, "seal_ledger")
    assert "1 seals checked: every row stands as it was sealed." in manage(url, "verify_ledger")
