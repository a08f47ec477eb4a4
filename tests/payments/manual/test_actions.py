"""What staff do about a payment: each leaves an event with the name, and what makes no sense is refused in words."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from payments import enquiries, ledger, manual
from payments.enquiries.ask import Outcome
from payments.manual import actions
from payments.manual.actions import ActionRefused
from payments.models import CallbackDelivery, MpesaTransaction, PaymentEvent
from payments.states import State
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import WANJIRU, FakeDaraja, not_paid_answer, paid_answer
from tests.support.payments.paying import called_back, pay

Click = Callable[..., MpesaTransaction]


@pytest.fixture
def kraph_asks(clock: Clock) -> Callable[[MpesaTransaction], actions.Asked]:
    return lambda attempt: actions.ask_now(attempt.pk, by="kraph", clock=clock)


def events_of(attempt: MpesaTransaction) -> list[tuple[str, str]]:
    told = PaymentEvent.objects.filter(attempt=attempt, source="staff").order_by("number")
    return [(event.kind, event.facts["by"]) for event in told]


def test_a_stuck_payment_is_asked_about_and_seen_paid(
    click: Click, safaricom: FakeDaraja, clock: Clock, kraph_asks: Callable[..., actions.Asked]
) -> None:
    attempt = click()
    clock.advance(minutes=10)
    safaricom.query_answer = paid_answer()
    assert kraph_asks(attempt).outcome is Outcome.PAID
    attempt.refresh_from_db()
    assert attempt.state == State.COMPLETED
    assert attempt.pays_order
    assert events_of(attempt) == [("staff_asked", "kraph")]
    assert list(ledger.faults()) == []


def test_without_a_free_turn_nothing_is_asked_and_staff_hear_when(
    click: Click,
    safaricom: FakeDaraja,
    clock: Clock,
    kraph_asks: Callable[..., actions.Asked],
    settings: object,
) -> None:
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 5  # type: ignore[attr-defined]
    attempt = click()
    clock.advance(minutes=10)
    kraph_asks(attempt)
    again = kraph_asks(attempt)
    assert again.outcome is Outcome.NOT_ASKED
    assert again.again_at == clock() + timedelta(seconds=12)
    assert len(safaricom.queries) == 1
    assert events_of(attempt) == [("staff_asked", "kraph")]


def test_asking_about_a_payment_that_ended_starts_no_new_watch(
    click: Click, safaricom: FakeDaraja, clock: Clock, kraph_asks: Callable[..., actions.Asked]
) -> None:
    attempt = click()
    called_back(safaricom, clock, code=1032)
    clock.advance(minutes=10)
    safaricom.query_answer = not_paid_answer()
    assert kraph_asks(attempt).outcome is Outcome.NOT_PAID
    assert enquiries.due(now=clock.advance(hours=1)) == []


def test_a_paid_payment_and_one_without_an_id_are_not_asked_about(
    click: Click, safaricom: FakeDaraja, clock: Clock, kraph_asks: Callable[..., actions.Asked]
) -> None:
    paid = pay(click, safaricom, clock)
    with pytest.raises(ActionRefused, match="It is paid"):
        kraph_asks(paid)
    MpesaTransaction.objects.filter(pk=paid.pk).update(
        state=State.UNKNOWN, checkout_request_id=None, pays_order=False
    )
    with pytest.raises(ActionRefused, match="never gave this request an id"):
        kraph_asks(paid)
    assert safaricom.queries == []


def test_a_note_is_kept_with_its_writer_and_without_phone_numbers(click: Click, clock: Clock) -> None:
    attempt = click()
    actions.write_note(attempt.pk, text=f"Called from {WANJIRU}, sent the SMS", by="akinyi", now=clock())
    event = PaymentEvent.objects.get(attempt=attempt, kind="note")
    assert event.facts["by"] == "akinyi"
    assert WANJIRU not in event.facts["text"]
    assert "sent the SMS" in event.facts["text"]


def test_marking_an_unpriced_payment_takes_it_off_the_list_once(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock)
    assert attempt.unpriced
    actions.mark_reviewed(attempt.pk, by="kraph", now=clock())
    attempt.refresh_from_db()
    assert attempt.reviewed_at == clock()
    with pytest.raises(ActionRefused, match="already"):
        actions.mark_reviewed(attempt.pk, by="kraph", now=clock())
    assert events_of(attempt) == [("looked_at", "kraph")]


def test_a_payment_that_waits_has_nothing_to_mark(click: Click, clock: Clock) -> None:
    with pytest.raises(ActionRefused, match="nothing about it"):
        actions.mark_reviewed(click().pk, by="kraph", now=clock())


def test_a_refund_is_recorded_once_with_its_reference(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock)
    told = {"reason": "Bought twice", "by": "akinyi", "now": clock()}
    manual.record_refund(attempt.pk, reference=" ukp7rf00aa ", amount_kes=1500, **told)
    attempt.refresh_from_db()
    assert (attempt.refund_reference, attempt.refunded_kes, attempt.state) == (
        "UKP7RF00AA",
        1500,
        State.COMPLETED,
    )
    with pytest.raises(ActionRefused, match="recorded already"):
        manual.record_refund(attempt.pk, reference="UKP7RF00AB", amount_kes=1500, **told)
    assert list(ledger.faults()) == []


def test_no_refund_without_money_nor_of_more_than_came(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    told = {"reason": "Bought twice", "by": "akinyi", "now": clock()}
    attempt = click()
    with pytest.raises(ActionRefused, match="No money has come"):
        manual.record_refund(attempt.pk, reference="UKP7RF00AA", amount_kes=1500, **told)
    called_back(safaricom, clock)
    with pytest.raises(ActionRefused, match="More would be refunded"):
        manual.record_refund(attempt.pk, reference="UKP7RF00AA", amount_kes=1501, **told)


def test_one_reference_is_one_refund(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    first = pay(click, safaricom, clock)
    second = pay(click, safaricom, clock, msisdn="254798765432", reference="CART2", receipt="UKN4AB12CE")
    told = {"reason": "Bought twice", "by": "akinyi", "now": clock(), "amount_kes": 1500}
    manual.record_refund(first.pk, reference="UKP7RF00AA", **told)
    with pytest.raises(ActionRefused, match="another refund"):
        manual.record_refund(second.pk, reference="UKP7RF00AA", **told)
    second.refresh_from_db()
    assert second.refunded_at is None


def test_the_ledger_check_finds_a_refund_that_no_event_tells(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock)
    MpesaTransaction.objects.filter(pk=attempt.pk).update(
        refunded_at=clock(), refunded_kes=1500, refund_reference="UKP7RF00AA"
    )
    assert "its refund is not the one its events name" in [fault.what for fault in ledger.faults()]


def test_a_callback_is_taken_off_the_list_of_problems_once(db: None, clock: Clock) -> None:
    delivery = CallbackDelivery.objects.create(received_at=clock(), body="{}", verdict="unreadable")
    actions.mark_delivery_reviewed(delivery.pk, by="kraph", now=clock())
    with pytest.raises(ActionRefused, match="kraph has looked at it already"):
        actions.mark_delivery_reviewed(delivery.pk, by="akinyi", now=clock.advance(hours=1))
    delivery.refresh_from_db()
    assert delivery.reviewed_by == "kraph"
