"""What we send: password, timestamp, texts on the prompt, bodies."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.daraja import (
    Merchant,
    TransactionType,
    account_reference,
    nairobi_timestamp,
    password,
    push_body,
    query_body,
    transaction_description,
)
from tests.support.payments.canned_daraja import CHECKOUT_ID, MERCHANT, NOW, PASSKEY, PHONE, a_push

# daraja.md, section 2.1
PASSWORD = (
    "MTc0Mzc5YmZiMjc5ZjlhYTliZGJjZjE1OGU5N2RkNzFhNDY3Y2QyZTBjODkzMDU5"
    "YjEwZjc4ZTZiNzJhZGExZWQyYzkxOTIwMjYxMTIzMTgwMDAw"
)


def test_the_password_is_that_of_the_published_vector():
    assert password("174379", PASSKEY, "20261123180000") == PASSWORD


@pytest.mark.parametrize(
    ("now", "timestamp"),
    [
        (datetime(2026, 11, 23, 15, 0, tzinfo=UTC), "20261123180000"),
        (datetime(2026, 12, 31, 21, 0, 1, tzinfo=UTC), "20270101000001"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=3))), "20260102030405"),
    ],
)
def test_the_timestamp_is_on_nairobis_clock(now, timestamp):
    assert nairobi_timestamp(now) == timestamp


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        nairobi_timestamp(datetime(2026, 11, 23, 15, 0))  # noqa: DTZ001


def test_a_push_body_is_the_documented_one():
    assert push_body(a_push(), MERCHANT, NOW) == {
        "BusinessShortCode": "174379",
        "Password": PASSWORD,
        "Timestamp": "20261123180000",
        "TransactionType": "CustomerPayBillOnline",
        "Amount": 450,
        "PartyA": PHONE,
        "PartyB": "174379",
        "PhoneNumber": PHONE,
        "CallBackURL": "https://pay.example.co.ke/cb/3f9c0d6c5b1e4c3e9a8b7c6d5e4f3a2b",
        "AccountReference": "INV-1042",
        "TransactionDesc": "DJ Kraph",
    }


def test_a_query_body_has_a_password_of_its_own():
    assert query_body(CHECKOUT_ID, MERCHANT, NOW) == {
        "BusinessShortCode": "174379",
        "Password": PASSWORD,
        "Timestamp": "20261123180000",
        "CheckoutRequestID": CHECKOUT_ID,
    }


def test_a_till_is_paid_by_its_own_number_and_the_stores_short_code():
    till = Merchant(
        short_code="600000", passkey="k", transaction_type=TransactionType.TILL, till_number="5551234"
    )
    body = push_body(a_push(), till, NOW)
    assert (body["BusinessShortCode"], body["PartyB"]) == ("600000", "5551234")
    assert body["TransactionType"] == "CustomerBuyGoodsOnline"


def test_a_paybill_ignores_a_till_number():
    assert Merchant(short_code="600000", passkey="k", till_number="5551234").party_b == "600000"


@pytest.mark.parametrize("till_number", [None, ""])
def test_a_till_without_its_number_is_refused(till_number):
    with pytest.raises(ValueError, match="till number"):
        Merchant(
            short_code="600000", passkey="k", transaction_type=TransactionType.TILL, till_number=till_number
        )


def test_neither_phone_nor_passkey_nor_callback_secret_is_in_a_repr():
    assert PHONE not in repr(a_push())
    assert "3f9c" not in repr(a_push())
    assert PASSKEY not in repr(MERCHANT)


@pytest.mark.parametrize(
    "changes",
    [
        {"phone": "0708374149"},
        {"phone": "+254708374149"},
        {"phone": "254708374149\n"},
        {"phone": "25470837414٩"},
        {"amount": 0},
        {"amount": 250_001},
        {"amount": True},
        {"amount": 1.5},
        {"amount": "450"},
        {"account_reference": ""},
        {"account_reference": "CART_12345678"},
        {"description": ""},
        {"description": "Fourteen chars"},
    ],
)
def test_a_push_that_daraja_would_refuse_is_not_made(changes):
    with pytest.raises(ValueError, match="must be") as caught:
        a_push(**changes)
    assert "708374149" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("INV-1042", "INV-1042"),
        ("CART_1234567890", "CART 1234567"),
        ("  Café ☕ crème ", "Cafe creme"),
        ("Kraph's mix", "Kraphs mix"),
        ("Summer night set", "Summer night"),
        ("Summer nights set", "Summer"),
        ("Extraordinary-mix", "Extraordinar"),
        ("<script>", "script"),
        ("----", "DJ Kraph"),
        ("", "DJ Kraph"),
    ],
)
def test_a_reference_is_cut_to_what_the_phone_can_show(text, reference):
    assert account_reference(text) == reference


def test_a_description_has_thirteen_characters_and_a_fallback():
    assert transaction_description("Two premium mixes") == "Two premium"
    assert transaction_description("☕", fallback="Mixes") == "Mixes"
    assert transaction_description("", fallback="☕") == "Payment"


@given(st.text(), st.text())
def test_no_text_at_all_makes_an_illegal_or_empty_one(text, fallback):
    assert re.fullmatch(r"[A-Za-z0-9 -]{1,12}", account_reference(text, fallback))
    assert re.fullmatch(r"[A-Za-z0-9 -]{1,13}", transaction_description(text, fallback))
