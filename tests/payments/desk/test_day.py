"""The report of a day: its figures against days made by hand, as text, as a table, and as a page of the desk."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from payments import daraja, enquiries, ledger, manual
from payments.checkout import PushProblem
from payments.desk import needs
from payments.desk.day import agreement
from payments.desk.day import figures as read
from payments.desk.day.figures import Line
from payments.desk.day.report import Report, report
from payments.desk.day.text import as_csv, as_text
from payments.manual import Settlement
from payments.models import CallbackDelivery, MpesaTransaction, Receipt, Refund, Statement, StatementLine
from tests.support.payments.callback_bodies import success
from tests.support.payments.clock import Clock
from tests.support.payments.desk import at_desk
from tests.support.payments.fake_daraja import WANJIRU, FakeDaraja, paid_answer
from tests.support.payments.ordering import many_orders, place
from tests.support.payments.paying import Deliver, Shopper, paid_twice, pay
from tests.support.payments.stating import charge, line, reversal, row, row_of, state, sweep, wall

Click = Callable[..., MpesaTransaction]
DAY = date(2026, 11, 23)
PAGE, FILE = "/admin/report/", "/admin/report/csv/"


@pytest.fixture
def of_day(clock: Clock) -> Callable[..., Report]:
    """The report of this day, made now."""
    return lambda day=DAY: report(day, now=clock())


@pytest.fixture
def now_is(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Commands and pages read this clock."""
    monkeypatch.setattr(timezone, "now", clock)
    return clock


Of = Callable[..., Report]


def lines(told: Report, title: str) -> list[Line]:
    return list(next(part for part in told.parts if part.title == title).lines)


def figures(told: Report, title: str) -> dict[str, tuple[int | None, Any]]:
    return {line.what: (line.count, line.kes) for line in lines(told, title)}


def as_rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


# --- a day made by hand ---------------------------------------------------------------------------------


def test_a_day_without_anything_says_so(db: None, of_day: Of, clock: Clock) -> None:
    clock.advance(days=1)
    told = of_day()
    assert list(told.summary) == [
        "KES 0 was taken in 0 payments.",
        "Nothing needs a person.",
        "No M-PESA statement of this day has been uploaded.",
    ]
    assert not told.needs_person
    assert not any(part.lines for part in told.parts)
    assert "  Nothing was taken." in as_text(told)


def test_taken_success_and_reasons_are_counted(
    buys: Shopper, click: Click, safaricom: FakeDaraja, of_day: Of, clock: Clock
) -> None:
    buys(1500)
    buys(700)
    buys(code=1032)
    buys(code=1032)
    buys(code=2001)
    safaricom.push_answer = daraja.Unreachable("no line")
    with pytest.raises(PushProblem):
        click("254711999999", 300, "FAR")
    safaricom.push_answer = None
    click("254711999998", 900, "WAITS")
    clock.advance(hours=1)
    buys(100)
    told = of_day()
    assert figures(told, "Taken") == {"All": (3, 2300), "For orders": (3, 2300)}
    assert figures(told, "Taken by hour") == {"18:00 to 19:00": (2, 2200), "19:00 to 20:00": (1, 100)}
    assert figures(told, "Requests of the day") == {
        "Asked for": (8, 8000), "Paid": (3, 2300), "Came to nothing": (4, None), "Open": (1, None),
    }  # fmt: skip
    why = [(line.what, line.count, line.detail) for line in lines(told, "Why requests came to nothing")]
    assert why[0] == ("Cancelled by the user", 2, "50% of them")
    assert ("Safaricom could not be reached", 1, "25% of them") in why
    assert "43% of the day's requests that ended were paid (3 of 7)." in told.summary
    assert "KES 2,300 was taken in 3 payments." in told.summary
    open_ones = lines(told, "Still open")
    assert [(line.count, line.kes, len(line.codes)) for line in open_ones] == [(1, 900, 1)]


