"""How the whole shop stands, so that two stories with the same end can be told to be the same: no ids, no hashes, no
times. And the same shop again for another story of the same test."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection

from orders.models import Order
from payments.ledger.seals import entries_of
from payments.models import (
    HandSettlement,
    MpesaTransaction,
    PaymentEvent,
    Posting,
    Receipt,
    Refund,
    Seal,
    Statement,
    StatementLine,
)
from tests.support.payments.book import balances
from tests.support.tampering import tampering

Rows = list[tuple[Any, ...]]


def stands() -> dict[str, Any]:
    """Orders by the order in which they were placed, payments as they were asked, the rest sorted."""
    names = {code: f"order {n}" for n, code in enumerate(_column(Order, "code"), start=1)}

    def said(values: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(_without_code(value, names) for value in values)

    orders = Order.objects.order_by("id")
    attempts = MpesaTransaction.objects.order_by("id")
    return {
        "balances": {said([account])[0]: kes for account, kes in balances().items()},
        "orders": list(orders.values_list("state", "received_cents", "returned_cents", "waived_cents")),
        "attempts": list(
            attempts.values_list(
                "state",
                "receipt",
                "pays_order",
                "refund_due",
                "unclaimed",
                "due_cents",
                "refunded_kes",
                "by_hand",
            )
        ),
        "events": [list(_column(PaymentEvent, "kind", attempt=attempt)) for attempt in attempts],
        "postings": _sorted(
            said(row) for row in Posting.objects.values_list("code", "debit", "credit", "amount_cents")
        ),
        "receipts": _sorted(
            (row.code, row.kind, row.amount_cents, row.unclaimed_cents, row.due_cents, row.voided_at is not None,
             row.attempt_id is not None, row.reverses.code if row.reverses else None)
            for row in Receipt.objects.select_related("reverses")
        ),
        "refunds": _sorted(Refund.objects.values_list("reference", "state", "amount_cents")),
        "decisions": _sorted(HandSettlement.objects.values_list("what", "decision", "amount_kes", "receipt")),
        "lines": _sorted(
            (row.receipt, row.kind, row.match, row.attempt_id is not None, row.booked_as_id is not None,
             row.voided_at is not None)
            for row in StatementLine.objects.all()
        ),
        "statements": _sorted(
            (row.lines_in_file, row.lines_known, row.matched_at is not None, row.voided_at is not None)
            for row in Statement.objects.all()
        ),
        "sealed": _sorted(
            (entry.table.word, entry.in_part) for seal in Seal.objects.all() for entry in entries_of(seal.covers)
        ),
    }  # fmt: skip


VOIDS = ("void_line", "void_file")
WHAT_COUNTS = ("balances", "orders", "attempts", "refunds", "decisions", "statements")


def what_counts() -> dict[str, Any]:
    """Of what stands: not which way it came there. A receipt that was voided is as if it had never been, and a line
    that is a payment's may have been in the book before. What rested on a line when it was voided, the book tells."""
    found = stands()
    valid = [row for row in found["receipts"] if not row[5]]
    lines = [(*row[:4], row[5]) for row in found["lines"]]
    told = [(what, decision, *rest) for what, decision, *rest in found["decisions"] if what not in VOIDS]
    voids = {(what, decision) for what, decision, *_ in found["decisions"] if what in VOIDS}
    decided = {"decisions": [*told, *sorted(voids)]}
    return {name: found[name] for name in WHAT_COUNTS} | decided | {"receipts": valid, "lines": lines}


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [f"{name}: {one[name]} is not {other[name]}" for name in one if one[name] != other[name]]


class Kept:
    """All rows of the shop as they are at this moment, to be put back as often as a test needs them; with their ids, so
    that whoever holds one goes on holding it."""

    def __init__(self) -> None:
        self._full = [table for table in _tables() if _is_full(table)]
        with connection.cursor() as cursor:
            for table in _tables():
                cursor.execute(f"DROP TABLE IF EXISTS kept_{table}")
            for table in self._full:
                cursor.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")

    def put_back(self) -> None:
        with tampering(), connection.cursor() as cursor:
            for table in _tables():
                cursor.execute(f"DELETE FROM {table}")
            for table in self._full:
                cursor.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")

    def forget(self) -> None:
        with connection.cursor() as cursor:
            for table in self._full:
                cursor.execute(f"DROP TABLE kept_{table}")


@cache
def _tables() -> list[str]:
    return [
        model._meta.db_table
        for app in ("orders", "payments")
        for model in apps.get_app_config(app).get_models()
    ]


def _is_full(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")
        return cursor.fetchone() is not None


def _column(model: Any, name: str, **where: Any) -> list[str]:
    return list(model._default_manager.filter(**where).order_by("id").values_list(name, flat=True))


def _without_code(value: Any, names: dict[str, str]) -> Any:
    """`order:DK34679ACD` as `order:order 1`."""
    kind, found, code = str(value).partition(":")
    return f"{kind}:{names.get(code, code)}" if found else value


def _sorted(rows: Iterable[tuple[Any, ...]]) -> Rows:
    return sorted(map(tuple, rows), key=str)
