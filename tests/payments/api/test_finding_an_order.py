"""Where a buyer finds an order again: by what stands in the M-PESA message, and by nothing less."""

import pytest
from django.test import Client

from orders.models import Mix, Order
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import Click, pay

RECEIPT = "UKN4AB12CD"


@pytest.fixture
def paid(mixes: list[Mix], click: Click, safaricom: FakeDaraja, clock: Clock) -> Order:
    order = place(clock)
    pay(click, safaricom, clock, receipt=RECEIPT, amount=order.total_kes, reference=order.code)
    return order


@pytest.mark.django_db
@pytest.mark.parametrize("more", ["", "?order=", "?success=true&type=cart&amount=15000&txid=UKN4AB12CD"])
def test_without_an_order_it_is_a_page_that_finds_one(client: Client, more: str) -> None:
    page = client.get(f"/confirmation.html{more}")
    assert page.status_code == 200
    assert 'data-state="find_order"' in page.text
    assert "We know no payment" not in page.text
    assert 'href="/cart"' in page.text


def test_code_and_receipt_open_it_however_they_are_spelt(client: Client, paid: Order) -> None:
    told = {"code": f" {paid.code.lower()} ", "receipt": RECEIPT.lower()}
    answer = client.get("/confirmation.html", told)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/confirmation.html?order={paid.token}")


@pytest.mark.parametrize(
    "wrong",
    [{"receipt": ""}, {"receipt": "UKN4AB12CE"}, {"code": ""}, {"code": "DKAAAAAAAA"}, {"receipt": "\x00"}],
    ids=["the code alone", "another's receipt", "the receipt alone", "another's code", "nonsense"],
)
def test_half_of_it_opens_nothing(client: Client, paid: Order, wrong: dict[str, str]) -> None:
    page = client.get("/confirmation.html", {"code": paid.code, "receipt": RECEIPT, **wrong})
    assert page.status_code == 200
    assert "We know no payment with this receipt" in page.text
    assert paid.token not in page.text


def test_a_merchants_own_reference_is_no_code(
    client: Client, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """References like CART_1764000000000 can be guessed; the code in the message can't."""
    pay(click, safaricom, clock, receipt=RECEIPT, reference="CART_1")
    page = client.get("/confirmation.html", {"code": "CART_1", "receipt": RECEIPT})
    assert page.status_code == 200


@pytest.mark.parametrize("address", ["/checkout/nobodys", "/confirmation.html?order=nobodys"])
@pytest.mark.django_db
def test_an_unknown_token_says_what_to_do(client: Client, address: str) -> None:
    page = client.get(address)
    assert page.status_code == 404
    assert "We do not know this order" in page.text
    assert 'name="receipt"' in page.text
