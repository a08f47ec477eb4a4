"""The same cart is one order until it is paid, ended or changed; and what a phone has paid for is asked back."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Mix, Order
from payments import callbacks
from payments.daraja import QueryAnswer, Verdict
from payments.models import MpesaTransaction
from tests.support.payments.api import Caller, refused, said
from tests.support.payments.callback_bodies import failure, success
from tests.support.payments.fake_daraja import FakeDaraja, not_paid_answer, paid_answer, processing_answer

WANJIRU = "0712345678"
OTIENO = "0798765432"

pytestmark = pytest.mark.usefixtures("mixes")


def place(caller: Caller, *slugs: str, order: Any = "", **more: Any) -> Any:
    return caller.send("/api/orders", {"items": [{"mix": slug} for slug in slugs], "order": order, **more})


def token_of(placed: dict[str, Any]) -> str:
    return str(placed["checkoutUrl"]).rsplit("/", 1)[1]


def push(caller: Caller, placed: dict[str, Any], phone: str = WANJIRU, key: str = "", **more: Any) -> Any:
    body = {
        "phone": phone,
        "amount": placed["amount"],
        "accountReference": placed["accountReference"],
        **more,
    }
    return caller.send("/stkpush", body, **({"HTTP_IDEMPOTENCY_KEY": key} if key else {}))


def called_back(safaricom: FakeDaraja, code: int = 0) -> None:
    number = len(safaricom.pushes)
    amount = safaricom.pushes[-1].amount
    body = (
        failure(code, f"ws_CO_{number}") if code else success(f"ws_CO_{number}", amount, f"UKP1AB12C{number}")
    )
    callbacks.receive_callback(
        token=safaricom.last_token, body=json.dumps(body).encode(), source_address=None, now=timezone.now()
    )


def buy(caller: Caller, safaricom: FakeDaraja, *slugs: str, phone: str = WANJIRU) -> dict[str, Any]:
    placed = said(place(caller, *slugs))
    assert push(caller, placed, phone).status_code == 200
    called_back(safaricom)
    return placed


def older(**by: float) -> None:
    for attempt in MpesaTransaction.objects.all():
        MpesaTransaction.objects.filter(pk=attempt.pk).update(created_at=attempt.created_at - timedelta(**by))


# --- one cart, one order --------------------------------------------------------------------------------


def test_the_same_cart_is_the_same_order_in_whatever_order_it_is_named(caller: Caller) -> None:
    first = place(caller, "love-songs", "nairobi-after-dark")
    second = place(caller, "nairobi-after-dark", "love-songs", "love-songs", order=token_of(said(first)))
    assert (first.status_code, second.status_code) == (201, 200)
    assert said(first) == said(second)
    assert Order.objects.count() == 1


def another_mix(caller: Caller, placed: dict[str, Any]) -> tuple[str, ...]:
    return ("love-songs", "nairobi-after-dark")


def fewer(caller: Caller, placed: dict[str, Any]) -> tuple[str, ...]:
    return ("nairobi-after-dark",)


def another_price(caller: Caller, placed: dict[str, Any]) -> tuple[str, ...]:
    Mix.objects.filter(slug="love-songs").update(price_kes=1100)
    return ("love-songs",)


def outlived(caller: Caller, placed: dict[str, Any]) -> tuple[str, ...]:
    Order.objects.update(created_at=timezone.now() - timedelta(hours=48))
    return ("love-songs",)


def paid(caller: Caller, placed: dict[str, Any]) -> tuple[str, ...]:
    Order.objects.update(state=Order.State.PAID, paid_at=timezone.now())
    return ("love-songs",)


@pytest.mark.parametrize("change", [another_mix, fewer, another_price, outlived, paid])
def test_a_cart_that_changed_ended_or_was_paid_is_another_order(caller: Caller, change: Any) -> None:
    first = said(place(caller, "love-songs"))
    second = place(caller, *change(caller, first), order=token_of(first))
    assert second.status_code == 201
    assert said(second)["accountReference"] != first["accountReference"]


def test_a_part_paid_order_is_the_cart_s_however_old(caller: Caller) -> None:
    first = said(place(caller, "love-songs"))
    Order.objects.update(received_cents=100, created_at=timezone.now() - timedelta(days=200))
    assert said(place(caller, "love-songs", order=token_of(first))) == first


@pytest.mark.parametrize("token", ["", None, "nobodys", "\x00", "x" * 64])
def test_a_token_that_names_nothing_is_no_matter(caller: Caller, token: Any) -> None:
    assert place(caller, "love-songs", order=token).status_code in (201, 400)
    assert place(caller, "love-songs").status_code == 201


def test_another_address_for_the_receipt_is_another_order(caller: Caller) -> None:
    first = said(place(caller, "love-songs", email="wanjiru@example.com"))
    assert place(caller, "love-songs", order=token_of(first)).status_code == 200
    assert place(caller, "love-songs", order=token_of(first), email="w@example.com").status_code == 201


def test_an_unpriced_order_is_no_cart(caller: Caller, safaricom: FakeDaraja) -> None:
    push(caller, {"amount": 1000, "accountReference": "CART_1"})
    token = Order.objects.get().token
    assert place(caller, "love-songs", order=token).status_code == 201


# --- the same mixes on the same phone -------------------------------------------------------------------


def test_the_same_mixes_are_asked_back_though_the_page_sends_a_key(
    caller: Caller, safaricom: FakeDaraja
) -> None:
    """Paid in one browser; ordered once more in another, whose page knows nothing of it."""
    buy(caller, safaricom, "love-songs")
    older(hours=23)
    second = said(place(caller, "love-songs"))
    told = refused(push(caller, second, key="a click"), 409)
    assert told["code"] == "just_paid"
    assert told["message"] == (
        "You paid for “Love Songs” from this phone within the last day: KES 1,000, receipt UKP1AB12C1. No request was "
        "sent now. Pay once more only if you want to buy the same again."
    )
    assert len(safaricom.pushes) == 1
    answer = said(push(caller, second, key="another click", again=True))
    assert (answer["success"], answer["prompt"]) == (True, "sent")


def test_all_of_a_cart_bought_in_two_orders_is_asked_back(caller: Caller, safaricom: FakeDaraja) -> None:
    buy(caller, safaricom, "love-songs")
    buy(caller, safaricom, "nairobi-after-dark")
    told = refused(push(caller, said(place(caller, "love-songs", "nairobi-after-dark"))), 409)
    assert told["code"] == "just_paid"
    assert all(
        words in told["message"]
        for words in ("“Love Songs”", "“Nairobi After Dark”", "UKP1AB12C1", "UKP1AB12C2")
    )


@pytest.mark.parametrize(
    "slugs", [("nairobi-after-dark",), ("love-songs", "nairobi-after-dark")], ids=["others", "one more"]
)
def test_what_is_new_in_a_cart_is_not_asked_back(
    caller: Caller, safaricom: FakeDaraja, slugs: tuple[str, ...]
) -> None:
    buy(caller, safaricom, "love-songs")
    assert said(push(caller, said(place(caller, *slugs))))["prompt"] == "sent"


def test_another_phone_or_another_day_is_not_asked_back(caller: Caller, safaricom: FakeDaraja) -> None:
    buy(caller, safaricom, "love-songs")
    assert said(push(caller, said(place(caller, "love-songs")), OTIENO))["prompt"] == "sent"
    older(hours=24)
    assert said(push(caller, said(place(caller, "love-songs"))))["prompt"] == "sent"


def test_what_was_cancelled_is_not_asked_back(caller: Caller, safaricom: FakeDaraja) -> None:
    push(caller, said(place(caller, "love-songs")))
    called_back(safaricom, code=1032)
    assert said(push(caller, said(place(caller, "love-songs"))))["prompt"] == "sent"


def test_a_request_that_rings_for_the_same_mixes_is_finished_first(
    caller: Caller, safaricom: FakeDaraja
) -> None:
    push(caller, said(place(caller, "love-songs")))
    second = said(place(caller, "love-songs"))
    assert refused(push(caller, second), 409)["code"] == "prompt_open"
    assert refused(push(caller, second, again=True), 409)["code"] == "prompt_open"
    assert len(safaricom.pushes) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (paid_answer(), "just_paid"),
        (processing_answer(), "prompt_open"),
        (QueryAnswer(verdict=Verdict.NO_ANSWER, asked=False), "prompt_open"),
    ],
    ids=["paid", "processing", "not asked"],
)
def test_a_silent_request_for_the_same_mixes_is_asked_about_first(
    caller: Caller, safaricom: FakeDaraja, answer: QueryAnswer, code: str
) -> None:
    """Its callback was lost: nobody knows whether it was paid."""
    push(caller, said(place(caller, "love-songs")))
    older(minutes=3)
    safaricom.query_answer = answer
    assert refused(push(caller, said(place(caller, "love-songs")), key="a click"), 409)["code"] == code
    assert len(safaricom.pushes) == 1


def test_a_silent_request_that_was_not_paid_gives_way(caller: Caller, safaricom: FakeDaraja) -> None:
    push(caller, said(place(caller, "love-songs")))
    older(minutes=3)
    safaricom.query_answer = not_paid_answer()
    assert said(push(caller, said(place(caller, "love-songs"))))["prompt"] == "sent"


def test_a_silent_request_that_was_paid_is_bought_once_more_by_who_says_so(
    caller: Caller, safaricom: FakeDaraja
) -> None:
    push(caller, said(place(caller, "love-songs")))
    older(minutes=3)
    safaricom.query_answer = paid_answer()
    assert said(push(caller, said(place(caller, "love-songs")), again=True))["prompt"] == "sent"


def test_two_pages_with_one_order_ring_the_phone_once(caller: Caller, safaricom: FakeDaraja) -> None:
    """A second tab, or the link opened elsewhere."""
    placed = said(place(caller, "love-songs"))
    first = said(push(caller, placed, key="one tab"))
    second = said(push(caller, placed, key="another tab"))
    assert (second["checkoutRequestId"], second["prompt"]) == (first["checkoutRequestId"], "same")
    called_back(safaricom)
    assert refused(push(caller, placed, key="later", again=True), 409)["code"] == "already_paid"
    assert len(safaricom.pushes) == 1
