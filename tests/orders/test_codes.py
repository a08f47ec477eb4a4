"""What somebody typed for an order's code, and which codes that can mean."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.codes import ALPHABET, LENGTH, MOST_READINGS, PREFIX, codes_meant, is_code, new_code

CODE = "DK34679ACD"
RESTS = st.text(st.sampled_from(ALPHABET), min_size=LENGTH, max_size=LENGTH)
# nothing that could begin a code
WORDS = st.text(st.sampled_from(string.ascii_letters.replace("d", "").replace("D", "") + " "), max_size=12)
SEPARATORS = st.lists(st.sampled_from(["", " ", "-", ".", "_", "/", "\u00a0", " - "]), min_size=9, max_size=9)


@given(RESTS, SEPARATORS, st.booleans(), st.sampled_from(["", "order ", "Acc. ", "ref:", "No.", "Pay-"]))
def test_blanks_hyphens_and_words_about_it_change_nothing(
    rest: str, separators: list[str], small: bool, word: str
) -> None:
    code = PREFIX + rest
    typed = word + "".join(letter + gap for letter, gap in zip(code, [*separators, ""], strict=True))
    assert codes_meant(typed.lower() if small else typed) == {code}


@given(WORDS, RESTS)
def test_a_code_in_a_sentence_is_among_what_it_can_mean(words: str, rest: str) -> None:
    assert PREFIX + rest in codes_meant(f"{words} {PREFIX}{rest} thank you")


@given(RESTS, st.integers(0, LENGTH - 1), st.sampled_from("0O1IL2Z5S8BV"))
def test_what_no_code_has_stands_for_what_it_looks_like(rest: str, place: int, typed: str) -> None:
    spoilt = rest[:place] + typed + rest[place + 1 :]
    meant = codes_meant(PREFIX + spoilt)
    assert meant
    for code in meant:
        kept = code[len(PREFIX) :]
        assert kept[:place] + kept[place + 1 :] == rest[:place] + rest[place + 1 :]


@given(st.text(max_size=300))
def test_whatever_is_typed_only_codes_come_out_and_not_many(text: str) -> None:
    meant = codes_meant(text)
    assert len(meant) <= MOST_READINGS
    assert all(is_code(code) for code in meant)


@given(RESTS)
def test_a_code_means_itself_and_nothing_else(rest: str) -> None:
    assert codes_meant(PREFIX + rest) == {PREFIX + rest}


@pytest.mark.parametrize(
    "typed",
    ["DK 34679ACD", "dk34679acd", "D.K.3467-9ACD", "Order no DK34679ACD", "34679ACD", "0K34679ACD",
     "\uff24\uff2b\uff13\uff14\uff16\uff17\uff19\uff21\uff23\uff24"],
)  # fmt: skip
def test_as_people_type_it(typed: str) -> None:
    assert codes_meant(typed) == {CODE}


def test_a_zero_for_a_round_letter() -> None:
    assert codes_meant("DK34679AC0") == {"DK34679ACD", "DK34679ACQ", "DK34679ACC", "DK34679ACG"}


@pytest.mark.parametrize(
    "typed", ["", "INV-1042", "Wanjiru", "DK34679AC", "3467", "0708374149", "CART_1234567890"]
)
def test_what_is_no_code_means_none(typed: str) -> None:
    assert codes_meant(typed) == frozenset()


def test_two_codes_are_both_meant() -> None:
    other = "DKH4J6K7M9"
    assert codes_meant(f"{CODE} and {other}") == {CODE, other}


def test_every_new_code_is_one() -> None:
    assert all(is_code(new_code()) for _ in range(50))
