"""The one writer of states: compare-and-set, one transaction, a whole chain."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from orders.models import Order
from payments import gateway, ledger
from payments.daraja import OutcomeUnknown
from payments.ledger import ReceiptTaken, Source, Update, decide, doors
from payments.models import MpesaTransaction, PaymentEvent
from payments.signing import Link
from payments.states import Event, State
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import OTIENO, WANJIRU, FakeDaraja

Click = Callable[..., MpesaTransaction]

PAID = Update(event=Event.CONFIRMED, source=Source.CALLBACK, code="0", receipt="UKN4AB12CD")
CANCELLED = Update(event=Event.DECLINED, source=Source.QUERY, code="1032")


def links(attempt: MpesaTransaction) -> list[tuple[Link, PaymentEvent]]:
    return [
        (
            Link(
                attempt=attempt.public_id, number=e.number, kind=e.kind, source=e.source, at=e.at, facts=e.facts,
                from_state=e.from_state, to_state=e.to_state, previous_hash=e.previous_hash,
            ),
            e,
        )
        for e in attempt.events.order_by("number")
    ]  # fmt: skip


def test_the_chain_verifies_as_it_comes_back_from_the_database(click: Click, clock: Clock) -> None:
    attempt = click()
    ledger.note(attempt.id, "asked", source=Source.QUERY, now=clock(), facts={"code": "4999"})
    ledger.record(attempt.id, PAID, now=clock.advance(seconds=8.5))
    attempt.refresh_from_db()
    previous = ""
    for number, (link, event) in enumerate(links(attempt), start=1):
        assert (event.number, event.previous_hash) == (number, previous)
        assert gateway.keyring().verifies(link, signed_with=event.key_id, digest=event.hash)
        previous = event.hash
    assert (attempt.events_count, attempt.chain_head) == (4, previous)


def test_a_writer_that_was_overtaken_decides_anew(
    click: Click, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between this writer's read and its write, a callback says paid."""
    attempt = click()
    really_read = doors.read
    snapshots = [really_read(attempt.id)]
    ledger.record(attempt.id, PAID, now=clock())
    monkeypatch.setattr(doors, "read", lambda pk: snapshots.pop() if snapshots else really_read(pk))
    recorded = ledger.record(attempt.id, CANCELLED, now=clock())
    attempt.refresh_from_db()
    assert (attempt.state, recorded.before) == (State.COMPLETED, State.COMPLETED)
    assert [event.number for event in attempt.events.order_by("number")] == [1, 2, 3, 4]


def test_the_same_news_twice_is_written_once(click: Click, clock: Clock) -> None:
    attempt = click()
    assert ledger.record(attempt.id, PAID, now=clock()).news
    assert not ledger.record(attempt.id, PAID, now=clock()).news
    assert attempt.events.count() == 3


def test_a_contradiction_after_the_money_is_noted_once_and_moves_nothing(click: Click, clock: Clock) -> None:
    attempt = click()
    ledger.record(attempt.id, PAID, now=clock())
    for _ in range(2):
        ledger.record(attempt.id, CANCELLED, now=clock())
    attempt.refresh_from_db()
    assert attempt.state == State.COMPLETED
    assert [event.kind for event in attempt.events.all()][2:] == ["confirmed", "declined_again"]


def test_a_receipt_of_another_payment_is_refused_by_the_database(click: Click, clock: Clock) -> None:
    ledger.record(click(WANJIRU, reference="CART1").id, PAID, now=clock())
    otienos = click(OTIENO, reference="CART2")
    with pytest.raises(ReceiptTaken):
        ledger.record(otienos.id, PAID, now=clock())
    otienos.refresh_from_db()
    assert (otienos.state, otienos.order.state) == (State.PENDING, "open")


@pytest.mark.parametrize(
    "broken",
    [
        {"pays_order": True},  # not completed
        {"refund_due": True},
        {"state": "paid"},
        {"amount_kes": 0},
        {"amount_kes": 250_001},
        {"state": "completed", "pays_order": True, "refund_due": True},
    ],
)
def test_the_database_refuses_what_must_not_be(broken: dict[str, Any], click: Click) -> None:
    with pytest.raises(IntegrityError):
        MpesaTransaction.objects.filter(id=click().id).update(**broken)


