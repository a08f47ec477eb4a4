"""Reading callbacks: odd, hostile and contradictory ones, and any bytes at all."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.daraja import (
    CallbackUnreadable,
    StkCallback,
    read_callback,
)
from tests.support.payments.canned_daraja import CHECKOUT_ID, PHONE
from tests.support.payments.odd_answers import ODD_TEXTS, json_values


def callback(items=None, **changes):
    claim = {
        "MerchantRequestID": "2654",
        "CheckoutRequestID": CHECKOUT_ID,
        "ResultCode": 0,
        "ResultDesc": "Done.",
    }
    if items is not None:
        claim["CallbackMetadata"] = {"Item": items}
    return json.dumps({"Body": {"stkCallback": {**claim, **changes}}})


def test_items_are_read_by_name_and_a_single_one_needs_no_list():
    read = read_callback(callback({"Name": "Amount", "Value": 5}))
    assert (read.amount, read.receipt) == (Decimal(5), None)


def test_an_item_said_twice_alike_is_kept_and_one_said_differently_is_not():
    twice = [{"Name": "Amount", "Value": 5}] * 2
    assert read_callback(callback(twice)).amount == 5
    for order in ([5, 6], [5, 6, 5], [5, None], [None, 5]):
        items = [{"Name": "Amount", "Value": value} for value in order]
        assert read_callback(callback(items)).amount is None


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (450, "450"), (450.0, "450"), ("450.00", "450"), (" 450 ", "450"), (0.5, "0.5"), (250000, "250000"),
        (True, None), (None, None), (-1, None), ("-1", None), ("1e3", None), ("1,000", None), ("", None), (10**9, None),
        (float("nan"), None), (float("inf"), None), ("NaN", None), ([450], None), ({}, None), (10**300, None),
    ],
)  # fmt: skip
def test_an_amount_is_a_sane_number_of_shillings_or_nothing(value, amount):
    read = read_callback(callback([{"Name": "Amount", "Value": value}])).amount
    assert read == (None if amount is None else Decimal(amount))


@pytest.mark.parametrize("raw", ["1e999999999", "1e99999999999999999999", "-0.0", "1E-30", "9" * 5000])
def test_a_monstrous_amount_is_nothing(raw):
    text = callback([{"Name": "Amount", "Value": 77}]).replace("77", raw)
    assert read_callback(text).amount is None


@pytest.mark.parametrize(
    ("value", "receipt"),
    [
        ("UKN4AB12CD", "UKN4AB12CD"), (" ukn4ab12cd ", "ukn4ab12cd"), ("A" * 30, "A" * 30), ("A" * 31, None),
        ("", None), (" ", None), ("A B", None), ("A\x00", None), ("Ａ", None), (1234567890, None), (None, None),
        (["UKN"], None), ("<b>", None),
    ],
)  # fmt: skip
def test_a_receipt_is_letters_and_digits_or_nothing(value, receipt):
    assert read_callback(callback([{"Name": "MpesaReceiptNumber", "Value": value}])).receipt == receipt


@pytest.mark.parametrize(
    ("value", "when"),
    [
        (20261123180012, "2026-11-23T18:00:12+03:00"), ("20261123180012", "2026-11-23T18:00:12+03:00"),
        ("2026-11-23 18:00:12", "2026-11-23T18:00:12+03:00"), (20261323180012, None), (0, None), (-1, None),
        ("99991231235959", None), ("00010101000000", None), (2026112318001, None), (True, None), ([], None),
        ("2026112318001٢", None),
    ],
)  # fmt: skip
def test_a_date_is_on_nairobis_clock_or_nothing(value, when):
    read = read_callback(callback([{"Name": "TransactionDate", "Value": value}])).paid_at
    assert (read and read.isoformat()) == when


def test_no_phone_is_kept():
    read = read_callback(callback([{"Name": "PhoneNumber", "Value": int(PHONE)}], ResultDesc=f"For {PHONE}"))
    assert "708374149" not in repr(read)
    assert PHONE not in read.description


def test_a_byte_order_mark_and_a_bad_byte_in_the_prose_do_no_harm():
    body = b"\xef\xbb\xbf" + callback(ResultDesc="Done X").encode().replace(b"X", b"\xff")
    assert read_callback(body).paid


@pytest.mark.parametrize(
    "body",
    [
        *ODD_TEXTS,
        "[" * 900 + "]" * 900,
        '{"Body": {"stkCallback": []}}',
        '{"stkCallback": {}}',
        callback(CheckoutRequestID=None),
        callback(CheckoutRequestID="x" * 129),
        callback(CheckoutRequestID="a\x00"),
        callback(ResultCode=None),
        callback(ResultCode=False),
        callback(ResultCode=" "),
        callback(ResultCode=float("nan")),
        callback(ResultDesc="x" * 70_000),
        b"\xff\xfe" + callback().encode("utf-16-le"),
        b"\x00" * 100,
    ],
)
def test_what_is_no_callback_is_unreadable_and_quotes_nothing(body):
    with pytest.raises(CallbackUnreadable) as caught:
        read_callback(body)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 80


def test_items_nested_as_deep_as_the_parser_goes_are_survived():
    items = callback([{"Name": "Amount", "Value": 77}, {"Name": "Amount", "Value": 77}])
    for depth in range(700, 1000):
        with suppress(CallbackUnreadable):
            assert read_callback(items.replace("77", "[" * depth + "]" * depth)).amount is None


items = st.lists(
    st.fixed_dictionaries(
        {
            "Name": st.sampled_from(["Amount", "MpesaReceiptNumber", "TransactionDate", "Balance"])
            | json_values
        },
        optional={"Value": json_values},
    )
    | json_values,
    max_size=5,
)
claims = st.fixed_dictionaries(
    {
        "CheckoutRequestID": st.just(CHECKOUT_ID) | json_values,
        "ResultCode": st.sampled_from([0, 1032]) | json_values,
    },
    optional={
        "MerchantRequestID": json_values,
        "ResultDesc": json_values,
        "CallbackMetadata": st.fixed_dictionaries({"Item": items | json_values}) | json_values,
    },
)
bodies = (
    st.binary()
    | st.text()
    | json_values.map(json.dumps)
    | claims.map(lambda claim: json.dumps({"Body": {"stkCallback": claim}}))
    | claims.map(lambda claim: json.dumps({"Body": {"stkCallback": claim}}, ensure_ascii=False))
)


@given(bodies)
def test_any_bytes_are_a_callback_or_unreadable(body):
    try:
        read = read_callback(body)
    except CallbackUnreadable:
        return
    assert isinstance(read, StkCallback)
    assert read.paid == (read.code == "0")
    assert read.amount is None or (read.amount.is_finite() and read.amount >= 0)
    assert read.paid_at is None or read.paid_at.utcoffset() == timedelta(hours=3)
    repr(read).encode()  # no lone surrogate anywhere: it can be stored and logged
    read.description.encode()
    assert "\x00" not in read.description + read.code + read.merchant_request_id
