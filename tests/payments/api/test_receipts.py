"""`POST /api/receipts`: receipts that another system hands on, signed as our own posts are."""

import json
import time
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from djkraph.signatures import is_signed, signature
from payments.models import Lookup, Receipt

pytestmark = pytest.mark.django_db
SECRET, NEXT = "a-secret-of-two-systems", "the-secret-that-takes-its-place"
NOTICE = {
    "TransID": "UKN4AB12CD",
    "TransAmount": "450.00",
    "BusinessShortCode": "174379",
    "BillRefNumber": "X",
}


@pytest.fixture(autouse=True)
def _secret(settings: Any) -> None:
    settings.RECEIPTS_SECRETS = [SECRET]


def hand_on(told: Any = NOTICE, *, secret: str = SECRET, age: int = 0, header: str | None = None) -> Any:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    signed = signature(body, secret=secret, at=int(time.time()) - age) if header is None else header
    return Client().post(
        "/api/receipts", body, content_type="application/json", headers={"DJKraph-Signature": signed}
    )


def test_it_is_kept_once_and_moves_nothing_by_itself() -> None:
    assert hand_on().json() == {"success": True, "known": False}
    assert hand_on().json() == {"success": True, "known": True}
    row = Lookup.objects.get()
    assert (row.code, row.state, row.account_no, row.amount_kes) == ("UKN4AB12CD", "due", "X", 450)
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "another"},
        {"age": 301},
        {"age": -301},
        {"header": ""},
        {"header": "t=1,v1=" + "0" * 64},
        {"header": "x"},
    ],
)
def test_whoever_has_not_the_secret_is_refused(changes: dict[str, Any]) -> None:
    answer = hand_on(**changes)
    assert (answer.status_code, answer.json()["code"]) == (401, "unsigned")
    assert not Lookup.objects.exists()


def test_a_body_that_was_changed_is_refused() -> None:
    body = json.dumps(NOTICE).encode()
    signed = signature(body, secret=SECRET, at=int(time.time()))
    assert hand_on(body.replace(b"450", b"999"), header=signed).status_code == 401


def test_while_one_secret_takes_the_place_of_another_both_are_good(settings: Any) -> None:
    settings.RECEIPTS_SECRETS = [NEXT, SECRET]
    assert hand_on(secret=NEXT).status_code == hand_on(secret=SECRET).status_code == 200


def test_without_a_secret_it_is_switched_off(settings: Any) -> None:
    settings.RECEIPTS_SECRETS = []
    assert hand_on(secret="").status_code == 403


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({**NOTICE, "BusinessShortCode": "600999"}, "wrong_short_code"),
        ({**NOTICE, "TransID": ""}, "invalid"),
        ([], "invalid"),
        (b"\xff\xfe", "invalid"),
        (b"", "invalid"),
    ],
)
def test_what_makes_no_sense_gets_a_word(told: Any, code: str) -> None:
    answer = hand_on(told)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@given(st.text(max_size=100))
def test_any_header_is_survived(header: str) -> None:
    assert not is_signed(b"{}", header, secrets=[SECRET], now=time.time())