def test_the_day_is_over_at_midnight_in_nairobi(buys: Shopper, of_day: Of, clock: Clock) -> None:
    for moment, amount in (
        ((22, 20, 59, 59), 10),
        ((22, 21, 0, 0), 200),
        ((23, 20, 59, 59), 3000),
        ((23, 21, 0, 0), 40000),
    ):
        clock.now = datetime(2026, 11, *moment, tzinfo=UTC)
        buys(amount, after=0)
    assert figures(of_day(), "Taken by hour") == {
        "00:00 to 01:00": (1, 200), "23:00 to 24:00": (1, 3000),
    }  # fmt: skip
    assert figures(of_day(), "Requests of the day")["Asked for"] == (2, 3200)
    assert figures(of_day(date(2026, 11, 22)), "Taken")["All"] == (1, 10)
    assert figures(of_day(date(2026, 11, 24)), "Taken")["All"] == (1, 40000)


def test_a_request_before_midnight_that_is_paid_after_it_is_money_of_the_next_day(
    buys: Shopper, of_day: Of, clock: Clock
) -> None:
    clock.now = datetime(2026, 11, 23, 20, 59, 55, tzinfo=UTC)
    buys(1500, after=9)
    assert figures(of_day(), "Taken") == {"Paid on this day, and learned of later": (1, 1500)}
    assert figures(of_day(), "Requests of the day")["Paid"] == (1, 1500)
    assert figures(of_day(date(2026, 11, 24)), "Taken")["All"] == (1, 1500)


def test_a_day_that_is_not_over_says_so(of_day: Of, db: None, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 23, 20, 59, 59, tzinfo=UTC)
    assert "The day is not over yet." in of_day().summary
    clock.now = datetime(2026, 11, 23, 21, 0, 0, tzinfo=UTC)
    assert "The day is not over yet." not in of_day().summary


def test_an_amount_in_doubt_is_not_taken_and_needs_a_person(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, of_day: Of, clock: Clock
) -> None:
    attempt = click()
    deliver(success(amount=10))
    safaricom.query_answer = paid_answer()
    clock.advance(minutes=1)
    enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock)
    told = of_day()
    assert figures(told, "Taken") == {}
    wrong = next(line for line in lines(told, "Needs a person") if line.key == "wrong_amount")
    assert (wrong.count, wrong.kes, list(wrong.codes)) == (1, None, [attempt.account_reference])


# --- what needs a person --------------------------------------------------------------------------------


def paid_without_receipt(click: Click, safaricom: FakeDaraja, clock: Clock, number: int) -> MpesaTransaction:
    attempt = click(f"2547113{number:05}", 1500, f"LATE{number}")
    safaricom.query_answer = paid_answer()
    clock.advance(minutes=1)
    enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock)
    return attempt


def test_what_needs_a_person_is_named_by_order_until_it_is_done(
    click: Click, safaricom: FakeDaraja, of_day: Of, clock: Clock
) -> None:
    attempt = paid_without_receipt(click, safaricom, clock, 1)
    told = of_day()
    assert told.needs_person
    awaited = next(line for line in lines(told, "Needs a person") if line.key == "receipt_awaited")
    assert (awaited.count, awaited.kes, list(awaited.codes)) == (1, 1500, [attempt.account_reference])
    assert f"      order {attempt.account_reference}\n" in as_text(told)
    claim = Settlement(
        receipt="UKN4AB12CD", amount_kes=1500, evidence="sms", reason="read to me", accepts_amount=True
    )
    manual.propose_settlement(attempt.id, claim, by="kraph", now=clock())
    assert "receipt_awaited" not in [line.key for line in lines(of_day(), "Needs a person")]


def test_what_waits_from_an_earlier_day_is_told_and_what_came_later_is_not(
    click: Click, safaricom: FakeDaraja, of_day: Of, clock: Clock
) -> None:
    paid_without_receipt(click, safaricom, clock, 1)
    clock.advance(days=2)
    paid_without_receipt(click, safaricom, clock, 2)
    counts = [
        sum(line.count or 0 for line in lines(of_day(DAY + timedelta(days=days)), "Needs a person")
            if line.key == "receipt_awaited")
        for days in (-1, 0, 1, 2)
    ]  # fmt: skip
    assert counts == [0, 1, 1, 2]


