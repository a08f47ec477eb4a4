"""The simulator's real answers have the keys and types of the samples, which are what the client is tested on."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.support.payments.simulator import PAYS, PERSON, Client, Shop
from tests.support.places import SAMPLES

DARAJA = SAMPLES / "daraja"


def sample(name: str) -> dict[str, Any]:
    return json.loads((DARAJA / f"{name}.json").read_text(encoding="utf-8"))


def shape(value: Any) -> Any:
    """Keys and types, all the way down; a list by its items' shapes."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


def faulty(name: str, value: object = True, phone: str = PERSON) -> Callable[[Client], requests.Response]:
    def push(client: Client) -> requests.Response:
        client.fault(name, value)
        return client.push(phone)

    return push


def in_flight(fault: str | None) -> Callable[[Client], requests.Response]:
    def ask(client: Client) -> requests.Response:
        asked = client.pushed(PERSON)
        if fault:
            client.fault(fault)
        return client.query(asked)

    return ask


def ended(phone: str, fault: str | None = None) -> Callable[[Client], requests.Response]:
    def ask(client: Client) -> requests.Response:
        asked = client.pushed(phone)
        client.idle()
        if fault:
            client.fault(fault, 1 if fault == "random_no_answer" else True)
        return client.query(asked)

    return ask


def lock(client: Client) -> requests.Response:
    client.pushed(PERSON)
    return client.push(PERSON)


def stale(status_fault: str | None = None) -> Callable[[Client], requests.Response]:
    def push(client: Client) -> requests.Response:
        if status_fault:
            client.fault(status_fault)
        return client.token and client.control("POST", "expire-tokens") and client.push()

    return push


def oauth(fault: str | None = None, **options: Any) -> Callable[[Client], requests.Response]:
    def ask(client: Client) -> requests.Response:
        if fault:
            client.fault(fault)
        return client.oauth(**options)

    return ask


def bare_push(
    client: Client, method: str = "PUT", path: str = "/mpesa/stkpush/v1/processrequest"
) -> requests.Response:
    return client.session.request(method, client.base_url + path, timeout=10)


def limited(client: Client) -> requests.Response:
    client.fault("query_limiter")
    asked = client.pushed(PERSON)
    client.query(asked)
    return client.query(asked)


def broken(client: Client) -> requests.Response:
    return client.session.post(
        f"{client.base_url}/mpesa/stkpush/v1/processrequest",
        data='{"Amount": 1',
        headers={"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"},
        timeout=10,
    )


ANSWERS: dict[str, Callable[[Client], requests.Response]] = {
    "push_accepted": lambda c: c.push(PERSON),
    "push_accepted_no_customer_message": faulty("no_customer_message"),
    "push_invalid_phone": lambda c: c.push("25470000000"),
    "push_invalid_amount": lambda c: c.push(Amount=0),
    "push_invalid_callbackurl": lambda c: c.push(CallBackURL="nowhere"),
    "push_invalid_timestamp": lambda c: c.push(Timestamp="2026-11-23"),
    "push_invalid_businessshortcode": lambda c: c.push(BusinessShortCode=1),
    "push_invalid_remarks": lambda c: c.push(TransactionDesc=None),
    "push_invalid_payload": broken,
    "push_resource_not_found": lambda c: bare_push(c, "POST", "/mpesa/stkpush/v9/processrequest"),
    "push_method_not_allowed": bare_push,
    "push_invalid_token_404": stale(),
    "push_invalid_token_401": stale("token_401"),
    "push_merchant_unknown": lambda c: c.push(BusinessShortCode=999999),
    "push_wrong_credentials": lambda c: c.push(Timestamp="20261123180001"),
    "push_lock": lock,
    "push_busy": lambda c: c.push("254700000091"),
    "push_quota": lambda c: c.push("254700000093"),
    "push_maintenance": lambda c: c.push("254700000094"),
    "push_internal": faulty("push_500"),
    "push_429": faulty("push_429"),
    "push_incapsula_403": faulty("push_html_403"),
    "push_incapsula_503": faulty("push_html_503"),
    "push_502": faulty("push_502"),
    "push_empty_400": faulty("push_empty_400"),
    "push_no_apiproduct_401": faulty("push_no_product"),
    "query_paid": ended(PAYS),
    "query_cancelled": ended("254700000032"),
    "query_no_answer": ended("254700000038"),
    "query_insufficient": ended("254700000001"),
    "query_unlisted": ended("254700000049"),
    "query_string_code": ended("254700000030"),
    "query_processing_4999": in_flight(None),
    "query_processing_500": in_flight("pending_500"),
    "query_processing_200_error": in_flight("pending_empty"),
    "query_too_early_400": in_flight("pending_400"),
    "query_unknown_500": lambda c: c.query("ws_CO_231120261800001708374149"),
    "query_random_500": ended(PAYS, "random_no_answer"),
    "query_other_id": ended(PAYS, "query_other_id"),
    "query_429": limited,
    "query_html_403": in_flight("query_html"),
    "oauth_ok": oauth(),
    "oauth_ok_number": oauth("expires_in_number"),
    "oauth_empty_400": oauth(secret="wrong"),
    "oauth_bad_grant": oauth(params={"grant_type": "password"}),
    "oauth_bad_auth": lambda c: bare_push(c, "GET", "/oauth/v1/generate?grant_type=client_credentials"),
    "oauth_incapsula_403": oauth("oauth_html_403"),
}

