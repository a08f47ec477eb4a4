"""Bytes at our callback address: read in whatever wrapping they come, and kept where they are no text."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from payments import callbacks, gateway
from payments.callbacks import spool
from payments.callbacks.bodies import KEPT_BYTES, read_body
from payments.models import CallbackDelivery, MpesaTransaction
from payments.phones import blank_phones
from payments.states import State
from tests.support.payments.callback_bodies import success
from tests.support.payments.clock import Clock
from tests.support.payments.desk import at_desk, words_of
from tests.support.payments.fake_daraja import FakeDaraja

Click = Callable[..., MpesaTransaction]
Verdict = CallbackDelivery.Verdict

PLAIN = json.dumps(success()).encode()
RAW_DEFLATE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
WRAPPED = {
    "a byte order mark": (b"\xef\xbb\xbf" + PLAIN, ""),
    "utf-16": (PLAIN.decode().encode("utf-16"), ""),
    "utf-32": (PLAIN.decode().encode("utf-32"), ""),
    "gzip": (gzip.compress(PLAIN), "gzip"),
    "gzip that nobody named": (gzip.compress(PLAIN), ""),
    "gzip and a byte order mark": (gzip.compress(b"\xef\xbb\xbf" + PLAIN), "GZIP"),
    "a header that a proxy left": (PLAIN, "gzip"),
    "deflate": (zlib.compress(PLAIN), "deflate"),
    "deflate without its head": (RAW_DEFLATE.compress(PLAIN) + RAW_DEFLATE.flush(), "deflate"),
    "a deflate header that a proxy left": (PLAIN, "deflate"),
}


@pytest.mark.parametrize(("body", "packed"), WRAPPED.values(), ids=WRAPPED)
def test_a_callback_is_read_in_any_wrapping(
    body: bytes, packed: str, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    headers = {"content-encoding": packed} if packed else {}
    answer = Client().post(
        f"/api/mpesa-callback/{safaricom.last_token}", body, content_type="application/json", headers=headers
    )
    assert answer.json() == {"ResultCode": 0, "ResultDesc": "Accepted"}
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt) == (State.COMPLETED, "UKN4AB12CD")
    delivery = CallbackDelivery.objects.get()
    assert (delivery.verdict, delivery.as_bytes) == (Verdict.APPLIED, None)


def test_a_stored_one_with_a_byte_order_mark_can_be_read_once_more(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """As deliveries were stored before the mark was taken off."""
    click()
    callbacks.receive_callback(token=safaricom.last_token, body=b"{", source_address=None, now=clock())
    CallbackDelivery.objects.update(
        body="\ufeff" + blank_phones(PLAIN.decode()), checkout_request_id="ws_CO_1"
    )
    (stored,) = callbacks.stored_deliveries(CallbackDelivery.objects.all())
    assert callbacks.apply_delivery(stored, now=clock()) is not Verdict.UNREADABLE


UNREADABLE = {
    "no utf-8": b'{"Body": "caf\xe9"}',
    "a NUL": b'{"Body": \x00}',
    "half a gzip": gzip.compress(PLAIN)[:-20],
    "a picture": b"\x89PNG\r\n\x1a\n\xff\xfe\xfd",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("database_away", [False, True])
def test_what_is_no_text_is_kept_byte_for_byte_and_shown(
    body: bytes, database_away: bool, db: None, clock: Clock, settings: Any, tmp_path: Any
) -> None:
    settings.SPOOL_DIR = str(tmp_path)
    if database_away:
        came = read_body(body)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("payments.callbacks.receive.store", _away)
            callbacks.receive_callback(token="a" * 48, body=body, source_address=None, now=clock())
        assert (spool.count_spooled(gateway.spool_folder()), came.as_bytes) == (1, body)
        callbacks.replay_spool(now=clock())
    else:
        callbacks.receive_callback(token="a" * 48, body=body, source_address=None, now=clock())
    delivery = CallbackDelivery.objects.get()
    assert (delivery.verdict, bytes(delivery.as_bytes or b"")) == (Verdict.UNREADABLE, body)
    page = at_desk("viewer").get(f"/admin/payments/callbackdelivery/{delivery.pk}/change/")
    assert page.status_code == 200
    assert f"0000  {body[:8].hex(' ', -2)}" in words_of(page)


def _away(*_: Any, **__: Any) -> None:
    raise OperationalError("the server closed the connection")


def test_a_phone_number_is_blanked_among_bytes_too() -> None:
    came = read_body(b'\xff{"PhoneNumber": 254708374149}')
    assert came.as_bytes == b'\xff{"PhoneNumber": 200000000000}'


def test_a_small_body_that_unpacks_to_very_much_is_kept_in_part() -> None:
    came = read_body(gzip.compress(b"x" * 50_000_000))
    assert (len(came.text), came.as_bytes) == (KEPT_BYTES, None)


def test_a_letter_cut_in_half_at_the_end_makes_it_no_less_a_text() -> None:
    came = read_body(b"x" * (KEPT_BYTES - 1) + "é".encode() * 10)
    assert (came.text, came.as_bytes) == ("x" * (KEPT_BYTES - 1), None)


@given(st.binary(max_size=300), st.sampled_from(["", "gzip", "deflate", "br"]))
def test_any_bytes(body: bytes, packed: str) -> None:
    came = read_body(body, content_encoding=packed)
    assert "\x00" not in came.text
    came.text.encode()  # no half of a pair of surrogates


@given(st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=100))
def test_any_text_is_read_in_any_wrapping(text: str) -> None:
    for body in (text.encode("utf-8-sig"), gzip.compress(text.encode("utf-8-sig")), text.encode("utf-16")):
        assert read_body(body).text == text