def test_a_request_stored_out_of_turn_is_not_missed(db: None, of_day: Of) -> None:
    """Three requests around midnight, the later stored before the earlier: one is the next day's."""
    for second in (60, 59.9, 59):
        many_orders(1, datetime(2026, 11, 23, 20, 59, tzinfo=UTC) + timedelta(seconds=second))
    (unknown,) = lines(of_day(), "Needs a person")
    assert list(unknown.codes) == ["DK000002", "DK000001"]


def test_callback_problems_and_settlements_that_wait_are_told(
    click: Click, deliver: Deliver, of_day: Of, clock: Clock, safaricom: FakeDaraja
) -> None:
    deliver(b"no callback", token="strange")
    attempt = paid_without_receipt(click, safaricom, clock, 1)
    MpesaTransaction.objects.filter(id=attempt.id).update(amount_kes=9000)
    claim = Settlement(
        receipt="UKN4AB12CD", amount_kes=9000, evidence="sms", reason="read to me", accepts_amount=False
    )
    manual.propose_settlement(attempt.id, claim, by="kraph", now=clock())
    found = {line.key: line for line in lines(of_day(), "Needs a person")}
    assert found[needs.CALLBACKS].count == 1
    assert list(found[needs.SETTLEMENTS].codes) == [attempt.account_reference]


def test_more_than_a_thousand_are_many(
    db: None, of_day: Of, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "COUNTED_UP_TO", 30)
    many_orders(30, clock())
    (exactly,) = lines(of_day(), "Needs a person")
    assert (exactly.count, exactly.at_least, len(exactly.codes), exactly.codes_left) == (30, False, 20, 10)
    many_orders(1, clock())
    (unknown,) = lines(of_day(), "Needs a person")
    assert (unknown.count, unknown.at_least) == (30, True)
    assert "More than 30 things need a person." in of_day().summary
    assert "30+" in as_text(of_day())
    assert "and 10 more" in as_text(of_day())


# --- refunds and hands ----------------------------------------------------------------------------------


def test_refunds_and_settlements_stand_on_the_day_they_were_made(
    click: Click, safaricom: FakeDaraja, of_day: Of, clock: Clock
) -> None:
    first = paid_without_receipt(click, safaricom, clock, 1)
    clock.advance(minutes=20)
    claim = Settlement(
        receipt="UKN4AB12CD", amount_kes=1500, evidence="sms", reason="read to me", accepts_amount=False
    )
    manual.propose_settlement(first.id, claim, by="kraph", now=clock())
    settled = first.account_reference
    MpesaTransaction.objects.filter(id=first.id).update(pays_order=False, refund_due=True)
    clock.advance(days=1)
    manual.record_refund(first.id, reference="ukp1", amount_kes=1500, reason="twice", by="kamau", now=clock())
    (by_hand,) = lines(of_day(), "Settled by hand")
    assert (by_hand.kes, list(by_hand.codes)) == (1500, [settled])
    assert by_hand.detail == "receipt UKN4AB12CD, by kraph: read to me"
    assert lines(of_day(), "Refunds recorded") == []
    total, refund = lines(of_day(DAY + timedelta(days=1)), "Refunds recorded")
    assert (total.count, total.kes, list(refund.codes)) == (1, 1500, [settled])
    assert refund.detail == "reference UKP1, recorded by kamau"
    assert lines(of_day(DAY + timedelta(days=1)), "Settled by hand") == []


