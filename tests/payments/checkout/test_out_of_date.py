"""Orders that are asked for no more: too old, at yesterday's price, or given up by the page that made them."""

from datetime import timedelta

import pytest
from django.test import Client

from orders.models import Mix, Order
from orders.services import place_order
from payments import daraja, enquiries, ledger
from payments.checkout import PushProblem
from payments.ledger import Source, Update
from payments.models import MpesaTransaction
from payments.states import Event, State
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import OTIENO, FakeDaraja, not_paid_answer, paid_answer
from tests.support.payments.paying import Click, called_back

LIFE = timedelta(hours=48)


def refusal(click: Click, **ask: object) -> PushProblem:
    with pytest.raises(PushProblem) as refused:
        click(**ask)
    return refused.value


def ends(attempt: MpesaTransaction, clock: Clock, code: str) -> None:
    """Safaricom's callback says that nothing was paid."""
    ledger.record(attempt.id, Update(event=Event.DECLINED, source=Source.CALLBACK, code=code), now=clock())


@pytest.fixture
def order(mixes: list[Mix], clock: Clock) -> Order:
    return place_order(mix_slugs=["nairobi-after-dark"], now=clock())


def again(click: Click, order: Order) -> MpesaTransaction:
    return click(amount=order.total_kes, reference=order.code)


# --- too old --------------------------------------------------------------------------------------------


