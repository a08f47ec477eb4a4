"""One request, two receipts: both are kept, the order got both, and what is too much is owed back."""

import json
from typing import Any

import pytest

from payments import callbacks, enquiries, ledger, manual
from payments.desk.needs import count_payments_in_need
from payments.facts import reasons_of
from payments.manual import Settlement
from payments.models import CallbackDelivery, MpesaTransaction, Posting, Receipt
from payments.states import State
from tests.support.payments.book import balances
from tests.support.payments.callback_bodies import success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja, paid_answer
from tests.support.payments.paying import Click, Deliver, called_back, pay
from tests.support.payments.stating import row, state

Verdict = CallbackDelivery.Verdict


def second(deliver: Deliver, receipt: str = "UKN4AB12ZZ") -> Any:
    return deliver(success("ws_CO_1", 1500, receipt))


def whole() -> bool:
    return [str(fault) for fault in ledger.faults()] == []


def test_a_second_receipt_on_one_request_is_money_to_give_back(
    click: Click, safaricom: FakeDaraja, clock: Clock, deliver: Deliver
) -> None:
    """Case 6."""
    paid = pay(click, safaricom, clock)
    assert second(deliver) == Verdict.APPLIED
    assert set(Receipt.objects.values_list("code", "amount_cents")) == {
        ("UKN4AB12CD", 150_000),
        ("UKN4AB12ZZ", 150_000),
    }
    order = paid.order
    order.refresh_from_db()
    assert (order.received_cents, order.returned_cents) == (300_000, 150_000)
    assert balances() == {"mpesa:174379": 3000, f"order:{order.code}": 1500, "refunds_due": 1500}
    assert count_payments_in_need()["refund_due"] == 1
    assert whole()


@pytest.mark.parametrize("times", [1, 3])
def test_the_same_callback_once_more_changes_nothing(
    times: int, click: Click, safaricom: FakeDaraja, clock: Clock, deliver: Deliver
) -> None:
    pay(click, safaricom, clock)
    second(deliver)
    before = (MpesaTransaction.objects.count(), Posting.objects.count(), balances())
    for _ in range(times):
        assert second(deliver) == Verdict.REPEATED
        assert called_back(safaricom, clock) == Verdict.REPEATED
    assert (MpesaTransaction.objects.count(), Posting.objects.count(), balances()) == before
    assert whole()


def test_a_third_receipt_is_money_of_its_own_too(
    click: Click, safaricom: FakeDaraja, clock: Clock, deliver: Deliver
) -> None:
    pay(click, safaricom, clock)
    assert [second(deliver), second(deliver, "UKN4AB12YY")] == [Verdict.APPLIED] * 2
    assert balances()["refunds_due"] == 3000
    assert whole()


def test_it_can_be_sent_back_like_any_other(
    click: Click, safaricom: FakeDaraja, clock: Clock, deliver: Deliver
) -> None:
    pay(click, safaricom, clock)
    second(deliver)
    owed = MpesaTransaction.objects.get(receipt="UKN4AB12ZZ")
    manual.record_refund(
        owed.pk, reference="UKP7RF00AA", amount_kes=1500, reason="Twice.", by="akinyi", now=clock()
    )
    assert count_payments_in_need()["refund_due"] == 0
    assert balances() == {"mpesa:174379": 1500, f"order:{owed.account_reference}": 1500}
    assert whole()


def test_the_receipt_that_was_awaited_is_no_second_one(
    click: Click, safaricom: FakeDaraja, clock: Clock, deliver: Deliver
) -> None:
    attempt = click()
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.pk), clock=clock)
    assert called_back(safaricom, clock) == Verdict.APPLIED
    assert MpesaTransaction.objects.count() == 1
    assert "refunds_due" not in balances()


def test_what_a_person_typed_is_not_taken_for_a_first_payment(
    click: Click, safaricom: FakeDaraja, clock: Clock, deliver: Deliver
) -> None:
    """The receipt read over the phone had a wrong letter: the true one must not look like money paid twice."""
    attempt = click()
    clock.advance(minutes=10)
    typed = Settlement(receipt="UKN4AB12CE", amount_kes=1500, evidence="sms", reason="She read it to me.")
    manual.propose_settlement(attempt.pk, typed, by="akinyi", now=clock())
    assert called_back(safaricom, clock) == Verdict.APPLIED
    told = MpesaTransaction.objects.get()
    assert (told.state, told.receipt, told.by_hand) == (State.COMPLETED, "UKN4AB12CD", False)
    assert balances() == {"mpesa:174379": 1500, f"order:{told.account_reference}": 1500}
    assert [reason.key for reason in reasons_of(told)] == ["unpriced", "late_success"]
    assert whole()


def test_a_hands_receipt_that_a_statement_shows_is_nobodys_once_safaricom_names_another(
    click: Click, safaricom: FakeDaraja, clock: Clock, deliver: Deliver
) -> None:
    """It was a small payment beside the request, taken for the request's own."""
    attempt = click()
    state([row("UKN4AB12CE", clock.advance(minutes=1), 1, "WANJIRU")], clock)
    clock.advance(minutes=10)
    typed = Settlement(
        receipt="UKN4AB12CE", amount_kes=1, evidence="sms", reason="She read it to me.", accepts_amount=True
    )
    manual.propose_settlement(attempt.pk, typed, by="akinyi", now=clock())
    assert balances() == {"mpesa:174379": 1, f"order:{attempt.account_reference}": 1}
    assert called_back(safaricom, clock) == Verdict.APPLIED
    assert called_back(safaricom, clock) == Verdict.REPEATED
    assert balances() == {"mpesa:174379": 1501, f"order:{attempt.account_reference}": 1500, "unclaimed": 1}
    assert whole()


def test_a_second_receipt_of_another_amount_is_doubted(
    click: Click, safaricom: FakeDaraja, clock: Clock, deliver: Deliver
) -> None:
    pay(click, safaricom, clock)
    assert deliver(success("ws_CO_1", 900, "UKN4AB12ZZ")) == Verdict.WRONG_AMOUNT
    assert balances()["mpesa:174379"] == 1500


def test_a_receipt_of_another_orders_payment_is_no_second_one(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    pay(click, safaricom, clock)
    token = safaricom.last_token
    pay(click, safaricom, clock, msisdn="254711000111", reference="CART2", receipt="UKN4AB12ZZ")
    body = json.dumps(success("ws_CO_1", 1500, "UKN4AB12ZZ")).encode()
    told = callbacks.receive_callback(token=token, body=body, source_address=None, now=clock())
    assert told == Verdict.RECEIPT_TAKEN
    assert balances()["mpesa:174379"] == 3000
    assert whole()
