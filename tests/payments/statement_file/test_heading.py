"""The rows above the lines: found by what they say, weighed against the lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from tests.support.payments.spoilt_statements import CHARGE, PAYMENT, read, read_with, refusal, refusal_with
from tests.support.statements import Head, write_csv


def test_the_columns_are_found_by_what_they_say_and_not_by_their_row() -> None:
    data = write_csv([PAYMENT])
    assert read(b"sep=,\r\n\r\nMy shop\r\n" + data).lines[0].row == 11
    bare = b"\r\n".join(data.splitlines()[6:])
    statement = read(bare)
    assert statement.lines[0].row == 2
    assert (statement.short_code, statement.period_from, statement.closing_balance) == ("", None, None)
    assert statement.warnings == ()


def test_a_period_with_slashes() -> None:
    data = (
        write_csv([PAYMENT])
        .replace(b"From,23-11-2026", b"From,23/11/2026")
        .replace(b"To,23-11-", b"To,23/11/")
    )
    assert read(data).period_to == read(write_csv([PAYMENT])).period_to


def test_a_count_that_the_lines_dont_come_to_is_a_warning() -> None:
    data = write_csv([PAYMENT, CHARGE]).replace(
        b"Short Code:,600000", b"Short Code:,600000,Total Transactions:,3"
    )
    assert read(data).warnings == ("The head of the file counts 3 lines, but there are 2.",)
    assert read(data.replace(b"Transactions:,3", b"Transactions:,2")).warnings == ()


def test_labels_and_values_in_one_cell() -> None:
    data = write_csv([PAYMENT], head=Head(totals=False)).decode()
    data = data.replace("Short Code:,600000", "Short Code: 600000").replace(
        "Time Period:,From,23-11-2026 00:00:00,To,23-11-2026 23:59:59",
        "Time Period: From 23-11-2026 To 24-11-2026",
    )
    statement = read(data.encode())
    assert statement.short_code == "600000"
    assert statement.period_from
    assert statement.period_from.isoformat() == "2026-11-23T00:00:00+03:00"
    assert statement.period_to
    assert statement.period_to.isoformat() == "2026-11-24T23:59:59+03:00"


def test_an_empty_value_is_not_the_next_label() -> None:
    statement = read_with("Opening Balance:,0.00,", "Opening Balance:,,")
    assert (statement.opening_balance, statement.closing_balance) == (None, Decimal("450.00"))


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        ("Total Paid In:,450.00", "Total Paid In:,900.00",
         "Total Paid In is 900.00 in the head of the file, but its completed lines come to 450.00."),
        ("Total Withdrawn:,-2.25", "Total Withdrawn:,-3.25",
         "Total Withdrawn is 3.25 in the head of the file, but its completed lines come to 2.25."),
        ("Closing Balance:,447.75", "Closing Balance:,447.00",
         "Closing Balance is 447.00 in the head of the file, but its completed lines come to 447.75."),
        ("Opening Balance:,0.00", "Opening Balance:,nil", "Opening Balance in the head of the file can't be read."),
        ("From,23-11-2026 00:00:00", "From,the start", "Time Period in the head of the file can't be read."),
    ],
)  # fmt: skip
def test_a_head_that_disagrees_with_the_lines_is_a_warning(old: str, new: str, warning: str) -> None:
    statement = read_with(old, new, (PAYMENT, CHARGE))
    assert warning in statement.warnings
    assert len(statement.lines) == 2


def test_lines_outside_the_time_period_are_a_warning() -> None:
    swapped = replace(PAYMENT, receipt="UKN4AB12CE", completed=datetime(2026, 11, 12, 18, 0))  # noqa: DTZ001
    assert read(write_csv([PAYMENT, swapped])).warnings == (
        "1 completed line(s) lie outside the statement's time period (the first is row 9).",
    )


def test_a_statement_without_lines_says_so() -> None:
    assert read(write_csv([])).warnings == ("The statement holds no lines.",)


def test_a_totals_of_withdrawn_without_a_minus_is_the_same() -> None:
    statement = read_with("Total Withdrawn:,-2.25", "Total Withdrawn:,2.25", (PAYMENT, CHARGE))
    assert (statement.total_withdrawn, statement.warnings) == (Decimal("2.25"), ())


def test_a_missing_column_is_named() -> None:
    refused = refusal_with("A/C No.,", "Account Reference,")
    assert (refused.row, refused.reason) == (7, "there is no column “A/C No.”.")


def test_a_column_named_twice_is_refused() -> None:
    refused = refusal_with("Balance Confirmed", "Paid In")
    assert (refused.row, refused.reason) == (7, "there are two columns “Paid In”.")


def test_a_customers_own_statement_is_recognised() -> None:
    data = (
        b"Receipt No.,Completion Time,Details,Transaction Status,Paid In,Withdrawn,Balance\r\n"
        b"UKN4AB12CD,2026-11-23 18:00:12,Pay Bill to 600000,Completed,,-450.00,10.00\r\n"
    )
    refused = refusal(data)
    assert "looks like a customer's own M-PESA statement" in refused.reason
    assert "exported from the organisation portal" in str(refused)


@pytest.mark.parametrize("filename", ["Mpesa_600000_20261123235959.csv", "renamed.csv"])
def test_the_file_that_mpesa_delivers_by_itself_is_recognised(filename: str) -> None:
    data = b"RECEIPT_NUMBER,STORE_NAME,DEBIT_AMOUNT,TRANSACTION_PARTY_DETAILS\r\nUKN4AB12CD,SHOP,450,X\r\n"
    assert "the file that M-PESA delivers by itself" in refusal(data, filename).reason


def test_a_file_without_the_columns_says_which_were_looked_for() -> None:
    refused = refusal(b"name,price\r\nmix,300\r\n")
    for column in ("Receipt No.", "Completion Time", "Transaction Status", "Paid In", "Withdrawn", "A/C No."):
        assert f"“{column}”" in refused.reason
    assert "Account Statement › Export" in str(refused)