def test_an_order_of_200_days_is_not_asked_for_whatever_its_mix_costs_now(
    order: Order, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    Mix.objects.filter(slug="nairobi-after-dark").update(price_kes=3000)
    clock.advance(days=200)
    refused = refusal(click, amount=1500, reference=order.code)
    assert refused.code == "order_ended"
    assert (
        str(refused)
        == "This order is too old to be paid. Nothing was charged. Please start again from the cart."
    )
    assert safaricom.pushes == []


def test_it_ends_after_its_life_to_the_second(order: Order, click: Click, clock: Clock) -> None:
    clock.advance(seconds=LIFE.total_seconds() - 1)
    assert again(click, order).state == State.PENDING


def test_the_life_is_a_setting(order: Order, click: Click, clock: Clock, settings: object) -> None:
    settings.ORDER_LIFE_HOURS = 1  # type: ignore[attr-defined]
    clock.advance(hours=1)
    assert refusal(click, amount=1500, reference=order.code).code == "order_ended"
    assert list(ledger.ended_orders(now=clock())) == [order]


def test_an_open_prompt_keeps_it_and_answers_for_itself(
    order: Order, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    clock.advance(hours=47, minutes=59)
    first = again(click, order)
    clock.advance(seconds=90)
    assert not ledger.has_ended(order, now=clock())
    assert again(click, order) == first
    called_back(safaricom, clock)
    order.refresh_from_db()
    assert order.state == Order.State.PAID


def test_an_idle_prompt_is_asked_about_before_it_is_said_to_have_ended(
    order: Order, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    again(click, order)
    clock.advance(days=200)
    safaricom.query_answer = not_paid_answer()
    assert refusal(click, amount=1500, reference=order.code).code == "order_ended"
    assert safaricom.queries == ["ws_CO_1"]
    assert len(safaricom.pushes) == 1


def test_an_idle_prompt_that_was_paid_pays_it_however_old_it_is(
    order: Order, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = again(click, order)
    clock.advance(days=200)
    safaricom.query_answer = paid_answer()
    assert again(click, order) == first
    order.refresh_from_db()
    assert order.state == Order.State.PAID


def test_one_that_is_watched_keeps_it_until_somebody_has_asked(
    order: Order, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    clock.advance(hours=47, minutes=57)
    attempt = again(click, order)
    clock.advance(minutes=1)
    ends(attempt, clock, "1037")  # money has been seen to come after it
    clock.advance(minutes=9)
    assert not ledger.has_ended(order, now=clock())
    safaricom.query_answer = not_paid_answer("1037")
    enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock)
    assert ledger.has_ended(order, now=clock())


def test_one_that_nobody_asks_about_keeps_it_for_a_day_at_most(
    order: Order, click: Click, clock: Clock
) -> None:
    """No worker runs."""
    ends(again(click, order), clock, "1037")
    clock.advance(hours=49)
    assert ledger.has_ended(order, now=clock())


def test_one_that_was_cancelled_keeps_nothing(order: Order, click: Click, clock: Clock) -> None:
    clock.advance(hours=47, minutes=59)
    ends(again(click, order), clock, "1032")
    clock.advance(minutes=1)
    assert ledger.has_ended(order, now=clock())


def test_a_part_paid_order_does_not_end_and_keeps_its_price(order: Order, click: Click, clock: Clock) -> None:
    Order.objects.update(received_cents=40_000)
    Mix.objects.update(price_kes=9)
    clock.advance(days=200)
    assert click(amount=1100, reference=order.code).state == State.PENDING


def test_money_in_doubt_keeps_it(order: Order, click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = again(click, order)
    called_back(safaricom, clock, amount=900)
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock)
    clock.advance(days=200)
    assert refusal(click, amount=1500, reference=order.code).code == "being_checked"
    assert not ledger.has_ended(order, now=clock())


# --- at another price -----------------------------------------------------------------------------------


def test_another_price_today_is_said_before_paying(
    order: Order, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    Mix.objects.filter(slug="nairobi-after-dark").update(price_kes=3000)
    refused = refusal(click, amount=1500, reference=order.code)
    assert refused.code == "price_changed"
    assert str(refused) == (
        "“Nairobi After Dark” costs KES 3,000 now, not KES 1,500. Nothing was charged. "
        "Please start again from the cart."
    )
    assert safaricom.pushes == []


def test_a_mix_that_is_no_longer_sold_is_said_too(order: Order, click: Click) -> None:
    Mix.objects.update(on_sale=False)
    refused = refusal(click, amount=1500, reference=order.code)
    assert (refused.code, "is no longer sold" in str(refused)) == ("price_changed", True)


def test_a_prompt_that_rings_already_is_not_taken_back_by_a_new_price(
    order: Order, click: Click, safaricom: FakeDaraja
) -> None:
    first = again(click, order)
    Mix.objects.update(price_kes=3000)
    assert again(click, order) == first


# --- a reference that the merchant's page made ----------------------------------------------------------


@pytest.mark.parametrize("code", ["1032", "1", "2001"])
def test_an_attempt_over_one_shilling_squats_no_reference(
    code: str, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    squatter = click(OTIENO, amount=1, reference="CART7")
    ends(squatter, clock, code)
    attempt = click(amount=15_000, reference="CART7")
    assert (attempt.amount_kes, attempt.order.total_kes, attempt.order.client_reference) == (
        15_000,
        15_000,
        "CART7",
    )
    squatter.order.refresh_from_db()
    assert squatter.order.total_kes == 1  # no order's total ever changes
    assert squatter.order.client_reference == f"CART7 (until {squatter.order.code})"
    assert click(amount=15_000, reference="CART7") == attempt


def test_late_money_of_the_one_that_gave_the_reference_up_pays_only_itself(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    squatter = click(OTIENO, amount=1, reference="CART7")
    token = safaricom.last_token
    ends(squatter, clock, "1032")
    attempt = click(amount=15_000, reference="CART7")
    late = Update(event=Event.CONFIRMED, source=Source.CALLBACK, code="0", receipt="UKN4AB12CD")
    ledger.record(squatter.id, late, now=clock())
    attempt.order.refresh_from_db()
    assert attempt.order.state == Order.State.OPEN
    assert token != safaricom.last_token


def test_an_open_prompt_holds_its_reference(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    click(OTIENO, amount=1, reference="CART7")
    assert refusal(click, amount=15_000, reference="CART7").code == "amount_mismatch"
    assert len(safaricom.pushes) == 1


def test_an_idle_one_is_asked_about_and_then_gives_it_up(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    click(OTIENO, amount=1, reference="CART7")
    clock.advance(minutes=2)
    safaricom.query_answer = not_paid_answer()
    assert click(amount=15_000, reference="CART7").amount_kes == 15_000
    assert safaricom.queries == ["ws_CO_1"]


def test_an_idle_one_that_was_paid_keeps_it(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    click(OTIENO, amount=1, reference="CART7")
    clock.advance(minutes=2)
    safaricom.query_answer = paid_answer()
    assert refusal(click, amount=15_000, reference="CART7").code == "amount_mismatch"
    assert len(safaricom.pushes) == 1


def test_an_idle_one_that_cannot_be_asked_about_keeps_it(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    click(amount=1, reference="CART7")
    clock.advance(minutes=2)
    safaricom.query_answer = daraja.QueryAnswer(verdict=daraja.Verdict.NO_ANSWER, asked=False)
    assert refusal(click, amount=15_000, reference="CART7").code == "amount_mismatch"


def test_a_reference_is_free_again_when_its_order_has_ended(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = click(reference="CART7")
    ends(first, clock, "1032")
    clock.advance(hours=48)
    assert click(reference="CART7").order != first.order


def test_the_same_amount_is_the_same_order_while_it_lives(click: Click, clock: Clock) -> None:
    first = click(reference="CART7")
    ends(first, clock, "1032")
    clock.advance(hours=47)
    assert click(reference="CART7").order == first.order


def test_a_priced_order_is_never_had_for_less(
    order: Order, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """By its code, while it lives and after; and what is placed under a reference is priced by nobody."""
    for _ in range(2):
        assert refusal(click, amount=1, reference=order.code).code == "amount_mismatch"
        assert refusal(click, amount=1, reference=f" {order.code.lower()}").code == "amount_mismatch"
        clock.advance(days=3)
    assert Order.objects.get() == order
    assert safaricom.pushes == []


def test_an_unpriced_order_named_by_its_code_gives_nothing_up(click: Click, clock: Clock) -> None:
    first = click(amount=1, reference="CART7")
    ends(first, clock, "1032")
    assert refusal(click, amount=15_000, reference=first.order.code).code == "amount_mismatch"


# --- pages ----------------------------------------------------------------------------------------------


def seen(client: Client, order: Order, page: str = "/checkout/{}") -> str:
    return client.get(page.format(order.token)).text


@pytest.fixture
def old(order: Order) -> Order:
    Order.objects.update(created_at=order.created_at - timedelta(days=4000))
    return order


def test_the_pages_of_an_ended_order_say_so_and_lead_to_the_cart(client: Client, old: Order) -> None:
    checkout = seen(client, old)
    assert 'data-state="renew"' in checkout
    assert "too old to be paid" in checkout
    assert 'href="/cart?mix=nairobi-after-dark"' in checkout
    confirmation = seen(client, old, "/confirmation.html?order={}")
    assert 'data-state="ended"' in confirmation
    assert 'http-equiv="refresh"' not in confirmation
    assert 'href="/cart?mix=nairobi-after-dark"' in confirmation


def test_the_checkout_says_that_a_price_has_changed(client: Client, mixes: list[Mix]) -> None:
    client.post("/api/orders", {"items": [{"mix": "love-songs"}]}, content_type="application/json")
    order = Order.objects.get()
    assert 'data-state="form"' in seen(client, order)
    Mix.objects.filter(slug="love-songs").update(price_kes=1200)
    checkout = seen(client, order)
    assert 'data-state="renew"' in checkout
    assert "costs KES 1,200 now, not KES 1,000" in checkout


def test_a_prompt_that_is_open_is_shown_whatever_the_age(client: Client, old: Order, click: Click) -> None:
    Order.objects.update(created_at=old.created_at)
    again(click, old)
    Order.objects.update(created_at=old.created_at - timedelta(days=4000))
    assert 'data-state="renew"' not in seen(client, old)
