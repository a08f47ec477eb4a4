"""Money of a statement that no request explains, and money that left, in the book: parts of an order, reversals before
and after their payment, sweeps, charges, what nobody decided."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from orders.models import Order
from payments import callbacks, ledger, manual
from payments.checkout import problems, push, wanted
from payments.models import MpesaTransaction, Receipt, Refund, StatementLine
from payments.reconciliation import matching
from tests.support.payments.book import balances
from tests.support.payments.callback_bodies import success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import WANJIRU, FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import asked_and_paid, called_back, pay
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
    withdrawal,
)

Click = Callable[..., MpesaTransaction]
MPESA = "mpesa:174379"


@pytest.fixture(autouse=True)
def _the_ledger_stays_whole(db: None) -> Any:
    yield
    assert [str(fault) for fault in ledger.faults()] == []


def account(order: Order) -> str:
    return f"order:{order.code}"


def stands(order: Order) -> tuple[str, float, float, int]:
    order.refresh_from_db()
    return order.state, order.received_cents / 100, order.returned_cents / 100, order.to_pay_kes


# --- parts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [(400, 600), (999, 1), (1, 500, 499)])
def test_parts_pay_an_order_together(parts: tuple[int, ...], clock: Clock) -> None:
    order, came = place(clock), 0
    for number, part in enumerate(parts):
        result = state([row(f"UKN8AB12C{number}", clock.advance(minutes=1), part, order.code)], clock)
        came += part
        assert (result.booked, result.nobodys) == (1, 0)
        assert stands(order) == ("paid" if came == 1000 else "open", came, 0, 1000 - came)
    assert balances() == {MPESA: 1000, account(order): 1000}
    assert Receipt.objects.filter(due_cents__gt=0).count() == 0


def test_the_checkout_asks_for_what_is_left_and_for_nothing_else(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 400, order.code)], clock)
    with pytest.raises(problems.PushProblem, match="KES 600 are still to pay for this order of KES 1,000"):
        push.request_payment(wanted.Ask(msisdn=WANJIRU, amount_kes=1000, reference=order.code), clock=clock)
    rest = click(amount=600, reference=order.code)
    called_back(safaricom, clock, amount=600)
    rest.refresh_from_db()
    assert (stands(order), rest.pays_order, rest.due_cents) == (("paid", 1000, 0, 0), True, 0)


def test_a_prompt_that_rang_before_a_part_came_leaves_the_rest_to_give_back(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    order = place(clock)
    prompt = click(amount=1000, reference=order.code)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 400, order.code)], clock)
    called_back(safaricom, clock, amount=1000)
    prompt.refresh_from_db()
    assert (prompt.pays_order, prompt.due_cents) == (True, 40_000)
    assert stands(order) == ("paid", 1400, 400, 0)
    assert balances() == {MPESA: 1400, account(order): 1000, "refunds_due": 400}


def test_more_than_an_order_costs_is_due_back_whatever_brought_it(clock: Clock) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 1300, order.code)], clock)
    assert Receipt.objects.get().due_cents == 30_000
    state([row("UKN8AB12CE", clock.advance(minutes=1), 1000, order.code)], clock)
    assert (stands(order), Receipt.objects.get(code="UKN8AB12CE").due_cents) == (
        ("paid", 2300, 1300, 0),
        100_000,
    )


def test_an_account_number_as_people_type_it_names_its_order(clock: Clock) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 1000, f"dk {order.code[2:]}")], clock)
    assert stands(order) == ("paid", 1000, 0, 0)


def test_money_that_may_be_a_requests_is_nobodys(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    """Paid, its receipt awaited, and a line of the right order at a time that does not fit: a person looks."""
    attempt = click()
    asked_and_paid(attempt, safaricom, clock)
    result = state([row_of(attempt, "UKN8AB12CD", hours=-1)], clock)
    assert (result.booked, result.nobodys) == (0, 1)
    assert Receipt.objects.get(code="UKN8AB12CD").unclaimed_cents == 150_000


# --- quicker than the callback --------------------------------------------------------------------------


def test_money_that_was_nobodys_becomes_its_requests_once_safaricom_names_it(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    state([row("UKN4AB12CD", clock.advance(seconds=12), 1500, "WANJIRU")], clock)
    assert balances() == {MPESA: 1500, "unclaimed": 1500}
    called_back(safaricom, clock)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt, attempt.pays_order) == ("completed", "UKN4AB12CD", True)
    assert balances() == {MPESA: 1500, f"order:{attempt.account_reference}": 1500}
    assert Receipt.objects.get().attempt_id == attempt.pk


def test_money_booked_for_an_order_is_not_booked_again_by_its_callback(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Its request was taken for failed, and another one failed too: the statement knows the order, not the request."""
    first = click()
    called_back(safaricom, clock, code=1037)
    token = safaricom.last_token
    clock.advance(minutes=3)
    click()
    called_back(safaricom, clock, code=1037)
    result = state([row("UKN4AB12CD", clock.advance(minutes=1), 1500, first.account_reference)], clock)
    assert result.booked == 1
    body = json.dumps(success("ws_CO_1", 1500, "UKN4AB12CD")).encode()
    callbacks.receive_callback(token=token, body=body, source_address=None, now=clock())
    first.refresh_from_db()
    assert (first.state, first.pays_order, first.receipt) == ("completed", True, "UKN4AB12CD")
    assert balances() == {MPESA: 1500, f"order:{first.account_reference}": 1500}


