"""Phones: read in every usual spelling, refused in words, masked, hashed, blanked."""

import json

import pytest

from payments.phones import NotAPhone, blank_phones, mask, phone_hash, read_msisdn


@pytest.mark.parametrize(
    ("typed", "msisdn"),
    [
        ("0712345678", "254712345678"),
        ("+254712345678", "254712345678"),
        ("254712345678", "254712345678"),
        ("712345678", "254712345678"),
        ("0712 345 678", "254712345678"),
        ("0712-345-678", "254712345678"),
        ("+254 (712) 345 678", "254712345678"),
        ("\u2068+254700000111\u2069", "254700000111"),
        ("\u20680700 000 111\u2069", "254700000111"),
        ("\u202a+254 712\u00a0345\u2011678\u202c", "254712345678"),
        ("\u2066\u200e0712\u20133\u00ad45\u2009678\ufeff\u2069", "254712345678"),
        ("0110123456", "254110123456"),
        ("0141234567", "254141234567"),
        ("0118123456", "254118123456"),
        ("0182123456", "254182123456"),
    ],
)
def test_a_kenyan_mobile_number_is_read_as_people_type_it(typed: str, msisdn: str) -> None:
    assert read_msisdn(typed) == msisdn


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "071234567", "07123456789", "+12025550123", "0202345678", "0812345678", "0712abc678",
     "0712345678;ext=1", "\u2068\u2069", "0712\u2603345678", "٠٧١٢٣٤٥٦٧٨", "+", "-", "1" * 40, "9" * 41],
)  # fmt: skip
def test_anything_else_is_refused_in_words(typed: str) -> None:
    with pytest.raises(NotAPhone) as refused:
        read_msisdn(typed)
    assert str(refused.value).endswith(".")


def test_the_mask_shows_too_little_to_call() -> None:
    assert mask("254712345678") == "2547••••5678"


def test_the_hash_is_keyed() -> None:
    assert phone_hash("254712345678", "one") == phone_hash("254712345678", "one")
    assert phone_hash("254712345678", "one") != phone_hash("254712345678", "two")


@pytest.mark.parametrize(
    ("text", "blanked"),
    [
        ('{"Value":254708374149}', '{"Value":200000000000}'),
        ('"0708374149"', '"0000000000"'),
        ('"ws_CO_231120261800001708374149"', '"ws_CO_231120261800001000000000"'),
        ('{"Value":20261123180012}', '{"Value":20261123180012}'),
        ('"UKN4AB12CD" 1500 "2654-4b64-97ff"', '"UKN4AB12CD" 1500 "2654-4b64-97ff"'),
    ],
)
def test_runs_of_digits_that_could_be_a_phone_are_blanked(text: str, blanked: str) -> None:
    assert blank_phones(text) == blanked


def test_a_blanked_body_is_still_json() -> None:
    body = json.dumps({"a": 254708374149, "b": ["0708374149", 123456789012345678901234]})
    assert "708374149" not in json.dumps(json.loads(blank_phones(body)))
