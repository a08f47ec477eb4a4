"""Each kind of file that a person can get out of the portal, or out of Excel after it, reads the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from payments.statement_file import Kind, Statement
from tests.support.payments.spoilt_statements import read
from tests.support.places import SAMPLES

FOLDER = SAMPLES / "statements"
PAYBILL = ("paybill_bom_crlf.csv", "semicolons.csv", "unicode_text_from_excel.txt", "all_text.xlsx")
MIXED = ("sweep_charge_reversal.csv", "real_dates.xlsx", "portal.xls", "real_dates.xls")


# in these stand @CODE@, @CODE2@ and @REST@ for orders' codes
WITH_A_HEAD = (
    "genuine-same-day.csv", "inner-blank.csv", "old-short-code.csv", "other-account.csv", "reversal-same-file.csv",
    "till.csv", "two-parts.csv",
)  # fmt: skip
NEWER = "Statements for 174379 from 2026-11-25 to 2026-11-25.csv"


def sample(name: str) -> Statement:
    return read((FOLDER / name).read_bytes(), name)


def test_every_sample_is_read_by_a_test() -> None:
    named = {*PAYBILL, *MIXED, "till_no_currency_windows1252.csv", *WITH_A_HEAD, NEWER, "invented.csv"}
    assert {path.name for path in FOLDER.iterdir()} == named


@pytest.mark.parametrize("name", PAYBILL)
def test_a_paybill_statement(name: str) -> None:
    statement = sample(name)
    assert statement.warnings == ()
    assert (statement.short_code, statement.account_holder) == ("600000", "SHOP LTD")
    assert statement.account_name == "Utility Account"
    assert statement.period_from
    assert statement.period_from.isoformat() == "2026-11-23T00:00:00+03:00"
    assert statement.period_to
    assert statement.period_to.isoformat() == "2026-11-23T23:59:59+03:00"
    assert (statement.opening_balance, statement.closing_balance) == (Decimal(0), Decimal("1950.00"))
    assert (statement.total_paid_in, statement.total_withdrawn) == (Decimal("1950.00"), Decimal(0))
    assert [(line.row, line.receipt, line.paid_in, line.account_no) for line in statement.lines] == [
        (8, "UKN4AB12CD", Decimal("450.00"), "DKA7C3E9FG"),
        (9, "UKN4AB12CE", Decimal("1200.00"), "DKH4J6K7M9"),
        (10, "UKN4AB12CF", Decimal("300.00"), "INV-1042"),
    ]
    assert {line.kind for line in statement.lines} == {Kind.PAYMENT}
    assert statement.lines[2].other_party == '070****366 - MARY "SHIKU" **** OTIENO, JR'


def test_times_are_nairobis_and_aware() -> None:
    line = sample("paybill_bom_crlf.csv").lines[0]
    assert line.completed_at
    assert line.completed_at.isoformat() == "2026-11-23T18:00:12+03:00"
    assert line.completed_at.utcoffset() == timedelta(hours=3)
    assert line.initiated_at == datetime.fromisoformat("2026-11-23T15:00:05+00:00")


@pytest.mark.parametrize("name", MIXED)
def test_payment_charge_reversal_and_sweep_are_told_apart(name: str) -> None:
    statement = sample(name)
    assert statement.warnings == ()
    seen = [(line.receipt, line.kind, line.paid_in, line.withdrawn, line.counts) for line in statement.lines]
    assert seen == [
        ("UKN4AB12CD", Kind.PAYMENT, Decimal("450.00"), Decimal(0), True),
        ("UKN4AB12CD", Kind.CHARGE, Decimal(0), Decimal("2.25"), True),
        ("UKN4AB12CG", Kind.PAYMENT, Decimal("700.00"), Decimal(0), False),
        ("UKN4AB12CH", Kind.PAYMENT, Decimal("500.00"), Decimal(0), True),
        ("UKN4AB12CJ", Kind.REVERSAL, Decimal(0), Decimal("500.00"), True),
        ("UKN4AB12CK", Kind.SWEEP, Decimal(0), Decimal("447.75"), True),
    ]
    assert statement.lines[4].linked_receipt == "UKN4AB12CH"
    assert statement.lines[0].completed_at
    assert statement.lines[0].completed_at.isoformat().endswith("18:00:12+03:00")
    assert statement.lines[5].balance == Decimal(0)


def test_a_till_statement_without_a_currency_in_windows_1252() -> None:
    statement = sample("till_no_currency_windows1252.csv")
    assert (statement.account_holder, statement.account_name) == ("CAFÉ KRAPH", "Merchant Account")
    assert [line.currency for line in statement.lines] == ["KES", "KES"]
    assert "ANDRÉ" in statement.lines[0].other_party
    assert [line.kind for line in statement.lines] == [Kind.PAYMENT, Kind.CHARGE]


@pytest.mark.parametrize("name", WITH_A_HEAD)
def test_what_the_portal_exports_adds_up(name: str) -> None:
    statement = sample(name)
    assert statement.warnings == ()
    assert statement.total_paid_in == sum(line.paid_in for line in statement.lines)


def test_the_newer_export_has_its_short_code_and_days_in_its_name() -> None:
    statement = sample(NEWER)
    assert (statement.short_code, statement.account_name, statement.warnings) == ("174379", "", ())
    assert str(statement.period_from) == "2026-11-25 00:00:00+03:00"
    assert str(statement.period_to) == "2026-11-25 23:59:59+03:00"
    seen = [
        (line.receipt, line.kind, line.paid_in - line.withdrawn, line.reason_type, line.account_no)
        for line in statement.lines
    ]
    assert seen == [
        ("UKP4WD0003", Kind.SWEEP, Decimal("-2500.00"), "Agency Withdrawal of funds to Bank", ""),
        ("UKP4AB12CE", Kind.PAYMENT, Decimal("1000.00"), "Pay Bill", "@CODE2@"),
        ("UKP4AB12CD", Kind.PAYMENT, Decimal("1500.00"), "Pay Bill", "@CODE@"),
    ]
    assert statement.lines[2].other_party == "2547****111 - ALICE MADEUP EXAMPLE"
    assert str(statement.lines[2].completed_at) == "2026-11-25 12:05:20+03:00"
