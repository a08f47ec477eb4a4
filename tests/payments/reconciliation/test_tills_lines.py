"""A till's lines name no account: money goes to the one request that fits by amount, time and masked payer, or a person
says whose it is."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from payments import ledger
from payments.desk.statements.candidates import candidates
from payments.models import MpesaTransaction, Receipt
from payments.phones import mask, may_be_the_same
from payments.reconciliation import importing
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click, asked_and_paid, called_back
from tests.support.payments.stating import line, matched, row, state
from tests.support.statements import sample

ALICE = "254700000111"
TWIN = "254700999111"  # the same first and last digits
HERS, ANOTHERS = "25470****111 - ALICE **** EXAMPLE", "25471****222 - BOB **** EXAMPLE"


@pytest.fixture(autouse=True)
def _a_till(db: None, settings: Any) -> Any:
    settings.MPESA_TRANSACTION_TYPE = "CustomerBuyGoodsOnline"
    settings.MPESA_BUSINESS_SHORT_CODE, settings.MPESA_TILL_NUMBER = "174379", "600111"
    yield
    assert [str(fault) for fault in ledger.faults()] == []


def of_till(receipt: str, at: Any, paid_in: Any = 1500, payer: str = HERS, account_no: str = "") -> Any:
    return row(receipt, at, paid_in, account_no, other_party=payer, reason_type="Pay Merchant")


def paid_unseen(click: Click, safaricom: FakeDaraja, clock: Clock, **ask: Any) -> MpesaTransaction:
    """Its callback is lost; Safaricom says paid."""
    attempt = click(**{"msisdn": ALICE, **ask})
    asked_and_paid(attempt, safaricom, clock)
    clock.advance(minutes=3)
    return attempt


def test_the_case(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    clock.now = clock.now.replace(day=25, hour=8, minute=59, second=48)
    attempt = paid_unseen(click, safaricom, clock)
    imported = importing.import_file(
        sample("till.csv"), file_name="till.csv", by="akinyi", now=clock.advance(hours=20)
    )
    assert matched(imported.statement, clock).receipts_learned == 1
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt) == ("completed", "UKP6AB12CD")
    assert (attempt.order.state, attempt.order.received_cents) == ("paid", 150_000)


# what the line says beside what was asked (KES 1,500 by Alice's phone), and whether it is that payment's
LINES = {
    "the same": ({}, True),
    "a shilling more": ({"paid_in": 1501}, False),
    "cents": ({"paid_in": "1500.50"}, False),
    "another payer": ({"payer": ANOTHERS}, False),
    "a number that ends otherwise": ({"payer": "25470****112 - ALICE"}, False),
    "written with a nought": ({"payer": "0700****111 - ALICE"}, True),
    "too little shown": ({"payer": "25****11 - ALICE"}, False),
    "nobody named": ({"payer": ""}, False),
    "a business": ({"payer": "888880 - ALICE LTD"}, False),
    "an account that is no order's": ({"account_no": "WANJIRU"}, False),
    "a minute before": ({"seconds": -59}, True),
    "two minutes before": ({"seconds": -120}, False),
    "ten minutes after": ({"seconds": 599}, True),
    "later": ({"seconds": 660}, False),
}


@pytest.mark.parametrize(("said", "is_its"), LINES.values(), ids=LINES)
def test_a_line_is_the_requests_only_where_all_of_it_fits(
    said: dict[str, Any], is_its: bool, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_unseen(click, safaricom, clock)
    at = attempt.created_at + timedelta(seconds=said.pop("seconds", 12))
    clock.advance(hours=1)
    state([of_till("UKP6AB12CD", at, **said)], clock)
    attempt.refresh_from_db()
    assert (attempt.receipt == "UKP6AB12CD") is is_its
    assert Receipt.objects.filter(code="UKP6AB12CD", unclaimed_cents__gt=0).exists() is not is_its


def test_one_line_and_two_that_fit_are_a_persons_and_offered_the_likely_first(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    other = click(msisdn="254711111222", reference="CART0")
    asked = [(ALICE, "CART1"), (TWIN, "CART2")]
    both = [click(msisdn=msisdn, reference=reference) for msisdn, reference in asked]
    for attempt in both:
        asked_and_paid(attempt, safaricom, clock)
    state([of_till("UKP6AB12CD", both[0].created_at + timedelta(seconds=12))], clock)
    assert not MpesaTransaction.objects.filter(receipt="UKP6AB12CD").exists()
    offered = candidates(line("UKP6AB12CD"))
    assert (set(offered[:2]), offered[2:]) == (set(both), [other])


def test_two_lines_that_fit_one_request_are_a_persons(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_unseen(click, safaricom, clock)
    at = attempt.created_at
    lines = [of_till(f"UKP6AB12C{n}", at + timedelta(seconds=10 * n)) for n in (1, 2)]
    state(lines, clock)
    attempt.refresh_from_db()
    assert attempt.receipt is None


def test_of_what_safaricom_said_was_not_paid_no_line_is_the_money(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click(msisdn=ALICE)
    called_back(safaricom, clock, code=1032)
    clock.advance(minutes=5)
    state([of_till("UKP6AB12CD", attempt.created_at + timedelta(seconds=12))], clock)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt) == ("failed", None)
    assert candidates(line("UKP6AB12CD")) == [attempt]


def test_above_the_limit_of_a_day_it_waits_where_nobody_but_the_file_says_so(
    click: Click, clock: Clock
) -> None:
    attempt = click(msisdn=ALICE, amount=12_000)
    clock.advance(minutes=5)
    state([of_till("UKP6AB12CD", attempt.created_at + timedelta(seconds=12), 12_000)], clock)
    attempt.refresh_from_db()
    assert (attempt.receipt, line("UKP6AB12CD").waits_since is None) == (None, False)


class AnyTwoNumbers(TestCase):
    @given(one=st.from_regex(r"254[17]\d{8}", fullmatch=True), shown=st.tuples(*[st.integers(3, 6)] * 2))
    def test_a_mask_of_a_number_may_be_that_number(self, one: str, shown: tuple[int, int]) -> None:
        begins, ends = shown
        assert may_be_the_same(f"{one[:begins]}****{one[-ends:]}", mask(one))

    @given(one=st.from_regex(r"254[17]\d{8}", fullmatch=True), digit=st.integers(0, 9), at=st.integers(9, 11))
    def test_another_last_digit_is_another_number(self, one: str, digit: int, at: int) -> None:
        other = f"{one[:at]}{digit}{one[at + 1 :]}"
        assert may_be_the_same(f"{other[:5]}****{other[-3:]}", mask(one)) is (other == one)