def test_money_that_was_awaited_and_booked_as_nobodys_is_booked_once_in_the_end(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    asked_and_paid(attempt, safaricom, clock)
    state([row("UKN4AB12CD", clock(), 1500, "WANJIRU")], clock)
    assert balances()[MPESA] == 3000  # told twice, and nobody knows yet that it is the same
    called_back(safaricom, clock)
    assert balances() == {MPESA: 1500, f"order:{attempt.account_reference}": 1500}


# --- money that goes back -------------------------------------------------------------------------------


@pytest.mark.parametrize("files", ["one", "payment first", "reversal first"])
def test_a_reversal_gives_back_what_it_reverses_in_whatever_order_it_is_told(
    files: str, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_now(click, safaricom, clock)
    lines = [row_of(attempt), reversal(attempt.created_at + timedelta(hours=1), "UKN4AB12CD")]
    clock.advance(hours=2)
    for each in {
        "one": [lines],
        "payment first": [lines[:1], lines[1:]],
        "reversal first": [lines[1:], lines[:1]],
    }[files]:
        state(each, clock)
    attempt.refresh_from_db()
    assert stands(attempt.order) == ("refunded", 1500, 1500, 0)
    assert (attempt.refunded_kes, attempt.refund_reference) == (1500, "UKN4RV12CD")
    assert Receipt.objects.get(code="UKN4RV12CD").reverses == Receipt.objects.get(code="UKN4AB12CD")
    assert balances() == {}
    with pytest.raises(manual.ActionRefused, match="refund is recorded already"):
        manual.record_refund(
            attempt.pk, reference="UKN4RF0001", amount_kes=1500, reason="Again.", by="akinyi", now=clock()
        )


def test_a_reversal_before_anything_was_heard_of_the_payment_leaves_nothing_behind(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """The callback was lost and the day of the payment was never uploaded."""
    attempt = click()
    state([reversal(clock.advance(hours=1), "UKN4AB12CD")], clock)
    assert balances() == {}
    called_back(safaricom, clock)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.refunded_kes, attempt.pays_order) == ("completed", 1500, False)
    assert (balances(), stands(attempt.order)) == ({}, ("open", 0, 0, 1500))


@pytest.mark.parametrize("by", ["statement", "callback"])
def test_a_reversal_of_a_part_of_what_was_not_heard_of_leaves_the_rest_nobodys(
    by: str, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    state([reversal(clock.advance(hours=1), "UKN4AB12CD", 500)], clock)
    assert balances() == {}
    if by == "callback":
        called_back(safaricom, clock)
    else:
        state([row("UKN4AB12CD", clock(), 1500, "WANJIRU")], clock)
    assert balances() == {MPESA: 1000, "unclaimed": 1000}
    assert attempt.order.code not in balances()


def test_a_reversal_of_a_part_leaves_the_rest(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = paid_now(click, safaricom, clock)
    state([row_of(attempt), reversal(clock.advance(hours=1), "UKN4AB12CD", 500)], clock)
    attempt.refresh_from_db()
    assert (stands(attempt.order), attempt.refunded_at) == (("paid", 1500, 500, 0), None)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=1000, reason="Rest.", by="akinyi", now=clock()
    )
    assert stands(attempt.order) == ("refunded", 1500, 1500, 0)


@pytest.mark.parametrize("receipt", ["UKN4RF0001", "UKN4RV12CD"])
def test_a_refund_that_was_recorded_is_seen_and_not_booked_again(
    receipt: str, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """By its reference, and where that was typed wrong by what it reverses."""
    attempt = paid_now(click, safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=1500, reason="Asked.", by="akinyi", now=clock()
    )
    state([row_of(attempt), reversal(clock.advance(hours=1), "UKN4AB12CD", receipt=receipt)], clock)
    refund = Refund.objects.get()
    assert (refund.state, refund.seen_as and refund.seen_as.code) == ("seen", receipt)
    assert (balances(), stands(attempt.order)) == ({}, ("refunded", 1500, 1500, 0))


def test_more_reversed_than_there_was_left_is_left_undecided(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_now(click, safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=1000, reason="Part.", by="akinyi", now=clock()
    )
    state([row_of(attempt), reversal(clock.advance(hours=1), "UKN4AB12CD", 1500)], clock)
    assert balances() == {MPESA: -1000, "undecided": -1000}


def test_a_withdrawal_that_nobody_decided_is_left_undecided(clock: Clock) -> None:
    state([withdrawal(clock(), 700)], clock)
    assert balances() == {MPESA: -700, "undecided": -700}
    assert Receipt.objects.get().kind == "other"


# --- what is no customer's ------------------------------------------------------------------------------


def test_sweeps_and_charges_move_their_own_accounts_once(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_now(click, safaricom, clock)
    rows = [row_of(attempt), charge(clock()), sweep(clock(), 1000)]
    state(rows, clock)
    own = f"order:{attempt.account_reference}"
    assert balances() == {MPESA: 497.75, own: 1500, "bank": -1000, "charges": -2.25}
    state([*rows, sweep(clock(), 100, "UKNSWEEP02")], clock)
    assert balances()[MPESA] == 397.75
    assert StatementLine.objects.filter(match="").count() == 0


def test_a_receipt_told_under_two_reason_types_is_one(clock: Clock) -> None:
    order = place(clock)
    told = row("UKN8AB12CD", clock(), 1000, order.code)
    again = row("UKN8AB12CD", clock(), 1000, order.code, reason_type="Pay Bill Online")
    state([told, again], clock)
    assert (stands(order), Receipt.objects.count()) == (("paid", 1000, 0, 0), 1)


def test_matching_again_books_nothing_twice(clock: Clock) -> None:
    order = place(clock)
    stated = taken_in(
        [row("UKN8AB12CD", clock(), 400, order.code), row("UKN8AB12CE", clock(), 5, "X"), sweep(clock(), 5)],
        clock,
    )
    for _ in range(3):
        matched(stated, clock)
        matching.begin_again(stated.pk)
    assert balances() == {MPESA: 400, account(order): 400, "unclaimed": 5, "bank": -5}


# --- claims of what is nobody's -------------------------------------------------------------------------


def test_what_is_nobodys_is_claimed_in_parts_kept_and_then_gone(clock: Clock) -> None:
    first, second = place(clock), place(clock)
    state([row("UKN8AB12CD", clock(), 2500, "WANJIRU")], clock)
    receipt = Receipt.objects.get()
    for order in (first, second):
        assert (
            ledger.claim(receipt.pk, order_id=order.pk, order_code=order.code, cents=100_000, now=clock())
            == 0
        )
        assert stands(order)[0] == "paid"
    ledger.keep(receipt.pk, cents=20_000, now=clock())
    receipt.refresh_from_db()
    assert receipt.unclaimed_cents == 30_000
    with pytest.raises(ledger.NotThere, match=r"KES 300\.00 of this receipt is nobody's yet"):
        ledger.claim(receipt.pk, order_id=first.pk, order_code=first.code, cents=30_001, now=clock())
    assert balances() == {
        MPESA: 2500,
        account(first): 1000,
        account(second): 1000,
        "kept": 200,
        "unclaimed": 300,
    }


def test_a_claim_for_a_paid_order_is_due_back(clock: Clock) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock(), 1000, order.code), row("UKN8AB12CE", clock(), 300, "X")], clock)
    receipt = Receipt.objects.get(code="UKN8AB12CE")
    assert (
        ledger.claim(receipt.pk, order_id=order.pk, order_code=order.code, cents=30_000, now=clock())
        == 30_000
    )
    receipt.refresh_from_db()
    assert (receipt.unclaimed_cents, receipt.due_cents) == (0, 30_000)


def test_money_for_a_refunded_order_is_kept_from_it(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=1500, reason="Asked.", by="akinyi", now=clock()
    )
    state([row("UKN8AB12CD", clock.advance(hours=1), 1500, attempt.account_reference)], clock)
    assert stands(attempt.order)[0] == "refunded"
    assert Receipt.objects.get(code="UKN8AB12CD").unclaimed_cents == 150_000
    with pytest.raises(problems.PushProblem, match="start from the cart"):
        click()
