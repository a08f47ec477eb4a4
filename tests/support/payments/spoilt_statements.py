"""A statement made, spoilt and read, in one line each."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from payments.phones import blank_phones
from payments.statement_file import Statement, StatementUnreadable, read_statement
from tests.support.statements import Row, write_csv

SIX = datetime(2026, 11, 23, 18, 0, 12)  # noqa: DTZ001 - the file has no zone
PAYMENT = Row(receipt="UKN4AB12CD", completed=SIX, paid_in=Decimal(450), account_no="DKA7C3E9FG")
CHARGE = Row(receipt="UKN4AB12CD", completed=SIX, withdrawn=Decimal("2.25"), reason_type="Pay Utility Charge")
FIRST = 8  # the row of the first line: six of the head, one of the columns


def read(data: bytes, filename: str = "statement.csv") -> Statement:
    return read_statement(data, filename=filename, scrub=blank_phones)


def read_with(old: str, new: str, rows: tuple[Row, ...] = (PAYMENT,)) -> Statement:
    """A CSV with one text exchanged, everywhere it stands."""
    text = write_csv(rows).decode()
    assert old in text
    return read(text.replace(old, new).encode())


def refusal(data: bytes, filename: str = "statement.csv") -> StatementUnreadable:
    with pytest.raises(StatementUnreadable) as refused:
        read(data, filename)
    return refused.value


def refusal_with(old: str, new: str, rows: tuple[Row, ...] = (PAYMENT,)) -> StatementUnreadable:
    with pytest.raises(StatementUnreadable) as refused:
        read_with(old, new, rows)
    return refused.value