def test_refunds_of_whatever_money_are_told_and_none_that_never_left(
    click: Click, safaricom: FakeDaraja, of_day: Of, clock: Clock
) -> None:
    spare = paid_twice(click, safaricom, clock)
    state([row("UKN8AB12CA", clock.advance(minutes=1), 900, "?")], clock)
    beside = Receipt.objects.get(code="UKN8AB12CA").pk
    told: dict[str, Any] = {"reason": "asked for it", "by": "kamau", "now": clock()}
    manual.record_refund(spare.pk, reference="UKP7RF00AA", amount_kes=1500, **told)
    manual.refund_receipt(beside, reference="UKP7RF00AB", amount_kes=400, **told)
    manual.refund_receipt(beside, reference="UKP7RF00AC", amount_kes=500, **told)
    failed = Refund.objects.get(reference="UKP7RF00AC")
    manual.undo_refund(failed.pk, **told)
    total, of_payment, of_receipt = lines(of_day(), "Refunds recorded")
    assert (total.count, total.kes, of_payment.kes, of_receipt.kes) == (2, 1900, 1500, 400)
    assert (of_receipt.detail, list(of_receipt.codes)) == (
        "of receipt UKN8AB12CA, reference UKP7RF00AB, recorded by kamau", [],
    )  # fmt: skip


def test_a_day_on_which_money_was_claimed_is_told(of_day: Of, now_is: Clock, db: None) -> None:
    """Its payment is made by hand: the channel that it is given must be one."""
    order = place(now_is)
    state([row("UKN4AB12CD", now_is(), 1000, "WANJIRU")], now_is)
    claim = manual.Claim(line_id=line("UKN4AB12CD").pk, target=order.code, reason="She read it to me.")
    manual.claim_receipt(claim, by="kraph", now=now_is())
    assert figures(of_day(), "Taken")["All"] == (1, 1000)
    assert at_desk("supervisor").get(PAGE, {"date": f"{DAY}"}).status_code == 200
    assert MpesaTransaction.objects.get().channel in MpesaTransaction.Channel.values


# --- the book of a day ------------------------------------------------------------------------------------


def closed(told: Report) -> list[tuple[str, int | None, Any]]:
    """The figures of a day that is over, without what came later."""
    later = ("Paid on this day, and learned of later", "Taken back", "Of it, paid on an earlier day")
    taken = [line for title in ("Taken", "Taken by hour") for line in lines(told, title)]
    return [(line.what, line.count, line.kes) for line in taken if line.what not in later]


def test_money_that_no_request_asked_for_counts_as_taken(of_day: Of, clock: Clock, db: None) -> None:
    order = place(clock)
    at = clock.advance(minutes=1)
    state([row("UKN8AB12CA", at, 1300, order.code), row("UKN8AB12CB", at, "50.50", "?")], clock)
    assert figures(of_day(), "Taken") == {
        "All": (2, Decimal("1350.50")),
        "For orders": (1, 1000),
        "More than an order costs": (1, 300),
        "Nobody's when it came": (1, Decimal("50.50")),
    }
    assert "KES 1,350.50 was taken in 2 payments." in of_day().summary


def test_the_numbers_of_a_day_that_is_over_do_not_change(
    click: Click, safaricom: FakeDaraja, of_day: Of, clock: Clock
) -> None:
    """On the next day money is claimed, an amount corrected, a refund sent, a reversal told, and more money found."""
    spare = paid_twice(click, safaricom, clock)
    corrected = pay(click, safaricom, clock, receipt="UKN4AB12CF", reference="CART2", msisdn="254712345601")
    state([row("UKN8AB12CA", clock.advance(minutes=1), 900, "?")], clock)
    evening, before = clock(), closed(of_day())
    assert before[0] == ("All", 4, 5400)
    clock.advance(days=1)
    order = place(clock)
    nobodys = Receipt.objects.get(code="UKN8AB12CA").pk
    ledger.claim(nobodys, order_id=order.pk, order_code=order.code, cents=90_000, now=clock())
    refund = {"reference": "UKP7RF00AA", "amount_kes": 1500, "reason": "twice", "by": "kraph"}
    manual.record_refund(spare.pk, **refund, now=clock())
    late = [
        row_of(corrected, "UKN4AB12CF", paid_in=1400),
        row("UKN8AB12CB", evening, 70, "?"),
        reversal(clock(), "UKN4AB12ZZ"),
    ]
    state(late, clock, period_from=wall(evening) - timedelta(hours=12))
    assert closed(of_day()) == before
    assert figures(of_day(), "Taken")["Paid on this day, and learned of later"] == (2, 1470)
    after = figures(of_day(DAY + timedelta(days=1)), "Taken")
    assert after["All"] == (2, 1470)
    assert after["Taken back"] == (1, -1500)
    assert after["Of it, paid on an earlier day"] == (2, 1470)
    assert [str(fault) for fault in ledger.faults()] == []


