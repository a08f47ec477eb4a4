"""The documented answers, to the word: what the merchant's page, its scripts and the platform rely on."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from jsonschema import Draft202012Validator

from orders.models import Mix, Order
from payments import checkout, daraja, enquiries, gateway, ledger, manual
from payments.api.errors import STATUS
from payments.checkout import Why, status
from payments.models import CallbackDelivery, MpesaTransaction
from payments.states import State
from tests.support.counts import start_counting_anew
from tests.support.payments.api import ACCEPTED, GOOD_ORDER, GOOD_PUSH, Caller, refused, said
from tests.support.payments.callback_bodies import failure, success
from tests.support.payments.fake_daraja import FakeDaraja, not_paid_answer, paid_answer
from tests.support.places import ROOT

ORIGIN = "https://shop.example"
IDS = ("checkoutRequestId", "CheckoutRequestID", "checkout_request_id")


@pytest.fixture
def ringing(caller: Caller, safaricom: FakeDaraja) -> str:
    """A prompt for KES 1,500 is on the phone; the id its page polls."""
    poll_id: str = said(caller.send("/stkpush", GOOD_PUSH))["checkoutRequestId"]
    return poll_id


def polled(caller: Caller, poll_id: str, spelling: str = "checkoutRequestId") -> dict[str, Any]:
    answer = caller.send("/stkpush/status", {spelling: poll_id})
    assert answer.status_code == 200
    return said(answer)


def overdue() -> None:
    """The callback is late: as if the next check had come."""
    MpesaTransaction.objects.update(next_check_at=timezone.now() - timedelta(seconds=1))


# --- push -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/stkpush", "/stkpush/"])
def test_a_push_answers_with_the_three_documented_keys(
    caller: Caller, safaricom: FakeDaraja, path: str
) -> None:
    answer = caller.send(path, GOOD_PUSH)
    assert answer.status_code == 200
    assert said(answer) == {
        "success": True,
        "checkoutRequestId": "ws_CO_1",
        "prompt": "sent",
        "message": "STK push sent successfully",
    }
    assert [(asked.phone, asked.amount) for asked in safaricom.pushes] == [("254712345678", 1500)]


@pytest.mark.parametrize(
    "phone", ["0712345678", "712345678", "+254712345678", "254712345678", 254712345678, "0712 345 678"]
)
@pytest.mark.parametrize("amount", [1500, "1500"])
def test_every_usual_spelling_of_phone_and_amount_is_taken(
    caller: Caller, safaricom: FakeDaraja, phone: Any, amount: Any
) -> None:
    assert caller.send("/stkpush", {"phone": phone, "amount": amount}).status_code == 200
    assert [(asked.phone, asked.amount) for asked in safaricom.pushes] == [("254712345678", 1500)]


def test_the_browser_does_not_choose_the_transaction_type(caller: Caller, safaricom: FakeDaraja) -> None:
    assert (
        caller.send("/stkpush", {**GOOD_PUSH, "transactionType": "CustomerBuyGoodsOnline"}).status_code == 200
    )
    assert MpesaTransaction.objects.get().channel == "CustomerPayBillOnline"


def test_a_push_whose_answer_is_lost_gives_our_own_id_to_poll(caller: Caller, safaricom: FakeDaraja) -> None:
    safaricom.push_answer = daraja.OutcomeUnknown("read timeout")
    told = said(caller.send("/stkpush", GOOD_PUSH))
    assert (told["success"], told["checkoutRequestId"][:4]) == (True, "pay_")
    assert polled(caller, told["checkoutRequestId"])["status"] == "pending"


# --- each error code ------------------------------------------------------------------------------------

World = tuple[Caller, FakeDaraja, Any]


def amount_mismatch(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    order = said(caller.send("/api/orders", GOOD_ORDER))
    return {"phone": "0712345678", "amount": 1, "accountReference": order["accountReference"]}


def order_unknown(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    settings.REQUIRE_PRICED_ORDERS = True
    return GOOD_PUSH


def already_paid(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    caller.send("/stkpush", GOOD_PUSH)
    caller.send(f"/api/payments/callback/{safaricom.last_token}", success("ws_CO_1", 1500))
    return GOOD_PUSH


def just_paid(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    return {**already_paid(caller, safaricom, settings), "accountReference": "CART2"}


def order_refunded(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    body = already_paid(caller, safaricom, settings)
    manual.record_refund(
        MpesaTransaction.objects.get().id,
        reference="RFSENTBACK",
        amount_kes=body["amount"],
        reason="The buyer asked for it.",
        by="akinyi",
        now=timezone.now(),
    )
    return body


def order_ended(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    order = said(caller.send("/api/orders", GOOD_ORDER))
    Order.objects.update(created_at=timezone.now() - timedelta(hours=49))
    return {"phone": "0712345678", "amount": order["amount"], "accountReference": order["accountReference"]}


def price_changed(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    order = said(caller.send("/api/orders", GOOD_ORDER))
    Mix.objects.update(price_kes=3000)
    return {"phone": "0712345678", "amount": order["amount"], "accountReference": order["accountReference"]}


def being_checked(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    caller.send("/stkpush", GOOD_PUSH)
    caller.send(f"/api/payments/callback/{safaricom.last_token}", success("ws_CO_1", 1))
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(MpesaTransaction.objects.get().id), clock=timezone.now)
    return GOOD_PUSH


def prompt_open(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    caller.send("/stkpush", GOOD_PUSH)
    return {**GOOD_PUSH, "accountReference": "CART2", "amount": 20}


def too_many_prompts(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    settings.PUSH_LIMIT_PER_PHONE = 1
    caller.send("/stkpush", GOOD_PUSH)
    caller.send(f"/api/payments/callback/{safaricom.last_token}", failure(1032))
    return GOOD_PUSH


def too_many_at_once(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    settings.PUSHES_IN_FLIGHT = 0
    return GOOD_PUSH


def daraja_says(error: daraja.DarajaError) -> Callable[..., Any]:
    def world(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
        safaricom.push_answer = error
        return GOOD_PUSH

    return world


def phone_stopped(caller: Caller, safaricom: FakeDaraja, settings: Any) -> Any:
    call_command("stop_prompts", GOOD_PUSH["phone"], stdout=StringIO())
    return GOOD_PUSH


WORLDS: list[tuple[str, int, Callable[..., Any]]] = [
    ("amount_mismatch", 400, amount_mismatch),
    ("order_unknown", 400, order_unknown),
    ("already_paid", 409, already_paid),
    ("just_paid", 409, just_paid),
    ("order_refunded", 409, order_refunded),
    ("order_ended", 409, order_ended),
    ("price_changed", 409, price_changed),
    ("being_checked", 409, being_checked),
    ("prompt_open", 409, prompt_open),
    ("prompt_open", 409, daraja_says(daraja.SubscriberLocked("busy", code="500.001.1001"))),
    ("too_many_prompts", 429, too_many_prompts),
    ("phone_stopped", 403, phone_stopped),
    ("daraja_refused", 502, daraja_says(daraja.Refused("no", code="400.002.02"))),
    ("daraja_unusable", 502, daraja_says(daraja.Misconfigured("wrong credentials"))),
    ("daraja_busy", 503, daraja_says(daraja.Busy("quota"))),
    ("too_many_at_once", 503, too_many_at_once),
    ("not_asked", 503, daraja_says(daraja.TooLate("held up", code="not_asked"))),
    ("daraja_unreachable", 503, daraja_says(daraja.Unreachable("no line"))),
]


@pytest.mark.usefixtures("mixes")
@pytest.mark.parametrize(
    ("code", "http", "world"), WORLDS, ids=[f"{code}-{n}" for n, (code, *_) in enumerate(WORLDS)]
)
def test_each_refusal_has_its_code_and_http_status(
    caller: Caller, safaricom: FakeDaraja, settings: Any, code: str, http: int, world: Callable[..., Any]
) -> None:
    body = world(caller, safaricom, settings)
    answer = caller.send("/stkpush", body)
    told = said(answer)
    assert (answer.status_code, told["success"], told["code"]) == (http, False, code)
    assert told["message"].endswith(".")
    assert "ws_CO" not in told["message"]


def test_every_code_of_the_table_was_made_to_happen() -> None:
    assert {code for code, *_ in WORLDS} == set(STATUS) == set(Why)


def test_a_push_that_was_refused_for_its_input_rings_nobody(
    caller: Caller, safaricom: FakeDaraja, mixes: list[Mix]
) -> None:
    refused(caller.send("/stkpush", amount_mismatch(caller, safaricom, None)), 400)
    assert safaricom.pushes == []


# --- status ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/stkpush/status", "/stkpush/status/"])
@pytest.mark.parametrize("spelling", IDS)
def test_a_waiting_payment_is_pending_in_each_spelling_of_the_id(
    caller: Caller, ringing: str, spelling: str, path: str
) -> None:
    told = said(caller.send(path, {spelling: ringing}))
    assert set(told) == {"success", "status", "message"}
    assert (told["success"], told["status"]) == (True, "pending")
    assert told["message"]


@pytest.mark.parametrize("spelling", IDS)
def test_a_paid_payment_names_its_receipt_and_amount(
    caller: Caller, ringing: str, safaricom: FakeDaraja, spelling: str
) -> None:
    caller.send(f"/api/payments/callback/{safaricom.last_token}", success(ringing, 1500, "UKN4AB12CD"))
    told = polled(caller, ringing, spelling)
    assert set(told) == {"success", "status", "message", "transaction_id", "MpesaReceiptNumber", "amount"}
    assert (told["success"], told["status"], told["MpesaReceiptNumber"], told["amount"]) == (
        True,
        "completed",
        "UKN4AB12CD",
        1500,
    )
    assert told["transaction_id"] == MpesaTransaction.objects.get().public_id


def test_a_receipt_that_is_awaited_is_null(caller: Caller, ringing: str, safaricom: FakeDaraja) -> None:
    safaricom.query_answer = paid_answer()
    overdue()
    told = polled(caller, ringing)
    assert (told["success"], told["status"], told["MpesaReceiptNumber"]) == (True, "completed", None)


@pytest.mark.parametrize("door", ["callback", "query"])
def test_a_cancelled_payment_is_failed_in_plain_words(
    caller: Caller, ringing: str, safaricom: FakeDaraja, door: str
) -> None:
    if door == "callback":
        caller.send(f"/api/payments/callback/{safaricom.last_token}", failure(1032, ringing))
    else:
        safaricom.query_answer = not_paid_answer("1032")
        overdue()
    told = polled(caller, ringing)
    assert (told["success"], told["status"], told["message"]) == (
        False,
        "failed",
        daraja.lookup("1032").buyer,
    )


@pytest.mark.parametrize("unknown", ["ws_CO_nobodys", "pay_nobodys", "x"])
def test_an_unknown_id_is_404(caller: Caller, unknown: str) -> None:
    assert refused(caller.send("/stkpush/status", {"checkoutRequestId": unknown}), 404)["code"] == "not_found"


def test_our_own_id_can_be_polled_too(caller: Caller, ringing: str) -> None:
    assert polled(caller, MpesaTransaction.objects.get().public_id)["status"] == "pending"


@pytest.mark.parametrize(
    "trouble", [DatabaseError("gone"), RuntimeError("a bug"), MemoryError(), KeyError("x")], ids=repr
)
@pytest.mark.parametrize("where", ["payment_status", "asking"])
def test_our_own_trouble_on_a_poll_is_pending(
    caller: Caller, ringing: str, monkeypatch: pytest.MonkeyPatch, trouble: Exception, where: str
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise trouble

    overdue()
    if where == "payment_status":
        monkeypatch.setattr(status, "payment_status", fails)
    else:
        monkeypatch.setattr(enquiries, "ask_about", fails)
    told = polled(caller, ringing)
    assert (told["success"], told["status"]) == (True, "pending")


def test_a_throttled_poll_is_pending(caller: Caller, ringing: str, settings: Any) -> None:
    settings.STATUS_RATE_PER_ADDRESS = 0
    told = polled(caller, ringing)
    assert (told["success"], told["status"]) == (True, "pending")


def test_a_safaricom_that_knows_nothing_is_pending(
    caller: Caller, ringing: str, safaricom: FakeDaraja
) -> None:
    overdue()
    assert polled(caller, ringing)["status"] == "pending"
    assert safaricom.queries == [ringing]
    assert polled(caller, ringing)["status"] == "pending"
    assert safaricom.queries == [ringing]  # and is not asked again by the next poll


# --- guessing -------------------------------------------------------------------------------------------

HOME, ELSEWHERE = "41.90.64.1", "197.248.1.9"


@pytest.fixture
def paid(caller: Caller, safaricom: FakeDaraja) -> str:
    """Asked for at HOME, and paid."""
    caller.send("/stkpush", GOOD_PUSH, REMOTE_ADDR=HOME)
    amount = GOOD_PUSH["amount"]
    caller.send(f"/api/payments/callback/{safaricom.last_token}", success("ws_CO_1", amount))
    return "ws_CO_1"


def guess(caller: Caller, times: int, address: str) -> None:
    for number in range(times):
        answer = caller.send(
            "/stkpush/status", {"checkoutRequestId": f"ws_CO_9{number}"}, REMOTE_ADDR=address
        )
        assert answer.status_code == 404


def receipt_told(caller: Caller, poll_id: str, address: str) -> Any:
    told = said(caller.send("/stkpush/status", {"checkoutRequestId": poll_id}, REMOTE_ADDR=address))
    assert (told["success"], told["status"], told["amount"]) == (True, "completed", GOOD_PUSH["amount"])
    return told["MpesaReceiptNumber"]


@pytest.mark.parametrize("process", ["the same", "another"])
def test_who_guesses_ids_is_told_no_receipt_of_anothers_payment(
    caller: Caller, paid: str, process: str
) -> None:
    guess(caller, 60, ELSEWHERE)
    assert receipt_told(caller, paid, ELSEWHERE) is not None  # a few mistakes are no search
    guess(caller, 6, ELSEWHERE)
    if process == "another":
        start_counting_anew()
    assert receipt_told(caller, paid, ELSEWHERE) is None
    assert receipt_told(caller, paid, "41.90.64.200") is not None  # guessed nothing


def test_who_opened_it_gets_the_receipt_whatever_he_guessed(caller: Caller, paid: str) -> None:
    guess(caller, 70, HOME)
    assert receipt_told(caller, paid, HOME) is not None


def test_a_household_of_ipv6_is_one_guesser(caller: Caller, paid: str) -> None:
    for number in range(70):
        guess(caller, 1, f"2001:db8:1:2::{number:x}")
    assert receipt_told(caller, paid, "2001:db8:1:2:ffff::1") is None
    assert receipt_told(caller, paid, "2001:db8:1:3::1") is not None


def test_no_address_stands_in_a_row(caller: Caller, paid: str) -> None:
    opened_from = MpesaTransaction.objects.values_list("opened_from", flat=True).get()
    assert len(opened_from) == 32
    assert HOME not in opened_from


# --- trouble of ours ------------------------------------------------------------------------------------


def test_a_throttled_push_says_when_to_come_back(
    caller: Caller, safaricom: FakeDaraja, settings: Any
) -> None:
    settings.PUSH_RATE_PER_ADDRESS = 2
    answers = [caller.send("/stkpush", GOOD_PUSH) for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    told = refused(answers[2], 429)
    assert told["code"] == "throttled"
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 61
    assert len(safaricom.pushes) == 1


def test_one_address_places_no_endless_orders(caller: Caller, mixes: list[Mix], settings: Any) -> None:
    settings.ORDER_RATE_PER_ADDRESS = 2
    answers = [caller.send("/api/orders", GOOD_ORDER) for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [201, 201]
    assert refused(answers[2], 429)["code"] == "throttled"
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    "trouble", [DatabaseError("gone"), RuntimeError("password=hunter2"), MemoryError()], ids=repr
)
def test_our_own_trouble_on_a_push_is_a_500_in_words(
    caller: Caller, safaricom: FakeDaraja, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise trouble

    monkeypatch.setattr(checkout, "request_payment", fails)
    answer = caller.send("/stkpush", GOOD_PUSH)
    assert (answer.status_code, said(answer)["success"], said(answer)["code"]) == (500, False, "server_error")
    assert "hunter2" not in answer.content.decode()
    assert safaricom.pushes == []


@pytest.mark.parametrize("path", ["/stkpush", "/api/orders", "/stkpush/status"])
def test_trouble_outside_of_every_view_is_json_too(
    caller: Caller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("in the middle of the machine")

    monkeypatch.setattr("rest_framework.views.APIView.dispatch", fails)
    answer = caller.send(path, GOOD_PUSH)
    told = said(answer)
    if path == "/stkpush/status":
        assert (answer.status_code, told["success"], told["status"]) == (200, True, "pending")
    else:
        assert (answer.status_code, told["code"]) == (500, "server_error")


STORED_THEN = (
    DatabaseError("gone"),
    RuntimeError("An attempt was overtaken too often."),
    InterfaceError("connection already closed"),
)


@pytest.mark.parametrize("trouble", STORED_THEN, ids=repr)
def test_a_callback_that_is_stored_is_accepted_whatever_happens_then(
    caller: Caller, ringing: str, safaricom: FakeDaraja, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise trouble

    monkeypatch.setattr(ledger, "record", fails)
    answer = caller.send(f"/api/payments/callback/{safaricom.last_token}", success(ringing))
    assert (
        CallbackDelivery.objects.get().verdict == CallbackDelivery.Verdict.RECEIVED
    )  # the worker applies it
    assert (answer.status_code, said(answer)) == (200, ACCEPTED)


# --- other sites ----------------------------------------------------------------------------------------


@pytest.fixture
def other_site(
    settings: Any, caller: Caller, safaricom: FakeDaraja, monkeypatch: pytest.MonkeyPatch
) -> Caller:
    """The merchant's own page lives on another site, which the shop allows."""
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]
    return caller


