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
# lines that are nobody's and in no posting
LINES = """SELECT line.receipt, line.kind FROM payments_statementline line WHERE NOT EXISTS (
    SELECT 1 FROM payments_posting posting JOIN payments_receipt receipt ON receipt.id = posting.receipt_id
    WHERE receipt.id = line.booked_as_id OR receipt.attempt_id = line.attempt_id) ORDER BY line.id"""
BOOK = """SELECT debit, credit, amount_cents FROM payments_posting WHERE attempt_id IS NULL ORDER BY id"""
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


def manage(url: str, *command: str, ends_with: int = 0) -> str:
    """What a command of this version says; it must end with this code."""
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
    assert done.returncode == ends_with, done.stdout + done.stderr
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


def test_the_worker_books_each_line_of_a_statement_of_the_version_before(shop_before: Shop) -> None:
    url, read = shop_before
    manage(url, "migrate", "--no-input")
    assert read(LINES) == [("UKN4AA0042", "payment"), ("UKNSWEEP01", "sweep"), ("UKN4AA0001", "charge")]
    before = [read(query) for query in (ATTEMPTS, EVENTS, ORDERS)]
    of_nobody_else = ("--older-than", str(10**9))  # no payment is so old: Safaricom is asked about none
    for _ in range(2):
        manage(url, "reconcile_payments", *of_nobody_else, ends_with=1)
        assert read(LINES) == []
        assert read(BOOK) == [
            ("mpesa:174379", "unclaimed", 77_700),
            ("bank", "mpesa:174379", 100_000),
            ("charges", "mpesa:174379", 225),
        ]
    assert read("SELECT count(*) FROM payments_statement WHERE matched_at IS NULL") == [(0,)]
    assert [read(query) for query in (ATTEMPTS, EVENTS, ORDERS)] == before
    assert "all is as their events say" in manage(url, "verify_ledger")
