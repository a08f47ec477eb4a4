"""Phones: read in every usual spelling, refused in words, masked, hashed, blanked."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.phones import MSISDN, NotAPhone, blank_phones, mask, phone_hash, read_msisdn
from tests.support.places import ROOT

SAMPLES = json.loads(
    (ROOT / "tests" / "samples" / "phones.json").read_text()
)  # the page's tests read them too
# what is in a number that was copied, and what nobody sees of it
UNSEEN = st.characters(categories=["Cf", "Mn", "Me", "Zs", "Zl", "Zp", "Pd"])


@pytest.mark.parametrize(("typed", "msisdn"), SAMPLES["read"].items())
def test_a_kenyan_mobile_number_is_read_as_people_type_it(typed: str, msisdn: str) -> None:
    assert read_msisdn(typed) == msisdn


@pytest.mark.parametrize("typed", SAMPLES["refused"])
def test_anything_else_is_refused_in_words(typed: str) -> None:
    with pytest.raises(NotAPhone) as refused:
        read_msisdn(typed)
    assert str(refused.value).endswith(".")


@given(st.lists(st.tuples(st.integers(0, 10), UNSEEN), max_size=8), st.sampled_from(["", "tel:", "Tel:"]))
def test_what_nobody_sees_changes_nothing(put: list[tuple[int, str]], link: str) -> None:
    typed = "0712345678"
    for at, unseen in put:
        typed = typed[:at] + unseen + typed[at:]
    assert read_msisdn(link + typed) == "254712345678"


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused(typed: str) -> None:
    with contextlib.suppress(NotAPhone):
        assert MSISDN.fullmatch(read_msisdn(typed))


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
