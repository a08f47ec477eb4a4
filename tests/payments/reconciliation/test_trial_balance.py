"""What stands at a short code by the book, beside what a statement says: it adds up, whatever moved."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from payments import callbacks, manual
from payments.models import Statement
from payments.reconciliation import importing, trial_balance
from payments.reconciliation.tills import Till, _reaches, statements_that_differ
from tests.support.payments.book import balances
from tests.support.payments.callback_bodies import success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import Click, pay
from tests.support.payments.stating import (
    charge,
    matched,
    paid_now,
    reversal,
    row,
    row_of,
    state,
    sweep,
    taken_in,
    wall,
    withdrawal,
)

SAMPLES = Path("tests/samples/statements")
DAY = date(2026, 11, 23)  # the clock's


def till(day: date | None = None) -> Till:
    """Of the one short code; and it is what the book's postings say."""
    (only,) = trial_balance(day).tills
    return only


def shown(day: date | None = None) -> dict[str, Any]:
    only = till(day)
    names = ("opening", "came", "out", "charges", "to_bank", "closing", "theirs", "difference")
    found = {name: getattr(only, name) for name in names}
    return {name: cents if cents is None else cents / 100 for name, cents in found.items()}


def upload(name: str, clock: Clock, **codes: str) -> None:
    data = (SAMPLES / name).read_text()
    for placeholder, code in codes.items():
        data = data.replace(f"@{placeholder}@", code)
    stated = importing.import_file(data.encode(), file_name=name, by="akinyi", now=clock()).statement
    matched(stated, clock)


