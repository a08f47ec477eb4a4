"""A statement that is not to be believed: what it alone brought is taken back, what others said too stays."""

from datetime import timedelta
from typing import Any

import pytest

from orders.models import Order
from payments import ledger, manual
from payments.manual import ActionRefused
from payments.models import MpesaTransaction, Refund, Statement, StatementLine
from tests.support.payments.book import balances
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import Click, asked_and_paid, called_back, pay
from tests.support.payments.stating import (
    charge,
    line,
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

WHY = "It was typed in an editor, not exported."


@pytest.fixture(autouse=True)
def _the_ledger_stays_whole(db: None) -> Any:
    yield
    assert [str(fault) for fault in ledger.faults()] == []


def void(clock: Clock, stated: Statement | None = None) -> manual.Voided:
    stated = stated or Statement.objects.get()
    return manual.void_statement(stated.pk, reason=WHY, by="kraph", now=clock())


def stands(order: Order) -> tuple[str, int]:
    order.refresh_from_db()
    return order.state, order.to_pay_kes


def test_all_that_only_the_statement_said_is_taken_back(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """A part for an order, a request taken for failed, money that is nobody's, a sweep, a charge, a payout."""
    part, failed = place(clock), click()
    called_back(safaricom, clock, code=1032)
    rows = [
        row("UKN8AB12CD", clock(), 400, part.code),
        row_of(failed),
        row("UKN8AB12CE", clock(), 70, "WANJIRU"),
        sweep(clock(), 100),
        charge(clock(), "UKN8AB12CE"),
        withdrawal(clock(), 30),
    ]
    state(rows, clock)
    assert len(balances()) == 7
    voided = void(clock)
    failed.refresh_from_db()
    assert (voided.lines, voided.left, balances()) == (6, [], {})
    assert (stands(part), stands(failed.order)) == (("open", 1000), ("open", 1500))
    assert (failed.state, failed.receipt) == ("expired", None)
    assert Statement.objects.get().voided_because == WHY


def test_a_callback_that_came_after_the_line_says_so_too(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """The line names no order: it was in the book as nobody's until then."""
    attempt = click()
    state([row("UKN4AB12CD", clock(), 1500, "WANJIRU")], clock)
    called_back(safaricom, clock)
    voided = void(clock)
    attempt.refresh_from_db()
    assert (voided.lines, voided.left, attempt.state) == (1, [], "completed")
    assert stands(attempt.order) == ("paid", 0)


def test_what_safaricom_said_too_stays(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    paid = paid_now(click, safaricom, clock)
    state([row_of(paid)], clock)
    void(clock)
    assert stands(paid.order) == ("paid", 0)
    assert (line("UKN4AB12CD").match, line("UKN4AB12CD").attempt_id) == ("void", None)


def test_a_receipt_that_only_the_statement_named_is_awaited_again(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    asked_and_paid(attempt, safaricom, clock)
    state([row_of(attempt)], clock)
    void(clock)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt, stands(attempt.order)) == ("completed", None, ("paid", 0))


def test_the_genuine_file_is_taken_after_the_void_one(clock: Clock) -> None:
    order = place(clock)
    rows = [row("UKN8AB12CD", clock(), 1000, order.code)]
    first = taken_in(rows, clock)
    matched(first, clock)
    void(clock, first)
    again = taken_in(rows, clock)
    assert again.pk != first.pk
    matched(again, clock)
    assert stands(order) == ("paid", 0)
    assert StatementLine.objects.filter(receipt="UKN8AB12CD").count() == 2


def test_a_reversal_that_never_was_leaves_the_order_paid(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_now(click, safaricom, clock)
    state([reversal(attempt.created_at + timedelta(hours=1), "UKN4AB12CD")], clock)
    assert stands(attempt.order)[0] == "refunded"
    void(clock)
    attempt.refresh_from_db()
    assert (stands(attempt.order), attempt.refunded_kes) == (("paid", 0), None)


def test_a_refund_that_was_seen_is_sent_and_unseen_again(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=500, reason="Asked.", by="akinyi", now=clock()
    )
    state([withdrawal(clock(), 500, "UKN4RF0001")], clock)
    assert Refund.objects.get().state == "seen"
    void(clock)
    assert (Refund.objects.get().state, Refund.objects.get().seen_as) == ("sent", None)


def test_what_a_person_attached_is_named_and_the_statement_stands(clock: Clock) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock(), 1000, "WANJIRU"), sweep(clock(), 5)], clock)
    claim = manual.Claim(line_id=line("UKN8AB12CD").pk, target=order.code, reason="Hers, she says.")
    manual.claim_receipt(claim, by="akinyi", now=clock())
    voided = void(clock)
    assert (voided.lines, voided.left[0][0]) == (1, "UKN8AB12CD")
    assert Statement.objects.get().voided_at is None
    manual.undo_decision(MpesaTransaction.objects.get().pk, reason=WHY, by="kraph", now=clock())
    assert (void(clock).left, balances()) == ([], {})


def test_one_line_alone_is_voided_once(clock: Clock) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock(), 400, order.code), row("UKN8AB12CE", clock(), 600, order.code)], clock)
    manual.void_line(line("UKN8AB12CD").pk, reason=WHY, by="kraph", now=clock())
    assert stands(order) == ("open", 400)
    with pytest.raises(ActionRefused, match="void already"):
        manual.void_line(line("UKN8AB12CD").pk, reason=WHY, by="kraph", now=clock())


def test_money_that_went_back_meanwhile_is_a_persons(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    failed = click()
    called_back(safaricom, clock, code=1032)
    state([row_of(failed)], clock)
    manual.record_refund(
        failed.pk, reference="UKN4RF0001", amount_kes=500, reason="Asked.", by="akinyi", now=clock()
    )
    assert "recorded as sent back" in void(clock).left[0][1]


def test_alone_no_more_is_taken_back_than_rested_on_it_when_that_was_decided(
    clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 300
    stated = taken_in([row("UKN8AB12CD", clock(), 400, "A"), row("UKN8AB12CE", clock(), 400, "B")], clock)

    def is_matched_meanwhile(done: int, _total: int) -> None:
        if done == 1:
            matched(stated, clock)

    told = {"reason": "It was a wrong file.", "by": "akinyi", "now": clock()}
    voided = manual.void_statement(stated.pk, progress=is_matched_meanwhile, **told)
    assert (voided.lines, [receipt for receipt, _ in voided.left]) == (1, ["UKN8AB12CE"])
    assert "Void the statement once more" in voided.left[0][1]
    assert balances()["unclaimed"] == 400
    assert manual.void_statement(stated.pk, **told).waits
