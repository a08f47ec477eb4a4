"""Where is my money: what somebody is told who names the order's code, the M-PESA code, or a phone number."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from orders.models import Mix, Order
from orders.services import give_back, receive
from payments import gateway
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import Click, pay

RECEIPT = "UKN4AB12CD"
SMS = "{receipt} Confirmed. Ksh1,500.00 sent to DJ KRAPH for account {code} on 27/11/26 at 9:15 AM. New balance …"


@pytest.fixture
def order(mixes: list[Mix], clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Order:
    monkeypatch.setattr(gateway, "now", clock)
    return place(clock)


@pytest.fixture
def paid(order: Order, click: Click, safaricom: FakeDaraja, clock: Clock) -> Order:
    pay(click, safaricom, clock, receipt=RECEIPT, amount=order.total_kes, reference=order.code)
    return order


def asked(client: Client, what: str, **how: Any) -> tuple[str, str]:
    """The next step, and the page."""
    answer = client.post("/where-is-my-money", {"what": what}, **how)
    assert answer.status_code == 200
    page = answer.content.decode()
    return page.partition('data-next="')[2].partition('"')[0], page


@pytest.mark.django_db
def test_it_is_a_form_that_every_page_leads_to(client: Client) -> None:
    for address in ("/", "/cart", "/confirmation.html", "/where-is-my-money"):
        assert 'href="/where-is-my-money"' in client.get(address).content.decode()
    page = client.get("/where-is-my-money").content.decode()
    main = page.partition("<main")[2].partition("</main>")[0]
    assert '<form class="box" method="post"' in main
    assert 'type="submit"' in main


@pytest.mark.django_db
def test_the_shop_s_contact_stands_on_every_page(client: Client, settings: Any) -> None:
    assert 'id="contact"' not in client.get("/").content.decode()
    settings.SHOP_CONTACT_PHONE, settings.SHOP_CONTACT_EMAIL = "0700 000 111", "kraph@djkraph.co.ke"
    for address in ("/", "/cart", "/where-is-my-money", "/nothing-here", "/confirmation.html?order=x"):
        page = client.get(address).content.decode()
        assert 'href="tel:0700 000 111"' in page
        assert 'href="mailto:kraph@djkraph.co.ke"' in page


@pytest.mark.parametrize("spelt", [RECEIPT, RECEIPT.lower(), f"  {RECEIPT} ", SMS])
def test_an_m_pesa_code_leads_to_the_mixes(client: Client, paid: Order, spelt: str) -> None:
    what, page = asked(client, spelt.format(receipt=RECEIPT, code=paid.code))
    assert what == "download"
    assert f"/confirmation.html?order={paid.token}" in page
    assert f"receipt {RECEIPT}" in page


@pytest.mark.parametrize(
    "spell", [str, str.lower, lambda code: f"{code[:4]} {code[4:]}", lambda code: f"order {code}"]
)
def test_the_order_s_code_tells_the_story_and_opens_nothing(
    client: Client, paid: Order, spell: Callable[[str], str]
) -> None:
    what, page = asked(client, spell(paid.code))
    assert what == "find"
    assert "was paid on" in page
    assert "Do not pay again" in page
    assert paid.token not in page
    assert RECEIPT not in page


def test_who_waits_is_told_to_wait_and_safaricom_is_asked_when_its_answer_is_late(
    client: Client, order: Order, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    click(amount=order.total_kes, reference=order.code)
    what, page = asked(client, order.code)
    assert (what, "We asked Safaricom" in page) == ("wait", False)
    assert "Do not pay again yet" in page
    clock.advance(seconds=100)
    what, page = asked(client, order.code)
    assert what == "wait"
    assert "We asked Safaricom about it on" in page


def test_an_order_nobody_paid_may_be_paid_and_an_old_one_may_not(client: Client, order: Order) -> None:
    what, page = asked(client, order.code)
    assert (what, order.token in page) == ("pay", False)
    Order.objects.update(created_at=order.created_at - timedelta(days=9))
    assert asked(client, order.code)[0] == "write"


def test_a_part_and_a_refund_say_so(client: Client, order: Order, clock: Clock) -> None:
    receive(order.id, cents=60_000, at=clock.now)
    what, page = asked(client, order.code)
    assert what == "pay_rest"
    assert f"KES 600 of KES {order.total_kes:,} are in." in page
    receive(order.id, cents=100 * order.total_kes - 60_000, at=clock.now)
    give_back(order.id, cents=100 * order.total_kes, at=clock.now)
    assert asked(client, order.code)[0] == "was_refunded"


def test_a_phone_number_says_only_whether_something_is_under_way(
    client: Client, order: Order, click: Click
) -> None:
    assert asked(client, "0712 345 678")[0] == "nothing_here"
    attempt = click(amount=order.total_kes, reference=order.code)
    what, page = asked(client, "0712 345 678")
    assert what == "look_at_phone"
    for secret in (order.code, order.token, attempt.public_id, "KES 1,5", "712345678", "712 345 678"):
        assert secret not in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    "what", ["UKN9ZZ99ZZ", "DKAAAAAAAA", "hello", "' OR 1=1", "\x00", "<script>x", "9" * 399, "💸"]
)
def test_what_nobody_knows_is_told_in_words(client: Client, what: str) -> None:
    told, page = asked(client, what)
    assert told == "not_known"
    assert "Do not pay again meanwhile" in page
    assert "<script>x" not in page


@pytest.mark.django_db
def test_a_person_looks_six_times_a_minute(client: Client) -> None:
    for _ in range(6):
        assert client.post("/where-is-my-money", {"what": "DKAAAAAAAA"}).status_code == 200
    answer = client.post("/where-is-my-money", {"what": "DKAAAAAAAA"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert asked(client, "DKAAAAAAAA", REMOTE_ADDR="41.90.1.1")[0] == "not_known"
    assert client.get("/where-is-my-money").status_code == 200


def test_who_guesses_learns_nothing(client: Client, paid: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty codes that nobody has, slowly: after that a real one is answered as a made-up one."""
    monkeypatch.setattr("payments.api.where.A_MINUTE", 1000)
    for number in range(61):
        assert asked(client, f"UKN{number:07}")[0] == "not_known"
    real = client.post("/where-is-my-money", {"what": RECEIPT})
    made_up = client.post("/where-is-my-money", {"what": "UKN9ZZ99ZZ"})
    assert (real.status_code, made_up.status_code) == (429, 429)
    assert real.content == made_up.content
    assert asked(client, RECEIPT, REMOTE_ADDR="41.90.1.1")[0] == "download"