def test_an_allowed_site_may_read_success_and_every_error(
    other_site: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [
        other_site.send("/stkpush", body, HTTP_ORIGIN=ORIGIN, content_type=kind)
        for body, kind in (
            (GOOD_PUSH, "application/json"),
            ({}, "application/json"),
            (b"{", "application/json"),
            (b"x", "a/b"),
        )
    ]
    answers += [
        other_site.send(path, {"checkoutRequestId": "x"}, HTTP_ORIGIN=ORIGIN)
        for path in ("/stkpush/status", "/stkpush/nothing")
    ]
    answers += [
        other_site.send("/stkpush", b" " * 70_000, HTTP_ORIGIN=ORIGIN),
        other_site.get("/stkpush", HTTP_ORIGIN=ORIGIN),
    ]
    settings.PUSH_RATE_PER_ADDRESS = 0
    answers.append(other_site.send("/stkpush", GOOD_PUSH, HTTP_ORIGIN=ORIGIN))
    settings.PUSH_RATE_PER_ADDRESS = 100

    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(checkout, "request_payment", fails)
    answers.append(other_site.send("/stkpush", GOOD_PUSH, HTTP_ORIGIN=ORIGIN))
    monkeypatch.setattr("rest_framework.views.APIView.dispatch", fails)
    answers.append(other_site.send("/stkpush", GOOD_PUSH, HTTP_ORIGIN=ORIGIN))
    assert [answer.status_code for answer in answers] == [
        200,
        400,
        400,
        415,
        404,
        404,
        413,
        405,
        429,
        500,
        500,
    ]
    assert {answer.headers.get("Access-Control-Allow-Origin") for answer in answers} == {ORIGIN}
    assert all("origin" in answer.headers["Vary"].lower() for answer in answers)
    assert not any("Access-Control-Allow-Credentials" in answer.headers for answer in answers)


@pytest.mark.parametrize("path", ["/stkpush", "/stkpush/", "/stkpush/status", "/api/orders", "/api/mixes"])
def test_a_preflight_with_an_idempotency_key_passes(other_site: Caller, path: str) -> None:
    answer = other_site.options(
        path,
        HTTP_ORIGIN=ORIGIN,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS="content-type,idempotency-key",
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert {"content-type", "idempotency-key"} <= set(
        answer.headers["Access-Control-Allow-Headers"].split(", ")
    )


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example.evil",
        "null",
        "https://shop.example:8443",
    ],
)
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_any_other_site_may_read_nothing(other_site: Caller, origin: str, method: str) -> None:
    answer = other_site.send(
        "/stkpush", GOOD_PUSH, method=method, HTTP_ORIGIN=origin, HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST"
    )
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("path", ["/api/payments/callback", "/checkout/x", "/admin/login/", "/health", "/"])
def test_other_sites_get_at_nothing_but_the_buyers_endpoints(other_site: Caller, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = other_site.send(
            path, method=method, HTTP_ORIGIN=ORIGIN, HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST"
        )
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_no_csrf_token_is_needed_and_no_cookie_is_set(safaricom: FakeDaraja, mixes: list[Mix]) -> None:
    browser = Caller()
    browser.handler.enforce_csrf_checks = True
    answers = [
        browser.send(*each)
        for each in (
            ("/stkpush", GOOD_PUSH),
            ("/stkpush/status", {"checkoutRequestId": "ws_CO_1"}),
            ("/api/orders", GOOD_ORDER),
            (f"/api/payments/callback/{'0' * 48}", success()),
            ("/stkpush", {}),
            ("/api/nothing", {}),
        )
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 201, 200, 400, 404]
    assert not any(answer.cookies for answer in answers)


# --- the platform ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/health", "/health/", "/health/ready", "/health/ready/"])
def test_a_healthy_shop_says_so(caller: Caller, path: str) -> None:
    answer = caller.get(path)
    assert (answer.status_code, said(answer)["success"]) == (200, True)
    assert "no-cache" in answer.headers["Cache-Control"] or "no-store" in answer.headers["Cache-Control"]
    assert not answer.cookies


def test_a_shop_without_database_lives_but_is_not_ready(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise DatabaseError("connection refused: secret-host")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", away)
        assert caller.get("/health").status_code == 200
        answer = caller.get("/health/ready")
    assert (answer.status_code, said(answer)["code"]) == (503, "not_ready")
    assert "secret-host" not in answer.content.decode()


@pytest.fixture
def _a_spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = str(tmp_path)


@pytest.mark.usefixtures("_a_spool_of_its_own")
def test_ready_tells_of_entries_unsealed_for_ten_minutes_and_goes_on_selling(
    caller: Caller, click: Callable[..., MpesaTransaction], django_assert_num_queries: Any
) -> None:
    click()  # by the clock of the tests: long ago
    answer = caller.get("/health/ready")
    assert (answer.status_code, said(answer)["status"], said(answer)["trouble"]) == (200, "ready", "unsealed")
    assert "2026-11-23T15:00:00" in said(answer)["message"]
    call_command("seal_ledger", stdout=StringIO())
    with django_assert_num_queries(8):
        assert "trouble" not in said(caller.get("/health/ready"))


@pytest.mark.usefixtures("_a_spool_of_its_own")
def test_ready_tells_of_a_worker_that_was_seen_and_is_no_more(
    caller: Caller, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = timezone.now()
    enquiries.beat(enquiries.WORKER, now=at)
    assert "trouble" not in said(caller.get("/health/ready"))
    monkeypatch.setattr("django.utils.timezone.now", lambda: at + timedelta(minutes=2, seconds=1))
    answer = caller.get("/health/ready")
    assert (answer.status_code, said(answer)["trouble"]) == (200, "worker_silent")
    assert at.isoformat(timespec="seconds") in said(answer)["message"]


def test_the_schema_is_valid_openapi_and_names_the_endpoints(caller: Caller) -> None:
    answer = caller.get("/api/schema?format=json", HTTP_ACCEPT="application/json")
    assert answer.status_code == 200
    schema = caller_schema(caller)
    assert schema["openapi"].startswith("3.")
    assert {"/stkpush", "/stkpush/status", "/api/orders"} <= {path.rstrip("/?") for path in schema["paths"]}
    for component in schema["components"]["schemas"].values():
        Draft202012Validator.check_schema(component)
    push_path = next(path for path in schema["paths"] if path.rstrip("/?") == "/stkpush")
    assert [p["name"] for p in schema["paths"][push_path]["post"]["parameters"]] == ["Idempotency-Key"]


def caller_schema(caller: Caller) -> dict[str, Any]:
    import yaml

    schema: dict[str, Any] = yaml.safe_load(caller.get("/api/schema").content)
    json.dumps(schema)  # holds nothing but JSON
    return schema


# --- pages ----------------------------------------------------------------------------------------------


@pytest.fixture
def order(caller: Caller, mixes: list[Mix]) -> Order:
    said(caller.send("/api/orders", GOOD_ORDER))
    return Order.objects.get()


PAGES = (
    "/",
    "/cart",
    "/checkout/{token}",
    "/confirmation.html?order={token}",
    "/checkout/nobodys",
    "/confirmation.html",
    "/nothing",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_strict_about_what_it_runs_and_who_frames_it(
    caller: Caller, order: Order, page: str
) -> None:
    answer = caller.get(page.format(token=order.token))
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    rules = dict(rule.strip().split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split(";"))
    assert rules["default-src"] == "'none'"
    assert (rules["script-src"], rules["style-src"], rules["frame-ancestors"]) == (
        "'self'",
        "'self'",
        "'none'",
    )
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies
    text = answer.content.decode()
    assert "<style" not in text
    assert not [
        tag
        for tag in text.split("<script")[1:]
        if "src=" not in tag.split(">")[0] and "json" not in tag.split(">")[0]
    ]


@pytest.mark.parametrize("page", ["/checkout/nobodys", "/confirmation.html?order=nobodys", "/checkout/"])
def test_an_unknown_order_is_a_404_page(caller: Caller, page: str) -> None:
    answer = caller.get(page)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_the_orders_pages_are_kept_by_no_cache(caller: Caller, order: Order) -> None:
    for page in (f"/checkout/{order.token}", f"/confirmation.html?order={order.token}"):
        assert "no-store" in caller.get(page).headers["Cache-Control"]


def test_an_order_is_answered_as_documented(caller: Caller, mixes: list[Mix]) -> None:
    answer = caller.send(
        "/api/orders", {"items": [{"mix": "nairobi-after-dark"}, {"mix": "love-songs"}], "email": "a@b.ke"}
    )
    assert answer.status_code == 201
    told = said(answer)
    placed = Order.objects.get()
    assert told == {
        "success": True,
        "accountReference": placed.code,
        "amount": 2500,
        "currency": "KES",
        "items": [
            {"title": "Nairobi After Dark", "price_kes": 1500},
            {"title": "Love Songs", "price_kes": 1000},
        ],
        "checkoutUrl": f"/checkout/{placed.token}",
    }


def test_nothing_in_an_address_pays_an_order(caller: Caller, order: Order) -> None:
    caller.get(
        f"/confirmation.html?order={order.token}&status=completed&success=true&MpesaReceiptNumber=UKN4AB12CD&paid=1"
    )
    order.refresh_from_db()
    assert order.state == Order.State.OPEN
    assert not MpesaTransaction.objects.filter(state=State.COMPLETED).exists()
    assert gateway.priced_orders_only() is False


@pytest.mark.parametrize(("debug", "status"), [("True", 200), ("False", 404)])
def test_a_developer_tries_the_api_on_a_page_and_nobody_else(debug: str, status: int) -> None:
    asked = "from django.test import Client; print(Client().get('/api/try').status_code)"
    told = {"DEBUG": debug, "ALLOWED_HOSTS": "testserver", "DJANGO_SETTINGS_MODULE": "djkraph.settings"}
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", asked]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | told, capture_output=True, text=True)
    assert done.stdout.split()[-1:] == [str(status)], done.stderr