def test_the_till_adds_up_and_is_the_books(
    click: Click, safaricom: FakeDaraja, now_is: Clock, of_day: Of
) -> None:
    spare = paid_twice(click, safaricom, now_is)
    at = now_is.advance(minutes=1)
    state([row("UKN8AB12CA", at, 900, "?"), charge(at), sweep(at, 500)], now_is)
    manual.record_refund(
        spare.pk, reference="UKP7RF00AA", amount_kes=1000, reason="twice", by="kraph", now=now_is()
    )
    till = {line.what: line.kes for line in lines(of_day(), "The till")}
    assert till == {
        "Opening": 0, "In": 3900, "Out": -1000, "Safaricom's charges": Decimal("-2.25"), "To the bank": -500,
        "Closing": Decimal("2397.75"), "The M-PESA statement says": Decimal("397.75"), "Difference": 2000,
    }  # fmt: skip
    assert of_day().needs_person
    whose = {line.what: line.kes for line in lines(of_day(), "Whose it is now")}
    assert whose == {"Of orders": 1500, "Nobody's yet": 900, "To be sent back": 500, "Kept by the shop": 0}
    viewer = at_desk("viewer")
    for address in (PAGE, "/admin/"):
        shown = viewer.get(address).content.decode()
        assert "KES 900" in shown
        assert "To be sent back" in shown


# --- the statement --------------------------------------------------------------------------------------

START = datetime(2026, 11, 22, 21, 0, 0, tzinfo=UTC)


def statement(*, since: datetime = START, until: datetime | None = None, matched: bool = True) -> Statement:
    until = until or since + timedelta(days=1, seconds=-1)
    return Statement.objects.create(
        sha256=f"{Statement.objects.count():064}", file_name="november.csv", uploaded_by="akinyi",
        uploaded_at=until, lines_in_file=1, period_from=since, period_to=until,
        matched_at=until if matched else None,
    )  # fmt: skip


def on_statement(
    upload: Statement, *, at: datetime, paid_in: Any = 1500, attempt: MpesaTransaction | None = None
) -> None:
    number = StatementLine.objects.count()
    StatementLine.objects.create(
        statement=upload, row=number, kind="payment", receipt=f"UKN{number:07}", completed_at=at, paid_in=paid_in,
        money_in=True, reason_type="Pay Utility", attempt=attempt,
    )  # fmt: skip


def paid_at(attempt: MpesaTransaction, at: datetime) -> MpesaTransaction:
    MpesaTransaction.objects.filter(id=attempt.id).update(paid_at=at)
    return attempt


def test_a_statement_that_names_each_payment_agrees(buys: Shopper, of_day: Of, clock: Clock) -> None:
    attempt = paid_at(buys(), clock())
    on_statement(statement(), at=clock(), attempt=attempt)
    told = of_day()
    assert told.summary[-1] == "The M-PESA statement agrees."
    assert figures(told, "M-PESA statement") == {"On the statement": (1, 1500)}


def test_each_way_to_differ_is_told_and_needs_a_person(buys: Shopper, of_day: Of, clock: Clock) -> None:
    upload = statement()
    ours, unequal = paid_at(buys(), clock()), paid_at(buys(700), clock())
    MpesaTransaction.objects.update(unpriced=False)
    on_statement(upload, at=clock(), paid_in="30.50")
    on_statement(upload, at=clock(), paid_in=650, attempt=unequal)
    told = of_day()
    assert told.needs_person
    assert told.summary[-1] == "The M-PESA statement does not agree."
    compared = figures(told, "M-PESA statement")
    assert compared["On the statement, and nobody's yet"][0] == 1
    assert compared["Here, but not on the statement"] == (1, 1500)
    assert compared["In another amount than here"][0] == 1
    assert unequal.account_reference in as_text(told)
    assert ours.account_reference in as_text(told)
    assert "KES 30.50" in as_text(told)
    assert [
        "M-PESA statement",
        "On the statement, and nobody's yet",
        "1",
        "30.50",
        "",
        "receipts UKN0000000",
    ] in (as_rows(as_csv(told)))