FIXED_TEXTS = ("errorCode", "errorMessage", "ResponseCode", "ResponseDescription", "ResultCode", "ResultDesc")


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_the_sample_in_status_keys_types_and_fixed_words(instant: Client, name: str) -> None:
    expected, answer = sample(name), ANSWERS[name](instant)
    assert answer.status_code == expected["status"]
    assert answer.headers["Content-Type"] == expected["content_type"]
    if "text" in expected:
        assert bool(answer.text) == bool(expected["text"])
        assert ("Incapsula incident ID" in answer.text) == ("Incapsula incident ID" in expected["text"])
        return
    body = answer.json()
    assert shape(body) == shape(expected["body"])
    for key in FIXED_TEXTS:
        assert body.get(key) == expected["body"].get(key)


CALLBACKS = {
    "callback_success": (PAYS, None),
    "callback_cancelled": ("254700000032", None),
    "callback_no_answer": ("254708374149", None),
    "callback_string_code": ("254700000030", None),
    "callback_unlisted": ("254700000049", None),
    "callback_string_zero": (PAYS, "string_codes"),
    "callback_masked_phone": (PAYS, "masked_phone"),
    "callback_string_phone": (PAYS, "string_phone"),
    "callback_no_phone": (PAYS, "missing_phone"),
    "callback_no_metadata": (PAYS, "missing_metadata"),
    "callback_no_amount": (PAYS, "missing_amount"),
    "callback_string_amount": (PAYS, "string_amount"),
    "callback_reordered": (PAYS, "wrong_order"),
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_callback_is_the_sample_in_keys_types_order_and_fixed_words(
    instant: Client, shop: Shop, name: str
) -> None:
    phone, fault = CALLBACKS[name]
    if fault:
        instant.fault(fault, phone=phone)
    instant.pushed(phone)
    instant.idle()
    expected = sample(name)["body"]["Body"]["stkCallback"]
    (callback,) = shop.callbacks
    assert shape(callback) == shape(expected)
    assert (callback["ResultCode"], callback["ResultDesc"]) == (
        expected["ResultCode"],
        expected["ResultDesc"],
    )
    items, expected_items = (c.get("CallbackMetadata", {}).get("Item", []) for c in (callback, expected))
    assert [item["Name"] for item in items] == [item["Name"] for item in expected_items]
    assert shop.headers[0]["Content-Type"] == "application/json;charset=UTF-8"


def test_every_sample_says_where_it_is_from() -> None:
    for file in sorted(DARAJA.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        assert content["source"].startswith("daraja.md"), file.name
        assert content["kind"] in ("push", "query", "oauth", "callback"), file.name
        assert ("body" in content) != ("text" in content), file.name
