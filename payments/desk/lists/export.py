"""Payments as a table in words, for a spreadsheet. The phone stays masked; no id that ends in one is in it."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from payments.desk.lists.table import BOM, Cell, lines
from payments.desk.outcomes import outcome
from payments.desk.words import channel, sortable_moment
from payments.facts import is_paid, reasons_of, received_kes
from payments.models import MpesaTransaction
from payments.states import State

Row = Any  # a named tuple of FIELDS

CHUNK = 2000  # payments in memory at once

HEADER = (
    "Time (Nairobi)", "Order", "Page's reference", "State", "Amount (KES)", "Received (KES)", "Sent back (KES)",
    "Receipt", "Phone", "Channel", "Result", "Needs a person", "Came late", "By hand",
)  # fmt: skip

FIELDS = (
    "id", "created_at", "account_reference", "order__client_reference", "state", "amount_kes", "received_kes",
    "refunded_kes", "receipt", "phone_masked", "channel", "result_code", "came_late", "by_hand", "given_up_at",
    # what the reasons ask for
    "refund_due", "unclaimed", "due_cents", "refunded_at", "amount_differs", "pays_order", "reviewed_at", "unpriced",
)  # fmt: skip


def chunks(payments: QuerySet[MpesaTransaction], *, size: int = CHUNK) -> Iterator[Sequence[Row]]:
    """All of them, newest first. Each chunk is a query of its own from where the last one ended: nothing is held open
    while a slow line takes the file, and no row comes twice."""
    rows = payments.order_by("-id").values_list(*FIELDS, named=True)
    chunk = list(rows[:size])
    while chunk:
        yield chunk
        chunk = list(rows.filter(id__lt=chunk[-1].id)[:size])


def head() -> str:
    """What the file begins with."""
    return BOM + "".join(lines([HEADER]))


def body(chunk: Sequence[Row]) -> str:
    return "".join(lines(map(cells, chunk)))


def cells(row: Row) -> list[Cell]:
    return [
        sortable_moment(row.created_at),
        row.account_reference,
        row.order__client_reference,
        State(row.state).label,
        row.amount_kes,
        received_kes(row) if is_paid(row) else 0,
        row.refunded_kes or 0,
        row.receipt,
        row.phone_masked,
        channel(row.channel),
        outcome(row.state, row.result_code),
        ", ".join(reason.label for reason in reasons_of(row)),
        _yes(row.came_late),
        _yes(row.by_hand),
    ]


def _yes(so: bool) -> str:
    return "yes" if so else ""