def test_what_is_void_says_nothing_of_the_day(buys: Shopper, of_day: Of, clock: Clock) -> None:
    """A line of a file that stands, then the file."""
    upload = statement()
    paid_at(buys(), clock())
    on_statement(upload, at=clock(), attempt=MpesaTransaction.objects.get())
    on_statement(upload, at=clock(), paid_in=900)
    StatementLine.objects.filter(paid_in=900).update(voided_at=clock(), match="void")
    told = of_day()
    assert told.summary[-1] == "The M-PESA statement agrees."
    assert figures(told, "M-PESA statement") == {"On the statement": (1, 1500)}
    StatementLine.objects.update(voided_at=clock(), match="void", attempt=None)
    Statement.objects.update(voided_at=clock())
    assert of_day().summary[-1] == "No M-PESA statement of this day has been uploaded."


def test_a_statement_of_a_part_of_the_day_is_held_against_that_part(
    buys: Shopper, of_day: Of, clock: Clock
) -> None:
    upload = statement(until=clock())
    on_statement(upload, at=clock(), attempt=paid_at(buys(), clock()))
    clock.advance(minutes=5)
    paid_at(buys(), clock())
    assert of_day().summary[-1] == "The M-PESA statement agrees, and covers a part of this day only."
    statement(since=upload.period_to + timedelta(seconds=1), until=START + timedelta(days=1, seconds=-1))
    assert of_day().summary[-1] == "The M-PESA statement does not agree."  # two that touch cover all of it


def test_a_statement_that_is_not_matched_is_no_verdict(buys: Shopper, of_day: Of, clock: Clock) -> None:
    paid_at(buys(), clock())
    statement(matched=False)
    MpesaTransaction.objects.update(unpriced=False)
    told = of_day()
    assert told.summary[-1] == "The M-PESA statement is here, but not all of its lines have been matched."
    assert not told.needs_person


def test_a_payment_counts_by_safaricoms_time_on_both_sides(buys: Shopper, of_day: Of, clock: Clock) -> None:
    """Made two seconds before midnight, learned of after it: on the first day's statement, not on the second's."""
    clock.now = datetime(2026, 11, 23, 21, 0, 10, tzinfo=UTC)
    attempt = paid_at(buys(after=0), datetime(2026, 11, 23, 20, 59, 58, tzinfo=UTC))
    statement(since=START + timedelta(days=1))
    assert of_day(date(2026, 11, 24)).summary[-1] == "The M-PESA statement agrees."
    first = statement()
    assert of_day().summary[-1] == "The M-PESA statement does not agree."
    on_statement(first, at=datetime(2026, 11, 23, 20, 59, 58, tzinfo=UTC), attempt=attempt)
    assert of_day().summary[-1] == "The M-PESA statement agrees."


def test_periods_that_touch_are_one(clock: Clock) -> None:
    at = [clock() + timedelta(seconds=number) for number in (0, 10, 11, 20, 22, 30, 25)]
    periods = [(at[0], at[1]), (at[2], at[3]), (at[4], at[5]), (at[4], at[6])]
    assert agreement._joined(periods) == [(at[0], at[3]), (at[4], at[5])]


# --- as text and as a table -----------------------------------------------------------------------------


def test_what_staff_typed_runs_no_formula_moves_no_cursor_and_holds_no_phone(
    click: Click, safaricom: FakeDaraja, of_day: Of, clock: Clock
) -> None:
    attempt = paid_without_receipt(click, safaricom, clock, 1)
    clock.advance(minutes=20)
    claim = Settlement(
        receipt="UKN4AB12CD", amount_kes=1500, evidence="sms", reason="x", accepts_amount=False
    )
    manual.propose_settlement(attempt.id, claim, by="kraph", now=clock())
    attempt.settlements.update(reason="called\x1b[2J 0712345678; =HYPERLINK(1)")
    text, table = as_text(of_day()), as_csv(of_day())
    for written in (text, table):
        assert "0712345678" not in written
        assert WANJIRU[3:] not in written
        assert "ws_CO_" not in written
        assert "\x1b" not in written
    (cell,) = [row[-1] for row in as_rows(table) if row[0] == "Settled by hand"]
    assert cell.endswith(";' =HYPERLINK(1)")


