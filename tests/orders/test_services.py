"""Orders: priced by us, coded for the phone, paid once."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError

from orders.codes import ALPHABET, is_code, new_code
from orders.models import Mix, Order
from orders.selectors import id_of_order
from orders.services import OrderRefused, give_back, place_order, place_unpriced_order, receive, undo

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def refusal(*slugs: str) -> str:
    with pytest.raises(OrderRefused) as refused:
        place_order(mix_slugs=slugs, now=NOW)
    assert str(refused.value).endswith(".")
    return refused.value.code


def test_an_order_has_its_price_from_the_shelf(mixes: list[Mix]) -> None:
    order = place_order(mix_slugs=["nairobi-after-dark", "love-songs"], now=NOW)
    assert (order.total_kes, order.is_priced, order.state) == (2500, True, "open")
    Mix.objects.update(price_kes=9)
    assert [(item.title, item.price_kes) for item in order.items.all()] == [
        ("Nairobi After Dark", 1500),
        ("Love Songs", 1000),
    ]


def test_a_mix_twice_in_the_cart_is_bought_once(mixes: list[Mix]) -> None:
    assert place_order(mix_slugs=["love-songs", "love-songs"], now=NOW).total_kes == 1000


def test_what_cannot_be_ordered_is_refused_in_words(mixes: list[Mix]) -> None:
    assert refusal() == "empty_cart"
    assert refusal("no-such-mix") == "not_sold"
    assert refusal("love-songs", "old-hits") == "not_sold"
    Mix.objects.filter(slug="love-songs").update(price_kes=250_000)
    assert refusal("love-songs", "nairobi-after-dark") == "total_too_high"
    assert Order.objects.count() == 0


def test_codes_fit_the_phone_and_have_no_look_alikes() -> None:
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(is_code(code) and len(code) <= 12 and code.isalnum() for code in codes)
    assert not set("01258BILOSVZ") & set(ALPHABET)


def test_a_code_is_found_as_people_say_it(mixes: list[Mix]) -> None:
    order = place_order(mix_slugs=["love-songs"], now=NOW)
    assert id_of_order(f" {order.code.lower()} ") == order.id
    assert id_of_order("DKAAAAAAAA") is None
    assert id_of_order("anything") is None
    assert id_of_order("") is None


def test_a_code_that_is_taken_is_drawn_again(mixes: list[Mix], monkeypatch: pytest.MonkeyPatch) -> None:
    codes = iter(["DKAAAAAAAA", "DKAAAAAAAA", "DKCCCCCCCC"])
    monkeypatch.setattr("orders.services.new_code", lambda: next(codes))
    placed = [place_order(mix_slugs=["love-songs"], now=NOW).code for _ in range(2)]
    assert placed == ["DKAAAAAAAA", "DKCCCCCCCC"]


def test_a_reference_is_one_order_for_good() -> None:
    first = place_unpriced_order(client_reference="CART_1", amount_kes=500, now=NOW)
    assert id_of_order("CART_1") == first.id
    first.refresh_from_db()
    assert (first.is_priced, first.client_reference, first.state) == (False, "CART_1", Order.State.OPEN)
    with pytest.raises(IntegrityError):
        place_unpriced_order(client_reference="CART_1", amount_kes=500, now=NOW)


@pytest.mark.parametrize(
    ("coming", "excess", "state"),
    [
        ([500], [0], "paid"),
        ([500, 500], [0, 500], "paid"),
        ([200], [0], "open"),
        ([200, 300], [0, 0], "paid"),
        ([200, 500], [0, 200], "paid"),
        ([600], [100], "paid"),
    ],
)
def test_an_order_is_paid_once_in_one_part_or_in_several(
    coming: list[int], excess: list[int], state: str
) -> None:
    order = place_unpriced_order(client_reference="CART_1", amount_kes=500, now=NOW)
    assert [receive(order.id, cents=100 * kes, at=NOW) for kes in coming] == [100 * kes for kes in excess]
    order.refresh_from_db()
    assert (order.state, order.received_cents) == (state, 100 * sum(coming))
    assert order.to_pay_kes == max(0, 500 - sum(coming))


def test_what_was_paid_stays_paid_until_all_of_it_went_back() -> None:
    order = place_unpriced_order(client_reference="CART_1", amount_kes=500, now=NOW)
    receive(order.id, cents=50_000, at=NOW)
    for cents, state in ((20_000, "paid"), (30_000, "refunded")):
        give_back(order.id, cents=cents, at=NOW)
        order.refresh_from_db()
        assert (order.state, order.to_pay_kes) == (state, 0)
    assert receive(order.id, cents=50_000, at=NOW) is None


def test_what_was_never_there_opens_the_order_again() -> None:
    order = place_unpriced_order(client_reference="CART_1", amount_kes=500, now=NOW)
    receive(order.id, cents=40_000, at=NOW, waives_rest=True)
    order.refresh_from_db()
    assert (order.state, order.waived_cents) == ("paid", 10_000)
    undo(order.id, received=40_000, at=NOW)
    order.refresh_from_db()
    assert (order.state, order.paid_at, order.waived_cents, order.to_pay_kes) == ("open", None, 0, 500)


@pytest.mark.parametrize(
    "broken",
    [{"total_kes": 0}, {"total_kes": 250_001}, {"state": "paid"}, {"paid_at": NOW}, {"is_priced": True}],
)
def test_the_database_refuses_what_must_not_be(broken: dict[str, object]) -> None:
    order = place_unpriced_order(client_reference="CART_1", amount_kes=500, now=NOW)
    with pytest.raises(IntegrityError):
        Order.objects.filter(id=order.id).update(**broken)


@pytest.mark.parametrize("price", [0, 250_001])
def test_a_mix_has_a_price_in_range(price: int) -> None:
    with pytest.raises(IntegrityError):
        Mix.objects.create(slug="x", title="X", minutes=1, price_kes=price)
