"""What a buyer sees of an order that came in parts, or went back: the rest to pay, each receipt, and what to do."""

from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from payments import manual
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import called_back
from tests.support.payments.stating import row, state


@pytest.fixture
def order(db: None, clock: Clock) -> Order:
    from django.utils import timezone

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
    from django.utils import timezone

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
