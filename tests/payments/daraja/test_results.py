"""The table of result codes: all of them, and what is not in it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from payments.daraja import RESULTS, UNKNOWN, Retry, lookup

PAID = {"0"}
NOT_PAID = {
    "1", "2", "3", "4", "8", "11", "17", "18", "20", "21", "22", "24", "25", "29", "1001", "1019", "1025", "1031",
    "1032", "1037", "1101", "1102", "2001", "2006", "2007", "2008", "2026", "2028", "2040", "8006", "E3008",
    "SFC_IC0003", "TP40087",
}  # fmt: skip
OPEN = {
    "4999", "26", "100000001", "100000002", "100000011", "1036", "9999", "15", "2029", "2033", "R000001", "R000002",
    "500.001.1001",
}  # fmt: skip

RETRY_NOW = {"1", "1019", "1031", "1032", "2001", "2026", "TP40087"}
RETRY_LATER = {"4", "17", "1001", "1025", "1037", "26", "100000001", "100000002", "100000011", "1036", "9999"}


def test_the_table_is_closed():
    assert set(RESULTS) == PAID | NOT_PAID | OPEN
    with pytest.raises(TypeError):
        RESULTS["7777"] = UNKNOWN  # type: ignore[index]


@pytest.mark.parametrize("code", sorted(PAID | NOT_PAID | OPEN))
def test_each_code_says_whether_it_is_an_ending(code):
    result = lookup(code)
    assert result.code == code
    assert result.final is (code not in OPEN)
    assert result.paid is (code in PAID)
    expected = Retry.NOW if code in RETRY_NOW else Retry.LATER if code in RETRY_LATER else Retry.NEVER
    assert result.retry is expected


@pytest.mark.parametrize("code", sorted(PAID | NOT_PAID | OPEN))
def test_each_code_has_whole_sentences_for_buyer_and_staff(code):
    for words in (lookup(code).buyer, lookup(code).staff):
        assert words[0].isupper()
        assert words.endswith(".")
        assert len(words) < 130
    assert lookup(code).meaning


def test_what_stays_open_never_tells_the_buyer_to_try_again():
    assert not [code for code in OPEN if "try again" in lookup(code).buyer.lower()]


def test_thin_evidence_is_watched_and_an_earlier_prompt_is_looked_at():
    assert {code for code in RESULTS if RESULTS[code].follow_up} == {"1031", "1036", "1037", "9999"}
    assert {code for code in RESULTS if RESULTS[code].check_earlier} == {"17", "1001"}


@pytest.mark.parametrize("zero", [0, "0", "0 ", " 0\n", 0.0, Decimal(0), Decimal("0.00")])
def test_zero_is_paid_however_it_is_written(zero):
    assert lookup(zero).paid


@pytest.mark.parametrize("cancel", [1032, "1032", " 1032 ", 1032.0, Decimal("1032"), Decimal("1032.0")])
def test_a_cancel_is_a_cancel_however_it_is_written(cancel):
    assert lookup(cancel).code == "1032"


@pytest.mark.parametrize(
    "code",
    [
        None, True, False, "", " ", "00", "0.0", "O", "٠", "-0", "0x0", "e3008", "False", b"0", [0], {}, (), object(),
        float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("1E+999999"), Decimal("0E-999999"),
        0.5, -1, 7777, pytest.param(10**5000, id="huge"), "7777", "\ud800", "0\x00",
    ],
)  # fmt: skip
def test_a_code_without_a_row_is_never_an_ending(code):
    result = lookup(code)
    assert not result.final
    assert not result.paid
    assert result.retry is Retry.NEVER
    assert result.buyer == "We are checking your payment. Do not pay again yet."


def test_an_unlisted_code_is_kept_for_staff_but_not_a_phone():
    assert lookup(7777).code == "7777"
    assert "254708374149" not in lookup("254708374149").code
    assert len(lookup("a " * 400).code) <= 40
