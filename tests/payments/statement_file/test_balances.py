"""The balance follows from line to line, in whatever order they stand; what was put in or taken out breaks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from payments.statement_file import Statement
from tests.support.payments.spoilt_statements import FIRST, PAYMENT, read
from tests.support.statements import Head, Row, write_csv

CHANGES = st.lists(st.integers(1, 5000), min_size=3, max_size=12)
STEPS = st.lists(st.integers(0, 2), min_size=12, max_size=12)  # seconds between lines: some in one second


def rows(changes: list[int], steps: list[int]) -> list[Row]:
    at, made = PAYMENT.completed, []
    for number, (change, step) in enumerate(zip(changes, steps, strict=False)):
        at += timedelta(seconds=step)
        made.append(replace(PAYMENT, receipt=f"UKN4AB{number:04}", completed=at, paid_in=Decimal(change)))
    return made


def lines_of(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def doubted(statement: Statement) -> bool:
    return any("balance" in warning.casefold() for warning in statement.warnings)


@given(CHANGES, STEPS, st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_whole_file_is_never_doubted(changes: list[int], steps: list[int], newest_first: bool) -> None:
    written = lines_of(write_csv(rows(changes, steps)))
    head, lines = written[:7], written[7:]
    statement = read(b"".join([*head, *(reversed(lines) if newest_first else lines)]))
    assert not doubted(statement)


@given(CHANGES, st.data(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_line_taken_out_is_seen(changes: list[int], data: st.DataObject, newest_first: bool) -> None:
    written = lines_of(write_csv(rows(changes, [1] * 12), head=Head(totals=False)))
    head, lines = written[:6], written[6:]
    del lines[data.draw(st.integers(1, len(lines) - 2))]
    assert doubted(read(b"".join([*head, *(reversed(lines) if newest_first else lines)])))


def test_the_row_and_what_was_to_be_expected_are_named() -> None:
    data = write_csv(rows([100, 200, 300], [1] * 3), head=Head(totals=False)).replace(
        b"300.00,true", b"350.00,true"
    )
    assert read(data).warnings[0] == (
        f"The balance doesn't follow from the line before in 2 rows (row {FIRST}: 350.00, where 300.00 was to be "
        "expected)."
    )


def test_the_first_line_follows_from_the_opening_balance_and_the_last_is_the_closing_one() -> None:
    data = write_csv(rows([100, 200], [1, 1]))
    opened = data.replace(b"Opening Balance:,0.00", b"Opening Balance:,50.00")
    assert doubted(read(opened))
    closed = data.replace(b"Opening Balance:,0.00,Closing Balance:,300.00", b"Closing Balance:,400.00")
    assert read(closed).warnings == (
        "Closing Balance is 400.00 in the head of the file, but the balance of the last line is 300.00.",
    )


def test_lines_without_balances_are_not_doubted() -> None:
    data = write_csv(rows([100, 200], [1, 1]), head=Head(totals=False))
    assert read(data.replace(b"100.00,true", b",").replace(b"300.00,true", b",true")).warnings == ()
