"""Safaricom's callbacks: kept first, believed only with token, id and amount, and never twice."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError

from orders.models import Order
from orders.services import receive
from payments import callbacks, enquiries, gateway, ledger, manual
from payments.checkout.status import payment_status
from payments.desk.needs import count_payments_in_need
from payments.ledger import write
from payments.manual import actions
from payments.models import CallbackDelivery, MpesaTransaction, PaymentEvent
from payments.states import Public, State
from tests.support.payments.callback_bodies import failure, success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import OTIENO, WANJIRU, FakeDaraja, paid_answer
from tests.support.payments.paying import Deliver

Click = Callable[..., MpesaTransaction]
Verdict = CallbackDelivery.Verdict


def test_a_success_pays_the_order(click: Click, deliver: Deliver) -> None:
    attempt = click()
    assert deliver(success()) == Verdict.APPLIED
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt, attempt.pays_order) == (State.COMPLETED, "UKN4AB12CD", True)
    assert attempt.paid_at is not None
    assert attempt.paid_at.isoformat() == "2026-11-23T15:00:12+00:00"
    assert attempt.order.state == Order.State.PAID


def test_a_failure_closes_the_attempt_and_leaves_the_order_open(click: Click, deliver: Deliver) -> None:
    attempt = click()
    assert deliver(failure()) == Verdict.APPLIED
    attempt.refresh_from_db()
    assert (attempt.state, attempt.result_code) == (State.FAILED, "1032")
    assert attempt.order.state == Order.State.OPEN


@pytest.mark.parametrize("body", [success(), failure()], ids=["success", "failure"])
def test_a_repeated_callback_changes_nothing(body: Any, click: Click, deliver: Deliver) -> None:
    click()
    deliver(body)
    before = (MpesaTransaction.objects.values().get(), PaymentEvent.objects.count())
    assert deliver(body) == Verdict.REPEATED
    assert (MpesaTransaction.objects.values().get(), PaymentEvent.objects.count()) == before


def test_a_callback_before_the_pushs_answer_gives_the_same_ledger(
    click: Click, deliver: Deliver, safaricom: FakeDaraja
) -> None:
    safaricom.during_push = lambda: deliver(success())
    attempt = click()
    assert (attempt.state, attempt.receipt, attempt.order.state) == (State.COMPLETED, "UKN4AB12CD", "paid")


def test_a_callback_finds_the_attempt_whose_answer_was_lost(
    click: Click, deliver: Deliver, safaricom: FakeDaraja
) -> None:
    from payments.daraja import OutcomeUnknown

    safaricom.push_answer = OutcomeUnknown("read timeout")
    attempt = click()
    assert deliver(success()) == Verdict.APPLIED
    attempt.refresh_from_db()
    assert (attempt.state, attempt.checkout_request_id) == (State.COMPLETED, "ws_CO_1")


@pytest.mark.parametrize("order", ["failure first", "success first"])
def test_a_success_beats_a_failure_in_either_order(order: str, click: Click, deliver: Deliver) -> None:
    attempt = click()
    told = [failure(1037), success()]
    for body in told if order == "failure first" else reversed(told):
        deliver(body)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt, attempt.order.state) == (State.COMPLETED, "UKN4AB12CD", "paid")
    assert attempt.came_late is (order == "failure first")


def test_an_unknown_token_pays_nothing(click: Click, deliver: Deliver, clock: Clock) -> None:
    attempt = click()
    assert deliver(success(), token="0" * 48) == Verdict.UNKNOWN_TOKEN
    attempt.refresh_from_db()
    assert attempt.state == State.PENDING
    assert [due.id for due in enquiries.due(now=clock())] == [attempt.id]  # but we go and ask


def test_the_bare_address_is_only_a_hint(click: Click, deliver: Deliver, clock: Clock) -> None:
    attempt = click()
    assert deliver(success(), token="") == Verdict.HINT
    attempt.refresh_from_db()
    assert attempt.state == State.PENDING
    assert [due.id for due in enquiries.due(now=clock())] == [attempt.id]


def test_another_payments_id_on_my_token_pays_nothing(click: Click, deliver: Deliver) -> None:
    wanjirus = click(WANJIRU, reference="CART1")
    otienos = click(OTIENO, reference="CART2")
    assert deliver(success("ws_CO_1")) == Verdict.WRONG_ID  # the token is Otieno's
    for attempt in (wanjirus, otienos):
        attempt.refresh_from_db()
        assert attempt.state == State.PENDING


@pytest.mark.parametrize("amount", [1, 1499, 1501, 1500.5, "1"])
def test_a_wrong_amount_never_pays_and_is_raised_to_staff(
    amount: Any, click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    assert deliver(success(amount=amount)) == Verdict.WRONG_AMOUNT
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock)  # Safaricom: paid (it names no amount)
    attempt.refresh_from_db()
    assert (attempt.amount_differs, attempt.state, attempt.pays_order) == (True, State.COMPLETED, False)
    assert attempt.order.state == Order.State.OPEN


def _in_doubt(click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    """A callback named a wrong amount; Safaricom, asked, says paid."""
    attempt = click()
    deliver(success(amount=1))
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock)
    found = payment_status(attempt.public_id, now=clock())
    assert found is not None
    assert found.status == Public.PENDING
    return attempt


@pytest.mark.parametrize("receipt", ["UKN4AB12CD", None])
def test_the_true_callback_after_a_wrong_amount_pays_the_order(
    receipt: str | None, click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = _in_doubt(click, deliver, safaricom, clock)
    assert count_payments_in_need()["wrong_amount"] == 1
    assert deliver(success(receipt=receipt)) == Verdict.APPLIED
    attempt.refresh_from_db()
    assert (attempt.pays_order, attempt.refund_due, attempt.receipt) == (True, False, receipt)
    assert attempt.order.state == Order.State.PAID
    found = payment_status(attempt.public_id, now=clock())
    assert found is not None
    assert (found.status, found.receipt) == (Public.COMPLETED, receipt)
    assert count_payments_in_need()["wrong_amount"] == 1  # two callbacks disagreed: a person looks once
    actions.mark_reviewed(attempt.pk, by="kraph", now=clock())
    assert count_payments_in_need()["wrong_amount"] == 0
    assert list(ledger.faults()) == []
    assert deliver(success(receipt=receipt)) == Verdict.REPEATED


def test_the_true_callback_for_an_order_that_was_paid_meanwhile_is_refund_due(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = _in_doubt(click, deliver, safaricom, clock)
    receive(attempt.order_id, cents=150_000, at=clock())
    deliver(success())
    attempt.refresh_from_db()
    assert (attempt.pays_order, attempt.refund_due) == (False, True)
    found = payment_status(attempt.public_id, now=clock())
    assert found is not None
    assert found.status == Public.COMPLETED
    assert count_payments_in_need()["wrong_amount"] == 0


def test_money_that_was_sent_back_pays_nothing_whatever_is_said_later(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = _in_doubt(click, deliver, safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKR1AB12CD", amount_kes=1, reason="wrong", by="kraph", now=clock()
    )
    deliver(success())
    attempt.refresh_from_db()
    assert (attempt.pays_order, attempt.receipt) == (False, "UKN4AB12CD")
    assert attempt.order.state == Order.State.OPEN
    assert list(ledger.faults()) == []


def test_neither_a_wrong_amount_nor_a_query_ends_the_doubt(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = _in_doubt(click, deliver, safaricom, clock)
    deliver(success(amount=1501))
    clock.advance(minutes=1)
    assert enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock) is enquiries.Outcome.PAID
    attempt.refresh_from_db()
    assert (attempt.pays_order, attempt.refund_due, attempt.receipt) == (False, False, None)


@pytest.mark.parametrize("amount", ["1500", 1500.0, "1500.00"])
def test_the_same_amount_in_another_spelling_pays(amount: Any, click: Click, deliver: Deliver) -> None:
    click()
    assert deliver(success(amount=amount)) == Verdict.APPLIED


def test_a_success_without_an_amount_is_a_hint(click: Click, deliver: Deliver) -> None:
    attempt = click()
    body = success()
    del body["Body"]["stkCallback"]["CallbackMetadata"]
    assert deliver(body) == Verdict.HINT
    attempt.refresh_from_db()
    assert attempt.state == State.PENDING


@pytest.mark.parametrize("code", [4999, "4999", 26, "1036", 123456, "E9999", None, "", True])
def test_a_code_that_is_not_listed_as_final_closes_nothing(code: Any, click: Click, deliver: Deliver) -> None:
    attempt = click()
    assert deliver(failure(code)) in (Verdict.HINT, Verdict.UNREADABLE)
    attempt.refresh_from_db()
    assert attempt.state == State.PENDING


@pytest.mark.parametrize("code", ["E3008", "1032", "SFC_IC0003"])
def test_codes_come_as_text_too(code: str, click: Click, deliver: Deliver) -> None:
    attempt = click()
    deliver(failure(code))
    attempt.refresh_from_db()
    assert (attempt.state, attempt.result_code) == (State.FAILED, code)


@pytest.mark.parametrize(
    "junk",
    [
        b"", b"\x00\xff\xfe", b"null", b"[]", b"{}", b'{"Body":null}', b"[" * 5000, b"1" * 9000,
        "\ud800".encode("utf-8", "surrogatepass"),
    ],
    ids=range(9),
)  # fmt: skip
def test_junk_is_kept_and_answered(junk: bytes, click: Click, deliver: Deliver) -> None:
    attempt = click()
    assert deliver(junk) == Verdict.UNREADABLE
    assert CallbackDelivery.objects.get().attempt == attempt


def test_a_receipt_belongs_to_one_payment(click: Click, deliver: Deliver) -> None:
    click(WANJIRU, reference="CART1")
    deliver(success("ws_CO_1"))
    otienos = click(OTIENO, reference="CART2")
    assert deliver(success("ws_CO_2")) == Verdict.RECEIPT_TAKEN
    otienos.refresh_from_db()
    assert otienos.state == State.PENDING


def test_the_inbox_keeps_no_phone_number(click: Click, deliver: Deliver) -> None:
    click()
    deliver(success("ws_CO_231120261800001712345678"))
    body = CallbackDelivery.objects.get().body
    assert "712345678" not in body
    assert "20261123180012" in body
    assert json.loads(body)


def test_a_second_payment_on_one_order_is_refund_due(click: Click, deliver: Deliver, clock: Clock) -> None:
    first = click()
    first_token = "first"
    MpesaTransaction.objects.filter(id=first.id).update(callback_token_hash=gateway.token_hash(first_token))
    clock.advance(minutes=2)
    second = click()  # the first was idle, Safaricom knew nothing of it
    deliver(success("ws_CO_2", receipt="UKN4SECOND"))
    deliver(success("ws_CO_1", receipt="UKN4FIRST1"), token=first_token)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.pays_order, second.refund_due) == (True, False)
    assert (first.state, first.pays_order, first.refund_due) == (State.COMPLETED, False, True)


def test_a_receipt_that_comes_after_the_query_is_filled_in(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt) == (State.COMPLETED, None)
    assert deliver(success()) == Verdict.APPLIED
    attempt.refresh_from_db()
    assert attempt.receipt == "UKN4AB12CD"


def test_a_callback_that_could_not_be_applied_is_applied_by_the_worker(
    click: Click, deliver: Deliver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = click()
    with monkeypatch.context() as broken:

        def away(*_: Any, **__: Any) -> None:
            raise DatabaseError("gone")

        broken.setattr(ledger, "record", away)
        assert deliver(success()) == Verdict.RECEIVED
    assert callbacks.apply_left_behind(now=clock.advance(seconds=6)) == 1
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt) == (State.COMPLETED, "UKN4AB12CD")
    assert callbacks.apply_left_behind(now=clock()) == 0


def test_paid_together_or_not_at_all(click: Click, deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies after the order was paid and before the attempt was: neither is."""
    attempt = click()

    def dies(*_: Any, **__: Any) -> None:
        raise DatabaseError("killed")

    monkeypatch.setattr(write, "append", dies)
    deliver(success())
    attempt.refresh_from_db()
    assert (attempt.state, attempt.order.state) == (State.PENDING, Order.State.OPEN)


def test_a_second_reader_of_an_applied_delivery_leaves_its_verdict(
    click: Click, deliver: Deliver, clock: Clock
) -> None:
    """The worker had read it before the request applied it, and judges it after."""
    click()
    deliver(success())
    [same] = callbacks.stored_deliveries(CallbackDelivery.objects.all())
    assert callbacks.apply_delivery(same, now=clock()) == Verdict.REPEATED
    assert CallbackDelivery.objects.get().verdict == Verdict.APPLIED


def test_a_reader_that_can_read_less_leaves_the_verdict_of_an_applied_delivery(
    click: Click, deliver: Deliver, clock: Clock
) -> None:
    click()
    deliver(success())
    [same] = callbacks.stored_deliveries(CallbackDelivery.objects.all())
    assert callbacks.apply_delivery(replace(same, body="{}"), now=clock()) == Verdict.UNREADABLE
    assert CallbackDelivery.objects.get().verdict == Verdict.APPLIED