def called_back_now(safaricom: FakeDaraja, clock: Clock, receipt: str) -> None:
    """Paid, by Safaricom's clock too."""
    body = success(f"ws_CO_{len(safaricom.pushes)}", 1500, receipt)
    items = body["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
    dated = next(item for item in items if item["Name"] == "TransactionDate")
    dated["Value"] = int(f"{wall(clock()):%Y%m%d%H%M%S}")
    raw = json.dumps(body).encode()
    callbacks.receive_callback(token=safaricom.last_token, body=raw, source_address=None, now=clock())


# --- the same figures, however they are asked for -------------------------------------------------------


def test_a_payment_and_its_reversal_leave_nothing(
    click: Click, safaricom: FakeDaraja, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    clock.now = datetime(2026, 11, 25, 8, 59, 48, tzinfo=UTC)
    attempt = click("254700000111")
    clock.advance(seconds=12)
    called_back_now(safaricom, clock, "UKP1AB12CD")
    upload("reversal-same-file.csv", clock, CODE=attempt.account_reference)
    for asked in ([], ["--day", "2026-11-25"]):
        out = StringIO()
        call_command("balance", "--json", *asked, stdout=out)
        assert json.loads(out.getvalue()) == {
            "short_codes": {
                "174379": {
                    "opening": 0,
                    "in": 1500,
                    "out": 1500,
                    "charges": 0,
                    "to_bank": 0,
                    "closing": 0,
                    "theirs": 0,
                    "compared_with": "statement",
                    "difference": 0,
                }
            },
            "orders": 0,
            "unclaimed": 0,
            "refunds_due": 0,
            "kept": 0,
        }
    assert shown(date(2026, 11, 24)) == dict.fromkeys(
        ("opening", "came", "out", "charges", "to_bank", "closing"), 0
    ) | {"theirs": None, "difference": None}


def test_two_parts_are_what_the_statement_says(db: None, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
    order = place(clock)
    clock.now = datetime(2026, 11, 26, 5, 0, tzinfo=UTC)
    upload("two-parts.csv", clock, CODE=order.code)
    told = trial_balance(date(2026, 11, 25))
    assert (told.orders, told.differs) == (100_000, False)
    assert shown(date(2026, 11, 25)) == {
        "opening": 0, "came": 1000, "out": 0, "charges": 0, "to_bank": 0,
        "closing": 1000, "theirs": 1000, "difference": 0,
    }  # fmt: skip
    assert shown()["closing"] == 1000


# --- what moves what ------------------------------------------------------------------------------------


def test_each_movement_stands_where_it_belongs(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = paid_now(click, safaricom, clock)
    later = clock.advance(minutes=5)
    rows = [
        row_of(attempt),
        charge(later),
        sweep(later, 1000),
        withdrawal(later, 100),
        row("UKN8AB12CD", later, 300, "WANJIRU"),
        reversal(later, "UKN8AB12CD", 300),
    ]
    state(rows, clock, opening=Decimal(50))
    only = shown(DAY)
    assert only == {
        "opening": 50, "came": 1800, "out": 400, "charges": 2.25, "to_bank": 1000,
        "closing": 447.75, "theirs": 447.75, "difference": 0,
    }  # fmt: skip
    assert only["closing"] == 50 + balances()["mpesa:174379"]


def test_a_sweep_of_which_both_halves_are_shown_moves_nothing(db: None, clock: Clock) -> None:
    out = sweep(clock(), 1000)
    back = row(out.receipt, clock(), 1000, reason_type=out.reason_type, other_party="")
    state([row("UKN8AB12CD", clock(), 300, "X"), out, back], clock)
    assert (shown()["to_bank"], shown()["closing"], shown()["difference"]) == (0, 300, 0)


def test_a_refund_counts_once_recorded_and_once_seen(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_now(click, safaricom, clock)
    at = clock.advance(minutes=5)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=500, reason="Part.", by="akinyi", now=at
    )
    assert (shown()["out"], shown()["closing"]) == (500, 1000)
    state([row_of(attempt), reversal(at, "UKN4AB12CD", 500, receipt="UKN4RF0001")], clock)
    assert (shown()["out"], shown()["closing"], shown()["difference"]) == (500, 1000, 0)


def test_the_statement_says_more_than_we_hold(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = paid_now(click, safaricom, clock)
    stated = taken_in([row_of(attempt), row("UKN8AB12CD", clock(), 300, "X")], clock)
    assert (shown()["difference"], trial_balance().differs) == (-300, True)
    matched(stated, clock)
    assert (shown()["difference"], trial_balance().unclaimed) == (0, 30_000)


# --- from when, until when ------------------------------------------------------------------------------


def test_what_stood_there_before_is_told_by_the_first_statement(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Money that had come before that is in it, and is not added once more; of an earlier day it is taken off."""
    pay(click, safaricom, clock)
    clock.advance(days=2)
    state([row("UKN8AB12CD", clock(), 300, "X")], clock, opening=Decimal(2000))
    assert shown() == {
        "opening": 2000, "came": 300, "out": 0, "charges": 0, "to_bank": 0,
        "closing": 2300, "theirs": 2300, "difference": 0,
    }  # fmt: skip
    first_day = shown(DAY)
    assert (first_day["opening"], first_day["came"], first_day["closing"]) == (500, 1500, 2000)
    third_day = shown(DAY + timedelta(days=2))
    assert (third_day["opening"], third_day["closing"], third_day["difference"]) == (2000, 2300, 0)


def test_a_payment_known_by_its_reversal_alone_had_come_before_it(db: None, clock: Clock) -> None:
    at = clock()
    clock.advance(days=1)
    stated = taken_in([reversal(at, "UKN4AB12CD")], clock, period_from=_wall(DAY), period_to=_wall(DAY, 23))
    matched(stated, clock)
    assert (shown()["came"], shown()["out"], shown()["closing"]) == (1500, 1500, 0)


def _wall(day: date, hour: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, 59 if hour else 0)  # noqa: DTZ001


def test_money_after_the_statement_was_made_is_compared_with_the_next(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """The file names the whole day, and was made at noon."""
    first = paid_now(click, safaricom, clock)
    clock.advance(minutes=2)
    state([row_of(first)], clock)
    clock.advance(minutes=2)
    click("254712345601", reference="CART2")
    called_back_now(safaricom, clock, "UKN4AB12ZZ")
    assert (shown()["closing"], shown()["difference"]) == (1500, 0)


def test_the_balance_of_another_account_says_nothing_of_the_till(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_now(click, safaricom, clock)
    state([row_of(attempt)], clock)
    told = Statement.objects.get()
    Statement.objects.create(
        sha256="other", file_name="other.csv", uploaded_by="akinyi", uploaded_at=told.uploaded_at,
        short_code="174379", account="Organization Settlement Account", lines_in_file=0,
        period_from=told.period_from - timedelta(days=1), period_to=told.period_to,
        opening_balance=Decimal(7), closing_balance=Decimal(9),
    )  # fmt: skip
    assert (shown()["opening"], shown()["difference"]) == (0, 0)


def test_the_balances_of_a_void_file_are_nobodys_word(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Neither what it says stood there before, nor what stands there now."""
    attempt = paid_now(click, safaricom, clock)
    state([row_of(attempt)], clock)
    whole = shown()
    clock.advance(days=1)
    earlier = {"period_from": _wall(DAY - timedelta(days=9))}
    stated = taken_in([], clock, name="invented.csv", opening=Decimal(7000), **earlier)
    matched(stated, clock)
    assert (shown()["opening"], shown()["theirs"]) == (7000, 7000)
    assert list(statements_that_differ(clock())) == [stated]
    manual.void_statement(stated.pk, reason="The portal made no such file.", by="otieno", now=clock())
    assert shown() == whole
    assert list(statements_that_differ(clock())) == []


def test_a_void_line_tells_no_time(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    """Neither when a payment came whose callback did not say, nor how far its file reaches."""
    noon, attempt = clock(), click()
    body = success(f"ws_CO_{len(safaricom.pushes)}", 1500, "UKN4AB12CD")
    told = body["Body"]["stkCallback"]["CallbackMetadata"]["Item"]
    told[:] = [item for item in told if item["Name"] != "TransactionDate"]
    raw = json.dumps(body).encode()
    callbacks.receive_callback(token=safaricom.last_token, body=raw, source_address=None, now=clock())
    stated = taken_in(
        [
            row("UKN4AB12CD", noon - timedelta(days=1), 1500),
            row("UKN8AB12CD", noon + timedelta(hours=3), 1, "X"),
        ],
        clock,
        period_from=_wall(DAY - timedelta(days=1)),
    )
    matched(stated, clock)
    before = DAY - timedelta(days=1)
    assert (shown(before)["came"], _reaches(stated)) == (1500, noon + timedelta(hours=3))
    for each in stated.lines.all():
        manual.void_line(each.pk, reason="The portal does not show it.", by="otieno", now=clock())
    assert (shown(before)["came"], shown(DAY)["came"], _reaches(stated)) == (0, 1500, stated.uploaded_at)
    attempt.refresh_from_db()
    assert attempt.receipt == "UKN4AB12CD"


def test_a_void_file_of_another_short_code_brings_no_till_of_its_own(db: None, clock: Clock) -> None:
    stated = taken_in([], clock)
    Statement.objects.update(short_code="600999")  # what was the shop's when it was uploaded
    assert len(trial_balance(None).tills) == 2
    manual.void_statement(stated.pk, reason="It is another shop's.", by="otieno", now=clock())
    assert till().short_code == "174379"


def test_without_a_statement_there_is_nothing_to_compare_with(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    pay(click, safaricom, clock)
    assert shown() == {
        "opening": 0, "came": 1500, "out": 0, "charges": 0, "to_bank": 0,
        "closing": 1500, "theirs": None, "difference": None,
    }  # fmt: skip


# --- the command ----------------------------------------------------------------------------------------


def test_people_read_it_too(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = paid_now(click, safaricom, clock)
    stated = taken_in([row_of(attempt), row("UKN8AB12CD", clock(), 300.5, "X")], clock)
    out = StringIO()
    call_command("balance", stdout=out)
    assert "The statement says KES 1,800.50: we hold KES 300.50 less." in out.getvalue()
    matched(stated, clock)
    out = StringIO()
    call_command("balance", "--day", "2026-11-23", stdout=out)
    assert "The statement says the same: KES 1,800.50." in out.getvalue()
    assert "Nobody's yet" in out.getvalue()


@pytest.mark.parametrize("typed", ["yesterday", "2026-02-30", "2999-01-01", ""])
def test_what_is_no_day_is_said_in_a_sentence(typed: str, db: None) -> None:
    with pytest.raises(CommandError, match="There is no balance of"):
        call_command("balance", "--day", typed)