def test_the_table_holds_every_figure_of_the_report(
    buys: Shopper, click: Click, safaricom: FakeDaraja, of_day: Of, clock: Clock
) -> None:
    buys()
    buys(code=1032)
    paid_without_receipt(click, safaricom, clock, 1)
    told = of_day()
    head, day, *rows = as_rows(as_csv(told))
    assert head == ["Part", "What", "How many", "KES", "Orders", "Particulars"]
    assert day[:2] == ["Day", "2026-11-23"]
    wanted = [
        [part.title, line.what, _cell(line.count), _cell(line.kes)]
        for part in told.parts
        for line in part.lines
    ]
    assert [row[:4] for row in rows] == wanted
    assert len(rows) > 8


def _cell(figure: Any) -> str:
    return "" if figure is None else str(figure)


# --- the command ----------------------------------------------------------------------------------------


def run(*options: str) -> tuple[str, int]:
    """What it prints, and its exit code."""
    out = io.StringIO()
    try:
        call_command("daily_report", *options, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), int(str(ended.code))
    return out.getvalue(), 0


def test_without_a_date_it_is_today_in_nairobi(db: None, now_is: Clock) -> None:
    now_is.now = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)
    assert run()[0].startswith("DJ Kraph, Tuesday 24 November 2026\nKES 0 was taken")
    assert "The day is not over yet.\n" in run()[0]
    assert run("--date", "2026-11-23")[0].startswith("DJ Kraph, Monday 23 November 2026\nKES 0 was taken")


@pytest.mark.parametrize(
    "typed",
    ["yesterday", "2026-11-31", "23/11/2026", "", "2026-11-24", "0001-01-01", "9999-12-31", "2026-11-23x"],
)
def test_what_is_no_day_is_refused_in_a_sentence(typed: str, db: None, now_is: Clock) -> None:
    with pytest.raises(CommandError, match=r"There is no report of .* for example 2026-11-23\."):
        run("--date", typed)


def test_it_ends_with_1_when_something_needs_a_person(
    click: Click, safaricom: FakeDaraja, now_is: Clock
) -> None:
    assert run()[1] == 0
    paid_without_receipt(click, safaricom, now_is, 1)
    assert run()[1] == 1
    assert run("--date", "2026-11-22")[1] == 0


def test_it_writes_a_file_that_excel_reads_and_says_what_is_in_it(
    buys: Shopper, now_is: Clock, tmp_path: Path
) -> None:
    buys()
    file = tmp_path / "day.csv"
    said, _ = run("--csv", "--output", str(file))
    assert said.startswith("KES 1,500 was taken in 1 payment.")
    written = file.read_bytes().decode()
    assert written == "\ufeff" + run("--csv")[0]
    assert "\r\n" in written
    assert "\r\r" not in written


def test_a_file_that_cannot_be_written_is_told(db: None, now_is: Clock, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"can't be written to .*nowhere.*: No such file"):
        run("--output", str(tmp_path / "nowhere" / "day.txt"))


def test_its_help_says_what_the_exit_code_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("daily_report", "--help")
    assert "Exit code 1: something needs a person" in capsys.readouterr().out


