"""What was just paid is not paid again by a second click, and a second cart is never told of the first one's money."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order
from payments import callbacks
from payments.daraja import OutcomeUnknown
from payments.models import MpesaTransaction
from tests.support.payments.api import Caller, said
from tests.support.payments.callback_bodies import success
from tests.support.payments.fake_daraja import FakeDaraja, paid_answer

FIRST = {"phone": "0700000111", "amount": 1500, "accountReference": "CART_1"}
SECOND = {**FIRST, "accountReference": "CART_2"}


def pay(safaricom: FakeDaraja, amount: int = 1500) -> None:
    """The last push's callback says paid."""
    number = len(safaricom.pushes)
    body = success(f"ws_CO_{number}", amount, f"UKP1AB12C{number}")
    callbacks.receive_callback(
        token=safaricom.last_token, body=json.dumps(body).encode(), source_address=None, now=timezone.now()
    )


def older(**by: float) -> None:
    """As if all of it had been so much earlier."""
    for attempt in MpesaTransaction.objects.all():
        MpesaTransaction.objects.filter(pk=attempt.pk).update(created_at=attempt.created_at - timedelta(**by))


@pytest.fixture
def first(caller: Caller, safaricom: FakeDaraja) -> dict[str, Any]:
    """Case 17: the first cart is asked for, and paid."""
    answer = said(caller.send("/stkpush", FIRST))
    pay(safaricom)
    return answer


def test_a_second_cart_is_asked_back_and_nothing_is_sent(
    caller: Caller, safaricom: FakeDaraja, first: dict[str, Any]
) -> None:
    refused = caller.send("/stkpush", SECOND)
    told = said(refused)
    assert (refused.status_code, told["code"], told["success"]) == (409, "just_paid", False)
    assert told["message"] == (
        "KES 1,500 was just paid from this phone, receipt UKP1AB12C1. If you want to buy once more, wait two minutes "
        "and press pay again."
    )
    assert "checkoutRequestId" not in told
    assert len(safaricom.pushes) == 1
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("more", "headers"),
    [({"again": True}, {}), ({}, {"HTTP_IDEMPOTENCY_KEY": "another click"})],
    ids=["again", "a key of its own"],
)
def test_who_means_it_gets_a_request_of_its_own(
    more: dict[str, Any],
    headers: dict[str, str],
    caller: Caller,
    safaricom: FakeDaraja,
    first: dict[str, Any],
) -> None:
    answer = said(caller.send("/stkpush", {**SECOND, **more}, **headers))
    assert (answer["success"], answer["prompt"]) == (True, "sent")
    assert answer["checkoutRequestId"] != first["checkoutRequestId"]
    polled = said(caller.send("/stkpush/status", {"checkoutRequestId": answer["checkoutRequestId"]}))
    assert polled["status"] == "pending"
    assert len(safaricom.pushes) == 2


@pytest.mark.parametrize("again", [False, None, "no", 0])
def test_who_does_not_mean_it_is_asked_back(
    again: Any, caller: Caller, safaricom: FakeDaraja, first: dict[str, Any]
) -> None:
    assert caller.send("/stkpush", {**SECOND, "again": again}).status_code == 409
    assert len(safaricom.pushes) == 1


def test_after_two_minutes_it_is_a_purchase_of_its_own(
    caller: Caller, safaricom: FakeDaraja, first: dict[str, Any]
) -> None:
    older(minutes=2)
    assert said(caller.send("/stkpush", SECOND))["prompt"] == "sent"
    assert len(safaricom.pushes) == 2


def test_another_amount_is_another_purchase(
    caller: Caller, safaricom: FakeDaraja, first: dict[str, Any]
) -> None:
    assert said(caller.send("/stkpush", {**SECOND, "amount": 700}))["prompt"] == "sent"


def test_another_phone_is_another_purchase(
    caller: Caller, safaricom: FakeDaraja, first: dict[str, Any]
) -> None:
    assert said(caller.send("/stkpush", {**SECOND, "phone": "0700000112"}))["prompt"] == "sent"


def test_the_same_cart_is_paid_already(caller: Caller, safaricom: FakeDaraja, first: dict[str, Any]) -> None:
    refused = caller.send("/stkpush", {**FIRST, "again": True})
    assert (refused.status_code, said(refused)["code"]) == (409, "already_paid")


def test_while_the_first_is_live_a_second_cart_is_the_same_click(
    caller: Caller, safaricom: FakeDaraja
) -> None:
    ringing = said(caller.send("/stkpush", FIRST))
    same = said(caller.send("/stkpush", SECOND))
    assert same["checkoutRequestId"] == ringing["checkoutRequestId"]
    assert (same["prompt"], same["message"]) == (
        "same",
        "A payment request is under way on your phone already. Enter your M-PESA PIN there.",
    )
    assert len(safaricom.pushes) == 1


def test_an_idle_prompt_that_turns_out_to_be_paid_asks_back_too(
    caller: Caller, safaricom: FakeDaraja
) -> None:
    """The callback was lost: that it was paid is only known because the second click had us ask."""
    caller.send("/stkpush", FIRST)
    older(minutes=3)
    safaricom.query_answer = paid_answer()
    refused = caller.send("/stkpush", SECOND)
    assert (refused.status_code, said(refused)["code"]) == (409, "just_paid")
    assert len(safaricom.pushes) == 1
    assert said(caller.send("/stkpush", {**SECOND, "again": True}))["prompt"] == "sent"


def test_where_the_answer_was_lost_nobody_claims_that_the_phone_rings(
    caller: Caller, safaricom: FakeDaraja
) -> None:
    safaricom.push_answer = OutcomeUnknown("read timeout")
    told = said(caller.send("/stkpush", FIRST))
    assert (told["success"], told["prompt"]) == (True, "unknown")
    assert "sent" not in told["message"]
