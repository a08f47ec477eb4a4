"""Whatever bytes come in: a Statement or StatementUnreadable. And what was written is what is read."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from payments.statement_file import Kind, Statement, StatementUnreadable
from tests.support.payments.spoilt_statements import CHARGE, PAYMENT, read
from tests.support.places import SAMPLES
from tests.support.statements import Row, many, write_csv, write_xlsx

WORKBOOKS = [write_xlsx([PAYMENT, CHARGE]), *(p.read_bytes() for p in sorted(
    (SAMPLES / "statements").glob("*.xls")))]  # fmt: skip
TEXTS = [write_csv([PAYMENT, CHARGE], encoding=encoding) for encoding in ("utf-8-sig", "utf-16", "cp1252")]

STARTS = st.sampled_from(
    [b"", b"PK\x03\x04xl/workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe", b"\xef\xbb\xbf"]
)
EDITS = st.lists(st.tuples(st.integers(0, 12_000), st.binary(max_size=4)), min_size=1, max_size=6)


def either(data: bytes) -> None:
    try:
        statement = read(data)
    except StatementUnreadable as bad:
        told = str(bad)
    else:
        assert all(line.paid_in >= 0 and line.withdrawn >= 0 and line.receipt for line in statement.lines)
        assert all(line.completed_at for line in statement.lines if line.counts)
        told = "Nothing was stored; it was read."
    assert "Nothing was stored; " in told
    assert told.endswith(".")


def edited(data: bytes, edits: list[tuple[int, bytes]]) -> bytes:
    spoilt = bytearray(data)
    for place, new in edits:
        place %= len(spoilt)
        spoilt[place : place + len(new)] = new
    return bytes(spoilt)


@given(STARTS, st.binary(max_size=2000))
@example(b"", b"Receipt No.,Paid In,Withdrawn,Balance\n\x00")
@settings(max_examples=150, deadline=None)
def test_any_bytes(start: bytes, rest: bytes) -> None:
    either(start + rest)


@given(st.sampled_from(TEXTS), EDITS)
@settings(max_examples=400, deadline=None)
def test_any_spoilt_text(data: bytes, edits: list[tuple[int, bytes]]) -> None:
    either(edited(data, edits))


@given(st.lists(st.lists(st.text(max_size=30), max_size=16), max_size=5), st.sampled_from(",;\t"))
@settings(max_examples=200, deadline=None)
def test_any_rows_under_the_columns(rows: list[list[str]], delimiter: str) -> None:
    head = write_csv([PAYMENT], delimiter=delimiter).decode()
    body = "\n".join(delimiter.join(row) for row in rows)
    either((head + body).encode("utf-8", "replace"))


@given(st.sampled_from(WORKBOOKS), EDITS)
@settings(max_examples=40, deadline=None)
def test_any_spoilt_workbook(data: bytes, edits: list[tuple[int, bytes]]) -> None:
    either(edited(data, edits))


MONEY = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99999999.99"), places=2)
WORDS = st.text(
    st.characters(codec="cp1252", exclude_categories=("C", "Z"), exclude_characters="0123456789"), max_size=20
)
ROWS = st.lists(
    st.builds(
        lambda receipt, completed, money, comes_in, words, account: Row(
            receipt=f"U{receipt:09d}",
            completed=completed.replace(microsecond=0),
            paid_in=money if comes_in else Decimal(0),
            withdrawn=Decimal(0) if comes_in else money,
            other_party=words,
            details=words,
            account_no=account,
        ),
        st.integers(0, 10**9 - 1),
        st.datetimes(datetime(2007, 6, 1), datetime(2099, 1, 1)),  # noqa: DTZ001
        MONEY,
        st.booleans(),
        WORDS,
        st.from_regex(r"[A-Z]{2}[0-9A-Z]{6}", fullmatch=True),
    ),
    max_size=6,
    unique_by=lambda row: row.receipt,
)


def same(statement: Statement, rows: list[Row]) -> None:
    assert [
        (line.receipt, line.completed_at and line.completed_at.replace(tzinfo=None), line.paid_in, line.withdrawn,
         line.other_party, line.details, line.account_no)
        for line in statement.lines
    ] == [
        (row.receipt, row.completed, row.paid_in, row.withdrawn, row.other_party, row.details, row.account_no)
        for row in rows
    ]  # fmt: skip
    assert not [warning for warning in statement.warnings if "come to" in warning or "left out" in warning]


@given(
    ROWS, st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]), st.sampled_from(",;\t"), st.booleans(),
    st.booleans(),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_a_text_file_is_read_as_it_was_written(
    rows: list[Row], encoding: str, delimiter: str, currency: bool, thousands: bool
) -> None:
    data = write_csv(rows, encoding=encoding, delimiter=delimiter, currency=currency, thousands=thousands)
    same(read(data), rows)


@given(ROWS, st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_workbook_is_read_as_it_was_written(rows: list[Row], real_cells: bool) -> None:
    same(read(write_xlsx(rows, real_cells=real_cells)), rows)


def test_many_rows_are_all_there() -> None:
    statement = read(write_xlsx(many(5000)))
    assert len(statement.lines) == 5000
    assert {line.kind for line in statement.lines} == {Kind.PAYMENT}
    assert statement.total_paid_in == sum(line.paid_in for line in statement.lines)