def test_its_queries_do_not_grow_with_the_day(
    db: None, of_day: Of, clock: Clock, django_assert_num_queries: Any
) -> None:
    for more in (3, 57):
        many_orders(more, clock())
        attempts = MpesaTransaction.objects.order_by("-id")[:more]
        MpesaTransaction.objects.filter(id__in=[attempt.id for attempt in attempts[: more // 3]]).update(
            state="completed", concluded_at=clock()
        )
        CallbackDelivery.objects.bulk_create(
            CallbackDelivery(received_at=clock(), body="", verdict="unreadable") for _ in range(more)
        )
        upload = statement()
        for _ in range(more):
            on_statement(upload, at=clock())
        with django_assert_num_queries(44):
            of_day()


# --- the page -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "cashier", "supervisor", "auditor"])
def test_every_role_reads_the_day_and_some_take_it_along(role: str, buys: Shopper, now_is: Clock) -> None:
    buys(1500)
    browser, may = at_desk(role), role in ("supervisor", "auditor")
    page = browser.get(PAGE, {"date": "2026-11-23"})
    assert page.status_code == 200
    assert "KES 1,500 was taken in 1 payment." in page.content.decode()
    assert ("Download as CSV" in page.content.decode()) is may
    file = browser.get(FILE, {"date": "2026-11-23"})
    assert file.status_code == (200 if may else 403)
    if may:
        assert file["Content-Disposition"] == 'attachment; filename="report-2026-11-23.csv"'
        assert file.content.decode() == "\ufeff" + as_csv(report(DAY, now=now_is()))


def test_nobody_else_sees_it(db: None, now_is: Clock) -> None:
    nobody = at_desk("nobody")
    assert [nobody.get(address).status_code for address in (PAGE, FILE)] == [403, 403]
    assert PAGE not in nobody.get("/admin/").content.decode()
    assert Client().get(PAGE).status_code == 302


def test_who_may_not_is_told_so_in_words(db: None, now_is: Clock) -> None:
    assert "Your role does not allow this" in at_desk("viewer").get(FILE).content.decode()


def test_it_is_read_only(db: None, now_is: Clock) -> None:
    supervisor = at_desk("supervisor")
    assert [supervisor.post(address).status_code for address in (PAGE, FILE)] == [405, 405]


def test_the_home_and_the_sidebar_lead_to_it(db: None, now_is: Clock) -> None:
    assert at_desk("viewer").get("/admin/").content.decode().count(f'href="{PAGE}"') >= 2


def test_one_goes_from_day_to_day_but_not_into_the_future(db: None, now_is: Clock) -> None:
    viewer = at_desk("viewer")
    today, earlier = (viewer.get(PAGE, query).content.decode() for query in ({}, {"date": "2026-11-20"}))
    assert f'rel="prev" href="{PAGE}?date=2026-11-22"' in today
    assert 'rel="next"' not in today
    assert f'rel="prev" href="{PAGE}?date=2026-11-19"' in earlier
    assert f'rel="next" href="{PAGE}?date=2026-11-21"' in earlier


@pytest.mark.parametrize("typed", ["tomorrow", "2026-11-24", "<script>", "0001-01-01", "9999-12-31"])
def test_a_day_that_cannot_be_shown_is_told_with_todays(typed: str, db: None, now_is: Clock) -> None:
    supervisor = at_desk("supervisor")
    page = supervisor.get(PAGE, {"date": typed}).content.decode()
    assert "There is no report of" in page
    assert "Monday 23 November 2026" in page
    assert "<script>”" not in page
    assert (
        supervisor.get(FILE, {"date": typed}, follow=True).content.decode().count("There is no report of")
        == 1
    )


def test_what_needs_a_person_leads_to_where_it_is_done(
    click: Click, safaricom: FakeDaraja, now_is: Clock
) -> None:
    attempt = paid_without_receipt(click, safaricom, now_is, 1)
    page = at_desk("viewer").get(PAGE).content.decode()
    assert "/admin/payments/mpesatransaction/?needs=receipt_awaited" in page
    assert f"/admin/payments/mpesatransaction/?q={attempt.account_reference}" in page


def test_the_pages_queries_do_not_grow_with_the_day(db: None, now_is: Clock) -> None:
    viewer, counts = at_desk("viewer"), []
    for more in (3, 57):
        many_orders(more, now_is())
        with CaptureQueriesContext(connection) as made:
            assert viewer.get(PAGE).status_code == 200
        counts.append(len(made))
    assert counts[0] == counts[1]
