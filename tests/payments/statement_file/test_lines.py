"""What a row says, what makes it nonsense, and the sentence a person gets then."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from payments.statement_file import Kind
from tests.support.payments.spoilt_statements import (
    CHARGE,
    FIRST,
    PAYMENT,
    read,
    read_with,
    refusal,
    refusal_with,
)
from tests.support.statements import COLUMNS, write_csv

KINDS = {
    "Pay Utility": Kind.PAYMENT,
    "Pay Bill Online": Kind.PAYMENT,
    "Pay Utility with OD via STK": Kind.PAYMENT,
    "Pay Utility with OD Online": Kind.PAYMENT,
    "Standing Order Pay Bill": Kind.PAYMENT,
    "Pay Merchant": Kind.PAYMENT,
    "Something M-PESA invented yesterday": Kind.PAYMENT,
    "": Kind.PAYMENT,
    "Reversal": Kind.REVERSAL,
    "Pay Utility Reversal": Kind.REVERSAL,
    "Reversal of Pay merchant Charge": Kind.REVERSAL,
    "Pay merchant Charge": Kind.CHARGE,
    "Reversal Charge": Kind.CHARGE,
    "Merchant Account to Organization Settlement Account": Kind.SWEEP,
    "Organization Settlement Account to Utility Account": Kind.SWEEP,
    "Discharged Goods Payment": Kind.PAYMENT,
    "Organization Settlement Account to Organization MMF Account": Kind.SWEEP,
    "Utility Account to Working Account": Kind.SWEEP,
    "Bank transfer to paybill": Kind.PAYMENT,
}


@pytest.mark.parametrize(("reason_type", "kind"), KINDS.items())
def test_the_reason_type_names_the_kind_and_unknown_money_in_is_a_payment(
    reason_type: str, kind: Kind
) -> None:
    statement = read(write_csv([replace(PAYMENT, reason_type=reason_type)]))
    assert [line.kind for line in statement.lines] == [kind]


def test_unknown_money_out_is_no_payment() -> None:
    row = replace(PAYMENT, paid_in=Decimal(0), withdrawn=Decimal(450), reason_type="Pay Utility")
    assert read(write_csv([row])).lines[0].kind is Kind.OTHER


OUT = {
    "Agency Withdrawal of funds to Bank": Kind.SWEEP,
    "Business Payment to Customer": Kind.OTHER,
    "Pay Bill Charge": Kind.CHARGE,
    "Pay Utility Reversal": Kind.REVERSAL,
}


@pytest.mark.parametrize(("reason_type", "kind"), OUT.items())
def test_money_out_is_what_its_reason_type_or_else_its_details_name(reason_type: str, kind: Kind) -> None:
    row = replace(PAYMENT, paid_in=Decimal(0), withdrawn=Decimal(450), reason_type=reason_type)
    assert read(write_csv([row])).lines[0].kind is kind
    row = replace(
        row, reason_type="Pay Utility", details=f"{reason_type} of UKN4AB12CE by 254708****149 - X Acc. Y"
    )
    assert read(write_csv([row])).lines[0].kind is kind


def test_a_fee_under_the_payments_own_receipt_and_reason_type() -> None:
    fee = replace(CHARGE, reason_type="Pay Utility", other_party="SP", details="Pay Bill Charge")
    for each in (fee, replace(fee, details="")):
        assert [line.kind for line in read(write_csv([PAYMENT, each])).lines] == [Kind.PAYMENT, Kind.CHARGE]


def test_a_reversal_names_in_its_details_what_it_reverses() -> None:
    row = replace(
        PAYMENT, receipt="UKN4AB12CE", paid_in=Decimal(0), withdrawn=Decimal(450),
        reason_type="Pay Utility Reversal", details="Pay Utility Reversal of UKN4AB12CD",
    )  # fmt: skip
    assert read(write_csv([PAYMENT, row])).lines[1].linked_receipt == "UKN4AB12CD"


def test_one_payment_told_under_two_reason_types_is_one_line() -> None:
    statement = read(write_csv([PAYMENT, replace(PAYMENT, reason_type="Pay Bill")]))
    assert [line.row for line in statement.lines] == [FIRST]
    assert "Row 9 repeating an earlier row: taken once." in statement.warnings


def test_a_row_of_totals_is_no_line_and_is_held_against_the_lines() -> None:
    data = write_csv([PAYMENT, CHARGE])
    assert read(data + b"Total,,,,,450.00,-2.25,,,,,,,\r\n").warnings == ()
    statement = read(data + b",,,Grand Total:,,950.00,-2.25,447.75,,,,,,\r\n")
    assert len(statement.lines) == 2
    assert statement.warnings == (
        "Paid In is 950.00 in the file's own row of totals, but its completed lines come to 450.00.",
    )


def test_withdrawn_in_brackets_is_withdrawn() -> None:
    assert read_with(",-2.25,", ",(2.25),", (PAYMENT, CHARGE)).lines[1].withdrawn == Decimal("2.25")


@pytest.mark.parametrize("word", ["KSH", "Kshs", "Kenyan Shilling", "kes"])
def test_the_shillings_many_names(word: str) -> None:
    assert read_with("DKA7C3E9FG,KES", f"DKA7C3E9FG,{word}").lines[0].currency == "KES"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("450", "450"),
        ("450.5", "450.5"),
        ('"12,450.75"', "12450.75"),
        ("30.0", "30"),
        ("30.500", "30.5"),
        ("+1", "1"),
        ("KES 450", "450"),
        ('"Kshs. 12,450.75"', "12450.75"),
        ("450.50 KES", "450.5"),
        ('"1,450/="', "1450"),
    ],
)
def test_amounts_as_the_portal_and_excel_write_them(text: str, value: str) -> None:
    assert read_with("Completed,450.00,", f"Completed,{text},").lines[0].paid_in == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        '"450,00"',
        '"4,50"',
        "NaN",
        "inf",
        "-inf",
        "1e3",
        "USD 450",
        "450 bob",
        "(450",
        "(-450.00)",
        "((450.00))",
        "()",
        "450.005",
        "0x1F",
        "٤٥٠",
        "4_50",
        '"1,000,000,000,000.00"',
        '"1,000,000,000,000,000,000,000,000,000"',
    ],
)
def test_what_is_no_amount_is_refused_with_its_row(text: str) -> None:
    refused = refusal_with("Completed,450.00,", f"Completed,{text},")
    assert refused.row == FIRST
    assert str(refused).startswith(
        f"Row 8: Paid In '{text.strip(chr(34))}' is no amount. Nothing was stored; export"
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("Completed,450.00,,", "Completed,-450.00,,", "Paid In is negative (-450.00)."),
        (
            "Completed,450.00,,",
            "Completed,450.00,-2.00,",
            "it has both an amount paid in and an amount withdrawn.",
        ),
        ("Completed,450.00,,", "Completed,450.00,x,", "Withdrawn 'x' is no amount."),
        ("450.00,true", "much,true", "Balance 'much' is no amount."),
        ("UKN4AB12CD,", ",", "money moved, but the receipt number is missing."),
        ("UKN4AB12CD,", "Totally,", "'TOTALLY' is no M-PESA receipt number."),
        (
            "UKN4AB12CD,23-11-2026 18:00:12,",
            ",,",
            "money moved, but the receipt number is missing.",
        ),
        ("DKA7C3E9FG,KES", "DKA7C3E9FG,USD", "the currency is 'USD'; only KES can be matched."),
        (
            "UKN4AB12CD,23-11-2026 18:00:12,",
            "UKN4AB12CD,,",
            "the line is Completed but has no completion time.",
        ),
        (",KES", ",KES,more", "there are more cells than columns, so they may be shifted."),
        ("DKA7C3E9FG,KES", "D" * 61 + ",KES", "A/C No. is longer than 60 characters."),
        ("Pay Bill from", '"Pay Bill" from', "the quotation marks in this row don't match."),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_with_its_number(old: str, new: str, reason: str) -> None:
    refused = refusal_with(old, new)
    assert (refused.row, refused.reason) == (FIRST, reason)
    assert str(refused).startswith(f"Row 8: {reason} Nothing was stored; ")


@pytest.mark.parametrize(
    "text",
    ["31-02-2026 10:00:00", "11/23/2026 18:00:12", "5/11/2026 18:00", "05/11/2026 18:00",
     "11-23-2026 18:00:12", "23-11-2026", "23-11-1926 18:00:12",
     "23-11-2026 25:00:00", "46349.750139", "yesterday"],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_its_row(text: str) -> None:
    refused = refusal_with("UKN4AB12CD,23-11-2026 18:00:12", f"UKN4AB12CD,{text}")
    assert str(refused).startswith(
        f"Row 8: the completion time '{text}' is no date and time like 23-11-2026 18:00:12."
    )


@pytest.mark.parametrize(
    "text", ["2026-11-23 18:00:12", "23-11-2026 18:00:12", "2026-11-23T18:00:12", "23/11/2026 18:00:12"]
)
def test_times_in_either_order_that_can_be_told_apart(text: str) -> None:
    line = read_with("UKN4AB12CD,23-11-2026 18:00:12", f"UKN4AB12CD,{text}").lines[0]
    assert line.completed_at
    assert line.completed_at.isoformat() == "2026-11-23T18:00:12+03:00"


def test_a_line_that_is_not_completed_needs_no_completion_time_and_never_counts() -> None:
    row = write_csv([replace(PAYMENT, status="Pending")]).decode()
    line = read(row.replace("UKN4AB12CD,23-11-2026 18:00:12", "UKN4AB12CD,").encode()).lines[0]
    assert (line.completed_at, line.counts, line.paid_in) == (None, False, Decimal(450))


def test_a_receipt_on_its_payment_and_its_charge_is_two_lines() -> None:
    assert len(read(write_csv([PAYMENT, CHARGE])).lines) == 2


def test_the_same_row_twice_is_taken_once_and_said() -> None:
    statement = read(write_csv([PAYMENT, CHARGE, PAYMENT]))
    assert [line.row for line in statement.lines] == [8, 9]
    assert statement.warnings[0] == "Row 10 repeating an earlier row: taken once."


def test_one_receipt_with_two_amounts_is_refused() -> None:
    refused = refusal(write_csv([PAYMENT, replace(PAYMENT, paid_in=Decimal(451))]))
    assert refused.row == 9
    assert refused.reason == (
        "receipt UKN4AB12CD stands in row 8 with the same reason type and another amount."
    )


def test_a_failed_try_beside_the_completed_one_is_no_contradiction() -> None:
    tried = replace(PAYMENT, status="Failed", paid_in=Decimal(451))
    statement = read(write_csv([tried, replace(tried, paid_in=Decimal(452)), PAYMENT]))
    assert [line.counts for line in statement.lines] == [False, False, True]
    assert statement.warnings == ()


def test_blank_rows_are_passed_and_counted() -> None:
    text = write_csv([PAYMENT, CHARGE]).decode().splitlines(keepends=True)
    statement = read("".join([*text[:8], "\r\n", ",,,,\r\n", *text[8:]]).encode())
    assert [line.row for line in statement.lines] == [8, 11]


def test_a_remark_below_the_lines_is_left_out_and_said() -> None:
    statement = read(write_csv([PAYMENT]) + b"This statement was made by a computer\r\n")
    assert len(statement.lines) == 1
    assert statement.warnings == ("Row 9 without receipt and money: left out.",)


def test_a_full_phone_number_is_kept_nowhere() -> None:
    row = replace(
        PAYMENT, other_party="254708374149 - JOHN DOE", account_no="0708374149", reason_type="Pay 0708374149"
    )
    statement = read(write_csv([row]))
    assert "708374149" not in repr(statement)
    assert "JOHN DOE" in statement.lines[0].other_party


def test_a_full_phone_number_is_quoted_in_no_refusal() -> None:
    for old in ("UKN4AB12CD,23-11-2026 18:00:12", "UKN4AB12CD"):
        refused = refusal_with(old, "254708374149" if "," not in old else "UKN4AB12CD,254708374149")
        assert "708374149" not in str(refused) + repr(refused)


def test_a_masked_payer_stays_as_it_stands() -> None:
    assert read(write_csv([PAYMENT])).lines[0].other_party == "25470****149 - JOHN **** DOE"


def test_hidden_characters_do_not_part_equal_texts() -> None:
    line = read_with("DKA7C3E9FG,KES", "\u200eDKA7C3E9FG\u00a0,KES").lines[0]
    assert line.account_no == "DKA7C3E9FG"


def test_long_details_are_cut() -> None:
    line = read(write_csv([replace(PAYMENT, details="d" * 900, other_party="o" * 900)])).lines[0]
    assert (len(line.details), len(line.other_party)) == (300, 120)


def test_the_columns_may_stand_in_any_order() -> None:
    rows = [line.split(",") for line in write_csv([PAYMENT]).decode().splitlines()]
    turned = [row[::-1] if len(row) == len(COLUMNS) else row for row in rows]
    data = "\n".join(",".join(row) for row in turned).encode()
    assert read(data).lines[0] == read(write_csv([PAYMENT])).lines[0]
