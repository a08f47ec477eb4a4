"""Settling by hand: never without evidence, never above the limit by one person, never against what is known."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from orders.models import Order
from payments import enquiries, ledger, manual
from payments.manual.actions import ActionRefused
from payments.models import HandSettlement, MpesaTransaction, PaymentEvent, StatementLine
from payments.states import State
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja, paid_answer
from tests.support.payments.paying import called_back, pay
from tests.support.payments.settling import SMS, wrong_amount

Click = Callable[..., MpesaTransaction]
Decision = HandSettlement.Decision

LARGE = 12_000


@pytest.fixture
def stuck(click: Click, clock: Clock) -> MpesaTransaction:
    """Wanjiru paid, and neither callback nor answer came."""
    attempt = click()
    clock.advance(minutes=10)
    return attempt


@pytest.fixture
def large(click: Click, clock: Clock) -> MpesaTransaction:
    attempt = click(amount=LARGE)
    clock.advance(minutes=10)
    return attempt


@pytest.fixture
def settle(clock: Clock) -> Callable[..., HandSettlement]:
    def propose(attempt: MpesaTransaction, by: str = "akinyi", **other: Any) -> HandSettlement:
        return manual.propose_settlement(attempt.pk, replace(SMS, **other), by=by, now=clock())

    return propose


Settle = Callable[..., HandSettlement]


def test_the_receipt_from_the_customers_message_pays_the_order(
    stuck: MpesaTransaction, settle: Settle
) -> None:
    settled = settle(stuck)
    stuck.refresh_from_db()
    assert settled.decision == Decision.DONE
    assert (stuck.state, stuck.receipt, stuck.pays_order, stuck.by_hand) == (
        State.COMPLETED, "UKN4AB12CD", True, True,
    )  # fmt: skip
    assert Order.objects.get(pk=stuck.order_id).state == Order.State.PAID
    facts = PaymentEvent.objects.get(attempt=stuck, kind="confirmed").facts
    assert (facts["by"], facts["evidence"], facts["reason"]) == (
        "akinyi", "The customer's M-PESA message", "The customer read the message to me.",
    )  # fmt: skip
    assert list(ledger.faults()) == []


def test_the_true_callback_afterwards_changes_nothing(
    stuck: MpesaTransaction, settle: Settle, safaricom: FakeDaraja, clock: Clock
) -> None:
    settle(stuck)
    called_back(safaricom, clock)
    stuck.refresh_from_db()
    assert (stuck.receipt, stuck.refund_due) == ("UKN4AB12CD", False)
    assert list(ledger.faults()) == []


def test_a_receipt_awaited_is_filled_in_by_hand(
    stuck: MpesaTransaction, settle: Settle, safaricom: FakeDaraja, clock: Clock
) -> None:
    from payments import enquiries

    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(stuck.pk), clock=clock)
    settle(stuck)
    stuck.refresh_from_db()
    assert (stuck.receipt, stuck.pays_order) == ("UKN4AB12CD", True)
    assert PaymentEvent.objects.filter(attempt=stuck, kind="receipt_learned").count() == 1
    assert list(ledger.faults()) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"receipt": ""}, "10 letters and digits"),
        ({"receipt": "UKN4AB12CD OR 1"}, "10 letters and digits"),
        ({"amount_kes": 1000}, "the evidence says KES 1,000"),
        ({"amount_kes": 0, "accepts_amount": True}, "from KES 1"),
        ({"amount_kes": 250_001, "accepts_amount": True}, "from KES 1"),
    ],
)
def test_a_claim_that_cannot_be_is_refused(
    stuck: MpesaTransaction, settle: Settle, wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(ActionRefused, match=words):
        settle(stuck, **wrong)
    stuck.refresh_from_db()
    assert stuck.state == State.PENDING
    assert HandSettlement.objects.count() == 0


def test_while_the_prompt_may_be_on_the_phone_nothing_is_settled(
    click: Click, settle: Settle, clock: Clock
) -> None:
    attempt = click()
    clock.advance(seconds=119)
    with pytest.raises(ActionRefused, match="may still be on the phone"):
        settle(attempt)
    clock.advance(seconds=1)
    settle(attempt)


def test_a_paid_payment_with_its_receipt_is_not_settled_again(
    click: Click, safaricom: FakeDaraja, clock: Clock, settle: Settle
) -> None:
    with pytest.raises(ActionRefused, match="nothing to settle"):
        settle(pay(click, safaricom, clock), receipt="UKN4AB12ZZ")


def test_another_payments_receipt_is_refused_and_named(
    stuck: MpesaTransaction, click: Click, safaricom: FakeDaraja, clock: Clock, settle: Settle
) -> None:
    other = pay(click, safaricom, clock, msisdn="254798765432", reference="CART2")
    with pytest.raises(
        ActionRefused, match=f"belongs to another payment, of order {other.account_reference}"
    ):
        settle(stuck)


def test_the_statement_is_believed_over_what_is_typed(
    stuck: MpesaTransaction, settle: Settle, clock: Clock
) -> None:
    statement_line(clock, receipt="UKN4AB12CD", paid_in=900)
    with pytest.raises(ActionRefused, match="receipt UKN4AB12CD is KES 900"):
        settle(stuck)


def test_another_amount_pays_only_where_it_is_accepted(stuck: MpesaTransaction, settle: Settle) -> None:
    settle(stuck, amount_kes=1400, accepts_amount=True)
    stuck.refresh_from_db()
    assert (stuck.pays_order, stuck.received_kes, stuck.amount_differs) == (True, 1400, True)
    assert stuck.reviewed_at is not None
    assert list(ledger.faults()) == []


def test_money_of_a_wrong_amount_without_a_receipt_is_accepted_by_hand_and_pays(
    click: Click, settle: Settle, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    called_back(safaricom, clock, amount=1400)
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.pk), clock=clock)
    settle(attempt, amount_kes=1400, accepts_amount=True)
    attempt.refresh_from_db()
    assert (attempt.receipt, attempt.pays_order, attempt.order.state) == ("UKN4AB12CD", True, "paid")
    assert list(ledger.faults()) == []


def test_money_of_a_wrong_amount_is_accepted_by_hand(
    click: Click, safaricom: FakeDaraja, clock: Clock, settle: Settle
) -> None:
    attempt = wrong_amount(click, safaricom, clock)
    settle(attempt, amount_kes=1000, accepts_amount=True)
    attempt.refresh_from_db()
    assert (attempt.pays_order, attempt.received_kes) == (True, 1000)
    assert Order.objects.get(pk=attempt.order_id).state == Order.State.PAID
    assert list(ledger.faults()) == []


def test_above_the_limit_a_second_person_confirms(
    large: MpesaTransaction, settle: Settle, clock: Clock
) -> None:
    waiting = settle(large, amount_kes=LARGE)
    large.refresh_from_db()
    assert (waiting.decision, large.state) == (Decision.WAITING, State.PENDING)
    with pytest.raises(ActionRefused, match="A second person must confirm"):
        manual.confirm_settlement(waiting.pk, by="akinyi", now=clock())
    manual.confirm_settlement(waiting.pk, by="kraph", now=clock())
    large.refresh_from_db()
    assert (large.state, large.pays_order) == (State.COMPLETED, True)
    facts = PaymentEvent.objects.get(attempt=large, kind="confirmed").facts
    assert (facts["by"], facts["confirmed_by"]) == ("akinyi", "kraph")
    assert list(ledger.faults()) == []


def test_the_limit_counts_what_was_asked_too(large: MpesaTransaction, settle: Settle) -> None:
    assert settle(large, amount_kes=100, accepts_amount=True).decision == Decision.WAITING


def test_the_database_refuses_a_first_person_as_second(
    large: MpesaTransaction, settle: Settle, clock: Clock
) -> None:
    waiting = settle(large, amount_kes=LARGE)
    rows = HandSettlement.objects.filter(pk=waiting.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(decision=Decision.DONE, decided_by="akinyi", decided_at=clock())
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(decision=Decision.DONE)


def test_two_proposals_do_not_wait_at_once(large: MpesaTransaction, settle: Settle) -> None:
    settle(large, amount_kes=LARGE)
    with pytest.raises(ActionRefused, match="waits for a second person already"):
        settle(large, by="kraph", amount_kes=LARGE)


def test_a_declined_settlement_settles_nothing(large: MpesaTransaction, settle: Settle, clock: Clock) -> None:
    waiting = settle(large, amount_kes=LARGE)
    manual.decline_settlement(waiting.pk, why="The message is a forgery.", by="kraph", now=clock())
    with pytest.raises(ActionRefused, match="decided already"):
        manual.confirm_settlement(waiting.pk, by="kraph", now=clock())
    large.refresh_from_db()
    assert large.state == State.PENDING
    assert PaymentEvent.objects.filter(attempt=large, kind="settlement_declined").count() == 1
    assert settle(large, amount_kes=LARGE).decision == Decision.WAITING


def test_a_payment_that_was_paid_meanwhile_is_not_confirmed(
    large: MpesaTransaction, settle: Settle, safaricom: FakeDaraja, clock: Clock
) -> None:
    waiting = settle(large, amount_kes=LARGE)
    called_back(safaricom, clock, receipt="UKN4AB12ZZ", amount=LARGE)
    with pytest.raises(ActionRefused, match="nothing to settle"):
        manual.confirm_settlement(waiting.pk, by="kraph", now=clock())
    waiting.refresh_from_db()
    assert (waiting.decision, waiting.decided_by) == (Decision.CLOSED, "")
    assert "nothing to settle" in waiting.declined_because
    assert list(ledger.faults()) == []


def test_a_receipt_that_came_in_the_same_instant_wins_over_the_typed_one(
    stuck: MpesaTransaction,
    settle: Settle,
    safaricom: FakeDaraja,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = ledger.record

    def after_the_callback(*args: Any, **kwargs: Any) -> ledger.Recorded:
        monkeypatch.setattr(ledger, "record", record)
        called_back(safaricom, clock, receipt="UKN4AB12ZZ")
        return record(*args, **kwargs)

    monkeypatch.setattr(ledger, "record", after_the_callback)
    with pytest.raises(ActionRefused, match="Meanwhile"):
        settle(stuck)
    stuck.refresh_from_db()
    assert (stuck.receipt, stuck.by_hand) == ("UKN4AB12ZZ", False)
    assert HandSettlement.objects.count() == 0
    assert list(ledger.faults()) == []


def test_a_second_payment_settled_by_hand_is_due_back(
    click: Click, safaricom: FakeDaraja, clock: Clock, settle: Settle
) -> None:
    first = click()
    called_back(safaricom, clock, code=1032)
    clock.advance(minutes=3)
    second = pay(click, safaricom, clock)
    assert second.pays_order
    settle(first, receipt="UKN4AB12ZZ")
    first.refresh_from_db()
    assert (first.refund_due, first.pays_order, first.came_late) == (True, False, True)
    assert list(ledger.faults()) == []


def statement_line(clock: Clock, *, receipt: str, paid_in: int) -> StatementLine:
    from payments.models import Statement

    statement = Statement.objects.create(
        sha256="0" * 64, file_name="november.csv", uploaded_by="akinyi", uploaded_at=clock(), lines_in_file=1,
        period_from=clock() - timedelta(days=1), period_to=clock(),
    )  # fmt: skip
    return StatementLine.objects.create(
        statement=statement, row=8, kind="payment", receipt=receipt, completed_at=clock(), paid_in=paid_in,
        money_in=True, reason_type="Pay Utility",
    )  # fmt: skip
