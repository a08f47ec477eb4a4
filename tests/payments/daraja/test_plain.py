"""What may be said aloud: phones, tokens and ids are blanked, codes and ordinary words stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.daraja.plain import clean, scrub, scrub_code


@pytest.mark.parametrize(
    "private",
    [
        "254708374149", "+254 708 374 149", "0708374149", "0708-374-149", "708374149", "254708***430",
        "2547 ***** 126", "2547••••5678", "c9SQxWWhmdVRlyh0zh8gZDTkubVF", "ws_CO_231120261800001708374149",
        "ws_CO_708374", "https://pay.example.co.ke/cb/3f9c0d6c5b1e4c3e9a8b7c6d",
        "Bearer abc", "Basic Zm9v", "Access Token - abc",
    ],
)  # fmt: skip
def test_private_things_are_blanked(private):
    said = scrub(f"Bad Request: {private}. Try again")
    assert private.split()[-1] not in said
    assert said.startswith("Bad Request: ")
    assert said.endswith("Try again")


@pytest.mark.parametrize(
    "words",
    [
        "Bad Request - Invalid BusinessShortCode",
        "Unable to lock subscriber, a transaction is already in process for the current subscriber",
        "Invalid Access Token",
        "KES 250,000",
    ],
)
def test_ordinary_words_stay(words):
    assert scrub(words) == words


@pytest.mark.parametrize(
    "code",
    [
        "500.001.1001",
        "404.001.03",
        "405.001",
        "policies.ratelimit.SpikeArrestViolation",
        "SFC_IC0003",
        "1032",
    ],
)
def test_codes_stay(code):
    assert scrub_code(f" {code} ") == code


@pytest.mark.parametrize(
    "code", ["254708374149", "708374149", "c9SQxWWhmdVRlyh0zh8gZDTkubVF", "254.708.374149"]
)
def test_what_is_no_code_is_scrubbed(code):
    assert scrub_code(code) == "[…]"


@given(st.text())
def test_clean_text_is_one_printable_line(text):
    assert clean(text).isprintable()
    clean(text).encode()
    assert len(scrub(text * 40)) <= 300