def test_two_attempts_pay_one_order_together_and_what_is_too_much_is_due(click: Click, clock: Clock) -> None:
    """600 come as the statement names them for the first request of 1,500; the second is paid whole."""
    first = click()
    ledger.record(first.id, CANCELLED, now=clock())
    second = click()
    part = replace(PAID, source=Source.STATEMENT, receipt="UKN1AB12CD", amount=Decimal(600))
    ledger.record(first.id, part, now=clock())
    ledger.record(second.id, PAID, now=clock())
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.pays_order, first.due_cents) == (True, 0)
    assert (second.pays_order, second.due_cents) == (True, 60_000)
    order = Order.objects.get(id=first.order_id)
    assert (order.state, order.received_cents, order.returned_cents) == ("paid", 210_000, 60_000)
    assert list(ledger.faults()) == []


def test_facts_hold_no_phone_and_no_checkout_id(click: Click, clock: Clock) -> None:
    told = Update(
        event=Event.CONFIRMED, source=Source.CALLBACK, code="0", checkout_request_id="ws_CO_1708374149"
    )
    attempt = click()
    ledger.record(attempt.id, told, now=clock())
    assert "708374149" not in str([event.facts for event in attempt.events.all()])


def test_another_receipt_with_the_right_amount_ends_no_doubt(click: Click, clock: Clock) -> None:
    """Money of a wrong amount came with a receipt of its own: the other receipt is other money."""
    attempt = click()
    wrong = replace(PAID, amount=Decimal(1), receipt="UKN1AB12CD")
    ledger.record(attempt.id, wrong, now=clock())
    with pytest.raises(ledger.AnotherReceipt):
        ledger.record(attempt.id, replace(PAID, amount=Decimal(1500)), now=clock())
    attempt.refresh_from_db()
    assert (attempt.pays_order, attempt.receipt) == (False, "UKN1AB12CD")
    ledger.record(attempt.id, replace(wrong, amount=Decimal(1500)), now=clock())
    attempt.refresh_from_db()
    assert (attempt.pays_order, attempt.receipt) == (True, "UKN1AB12CD")


# --- an id that comes late --------------------------------------------------------------------------------

TAKEN = Update(event=Event.ACCEPTED, source=Source.PUSH, checkout_request_id="ws_CO_late")
NO_PIN = Update(event=Event.DECLINED, source=Source.CALLBACK, code="1037", checkout_request_id="ws_CO_late")
EXPIRED = Update(event=Event.EXPIRED, source=Source.CLOCK)
REFUSED = Update(event=Event.REFUSED, source=Source.PUSH, code="Unreachable")


@pytest.mark.parametrize("news", [TAKEN, NO_PIN], ids=["the push's answer", "a callback"])
@pytest.mark.parametrize("before", [EXPIRED, REFUSED], ids=["expired", "refused"])
def test_an_attempt_that_was_given_up_is_asked_about_once_its_id_is_known(
    before: Update, news: Update, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    safaricom.push_answer = OutcomeUnknown("read timeout")
    attempt = click()
    ledger.record(attempt.id, before, now=clock.advance(minutes=5))
    MpesaTransaction.objects.filter(id=attempt.id).update(next_check_at=None)
    ledger.record(attempt.id, news, now=clock())
    attempt.refresh_from_db()
    assert attempt.checkout_request_id == "ws_CO_late"
    assert attempt.next_check_at == clock() + decide.FIRST_CHECK_AFTER


def test_an_id_that_comes_late_to_a_certain_failure_starts_no_questions(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    safaricom.push_answer = OutcomeUnknown("read timeout")
    attempt = click()
    ledger.record(attempt.id, CANCELLED, now=clock())
    ledger.record(attempt.id, TAKEN, now=clock())
    attempt.refresh_from_db()
    assert (attempt.state, attempt.next_check_at) == (State.FAILED, None)
