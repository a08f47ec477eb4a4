"""The portal's newer export: no head; what the older one has there and in columns stands in name and Details."""

from __future__ import annotations

import io

import pytest
import xlsxwriter

from payments.statement_file import Kind, Statement
from tests.support.payments.spoilt_statements import read, refusal

NAME = "Statements for 174379 from 2026-11-25 to 2026-11-25.csv"
COLUMNS = (
    "Receipt No", "Completion Time", "Details", "Transaction Status", "Paid In (KSHs)", "Withdrawn (KSHs)",
    "Balance (KSHs)",
)  # fmt: skip
Cells = tuple[str, ...]


def line(
    details: str,
    paid_in: str = "0.00",
    withdrawn: str = "0.00",
    *,
    receipt: str = "UKP4AB12CD",
    balance: str = "",
) -> Cells:
    return receipt, "25/11/2026 12:05:20", details, "Completed", paid_in, withdrawn, balance


def export(*lines: Cells, name: str = NAME) -> Statement:
    rows = "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in (COLUMNS, *lines))
    return read(rows.encode(), name)


PAYMENTS = {
    "Pay Bill from 2547****111 - ALICE MADEUP Acc. DK34679ACD": (
        "Pay Bill", "2547****111 - ALICE MADEUP", "DK34679ACD"),
    "Pay Bill Online from 07****222 - Bob Sample Acc. bob shop": (
        "Pay Bill Online", "07****222 - Bob Sample", "bob shop"),
    "Small Business Pay Bill from 2547****333 - CAROL FICTION Acc. Order DK 3467": (
        "Small Business Pay Bill", "2547****333 - CAROL FICTION", "Order DK 3467"),
    "Merchant Pay Utility Received from 1234567 - FAKE AUTO TECH Acc. dave": (
        "Merchant Pay Utility Received", "1234567 - FAKE AUTO TECH", "dave"),
    "Business Pay Bill via API by 999001 - TEST BANK TO PAYBILL Acc. erin": (
        "Business Pay Bill via API", "999001 - TEST BANK TO PAYBILL", "erin"),
    r"FSI to Pay Bill by 999002 - MOCK BANK LTD - BANK TO TILL Acc. Frank via WEB by MOCK BANK LTD\B2BUser1": (
        "FSI to Pay Bill", "999002 - MOCK BANK LTD - BANK TO TILL", "Frank"),
    "Pay Bill from 2547****777 - GRACE NOACC Acc.": ("Pay Bill", "2547****777 - GRACE NOACC", ""),
    "Pay Bill from 2547****777 - REVERSAL CHARGES LTD Acc. charge reversal": (
        "Pay Bill", "2547****777 - REVERSAL CHARGES LTD", "charge reversal"),
}  # fmt: skip


@pytest.mark.parametrize(("details", "parts"), PAYMENTS.items())
def test_payments_by_persons_and_businesses(details: str, parts: Cells) -> None:
    read_line = export(line(details, "1,500.00")).lines[0]
    assert read_line.kind is Kind.PAYMENT
    assert (read_line.reason_type, read_line.other_party, read_line.account_no) == parts


def test_a_fee_stands_under_its_payments_receipt() -> None:
    payment = line("Pay Bill from 2547****111 - ALICE Acc. DK34679ACD", "1,500.00", balance="1,500.00")
    statement = export(line("Pay Bill Charge", withdrawn="-7.50", balance="1,492.50"), payment)
    assert [each.kind for each in statement.lines] == [Kind.CHARGE, Kind.PAYMENT]
    assert statement.warnings == ()


def test_both_halves_of_a_sweep_are_sweeps_and_break_no_balance() -> None:
    details = "Utility Account to Organization Settlement Account"
    statement = export(
        line(
            "Agency Withdrawal of funds to Bank", withdrawn="-1,500.00", receipt="UKP4WD0001", balance="0.00"
        ),
        line(details, "1,500.00", receipt="UKP4SW0001", balance="1,500.00"),
        line(details, withdrawn="-1,500.00", receipt="UKP4SW0001", balance="0.00"),
        line("Pay Bill from 2547****111 - ALICE Acc. DK34679ACD", "1,500.00", balance="1,500.00"),
    )
    assert [each.kind for each in statement.lines] == [Kind.SWEEP, Kind.SWEEP, Kind.SWEEP, Kind.PAYMENT]
    assert statement.warnings == ()


def test_two_halves_of_a_movement_nobody_named_are_a_sweep_and_a_customers_money_never_is() -> None:
    moved = export(line("Float moved", "20.00"), line("Float moved", withdrawn="-20.00"))
    assert [each.kind for each in moved.lines] == [Kind.SWEEP, Kind.SWEEP]
    paid = export(
        line("Pay Bill from 2547****111 - ALICE Acc. DK34679ACD", "20.00"),
        line("Sent on", withdrawn="-20.00"),
    )
    assert [each.kind for each in paid.lines] == [Kind.PAYMENT, Kind.OTHER]


def test_a_reversal_names_what_it_reverses() -> None:
    details = "Pay Bill Reversal of UKP4AB12CE from 2547****111 - ALICE Acc. DK34679ACD"
    reversal = export(line(details, withdrawn="-20.00")).lines[0]
    assert (reversal.kind, reversal.linked_receipt, reversal.reason_type) == (
        Kind.REVERSAL, "UKP4AB12CE", "Pay Bill Reversal",
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        NAME,
        NAME.replace(".csv", " (1).CSV"),
        NAME.replace(" ", "_"),
        NAME.replace("2026-11-25", "25-11-2026"),
    ],
)
def test_the_name_as_browsers_and_folders_change_it(name: str) -> None:
    statement = export(line("Pay Bill from 2547****111 - ALICE Acc. X", "20.00"), name=name)
    assert statement.short_code == "174379"
    assert str(statement.period_to) == "2026-11-25 23:59:59+03:00"


def test_under_another_name_it_is_read_and_says_no_short_code() -> None:
    statement = export(line("Pay Bill from 2547****111 - ALICE Acc. X", "20.00"), name="november.csv")
    assert (statement.short_code, statement.period_from, len(statement.lines)) == ("", None, 1)


def test_a_workbook_of_it() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("Statements")
        for number, row in enumerate((COLUMNS, line("Pay Bill from 2547****111 - ALICE Acc. X", "1,500.00"))):
            sheet.write_row(number, 0, row)
    assert read(file.getvalue(), NAME.replace("csv", "xlsx")).lines[0].account_no == "X"


def test_another_currency_is_refused() -> None:
    data = ",".join(COLUMNS).replace("Paid In (KSHs)", "Paid In (USD)").encode()
    assert refusal(data, NAME).reason == "the column “Paid In” is in USD; only KES can be matched."


def test_a_full_phone_number_in_details_is_kept_nowhere() -> None:
    statement = export(line("Pay Bill from 254708374149 - ALICE Acc. 0708374149", "20.00"))
    assert "708374149" not in repr(statement)


def test_an_account_number_too_long_to_be_one_is_left_in_details() -> None:
    read_line = export(line(f"Pay Bill from 2547****111 - ALICE Acc. {'x' * 80}", "20.00")).lines[0]
    assert (read_line.account_no, "x" * 80 in read_line.details) == ("", True)
