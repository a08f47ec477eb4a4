"""What a buyer sees of an order that came in parts, or went back: the rest to pay, each receipt, and what to do."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import Order
from payments import manual
from payments.models import MpesaTransaction
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import Click, called_back, doubted
from tests.support.payments.stating import row, state


@pytest.fixture
def order(db: None, clock: Clock) -> Order:
    clock.now = timezone.now()
    placed = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 400, placed.code)], clock)
    placed.refresh_from_db()
    return placed


def page(order: Order, which: str = "checkout") -> str:
    address = f"/checkout/{order.token}" if which == "checkout" else f"/confirmation.html?order={order.token}"
    return Client().get(address).content.decode()


def test_the_checkout_asks_for_the_rest(order: Order) -> None:
    told = page(order)
    assert 'data-amount="600"' in told
    assert "Already received" in told
    assert "Still to pay" in told


def test_a_whole_order_says_nothing_of_parts(db: None, clock: Clock) -> None:
    clock.now = timezone.now()
    told = page(place(clock))
    assert 'data-amount="1000"' in told
    assert "Already received" not in told


def test_each_part_has_its_receipt_on_the_confirmation(
    order: Order, click: Any, safaricom: FakeDaraja, clock: Clock
) -> None:
    click(amount=600, reference=order.code)
    called_back(safaricom, clock, amount=600)
    assert "UKN8AB12CD, UKN4AB12CD" in page(order, "confirmation")


def test_an_order_that_was_refunded_says_so_and_asks_for_nothing(
    click: Any, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    called_back(safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=1500, reason="Asked.", by="akinyi", now=clock()
    )
    told = page(attempt.order, "confirmation")
    assert "Your money was sent back" in told
    assert "Thank you" not in told
    checkout = page(attempt.order)
    assert "This order was refunded" in checkout
    assert 'data-state="renew"' in checkout


def test_a_part_is_said_to_be_in_and_the_rest_is_asked_for(order: Order) -> None:
    told = page(order, "confirmation")
    assert "KES 400 received" in told
    assert "KES 600 of KES 1,000 are still to pay" in told
    assert "Pay the rest" in told


def test_a_failed_request_for_the_rest_is_not_called_paid_by_the_first_part(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """The first part came by a request from the same phone; the second request is cancelled."""
    clock.now = timezone.now()
    doubted(click, safaricom, clock, named=600)
    clock.advance(minutes=3)
    first = MpesaTransaction.objects.get()
    state([row("UKN4AB12CD", first.created_at, 600, first.account_reference)], clock)
    first.refresh_from_db()
    assert (first.pays_order, first.order.to_pay_kes) == (True, 900)
    second = click(amount=900, reference=first.account_reference)
    called_back(safaricom, clock, code=1032)
    answer = Client().post(
        "/stkpush/status", {"checkoutRequestId": second.checkout_request_id}, content_type="application/json"
    )
    assert answer.json()["status"] == "failed"
