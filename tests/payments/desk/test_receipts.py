"""A receipt's page: where its shillings went, in sentences that add up; what needs a person is found in the list."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from payments import ledger, manual
from payments.desk.receipts import figures
from payments.desk.receipts.flows import flows
from payments.facts import (
    IS_TO_SEND_BACK,
    IS_UNCLAIMED,
    LEFT_UNDECIDED,
    WAS_REVERSED_UNSEEN,
    is_to_send_back,
    is_unclaimed,
    left_undecided,
    was_reversed_unseen,
)
from payments.models import MpesaTransaction, Receipt
from tests.support.payments.clock import Clock
from tests.support.payments.desk import at_desk
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import paid_twice, pay
from tests.support.payments.stating import charge, reversal, row, row_of, state, sweep, withdrawal

RECEIPTS = "/admin/payments/receipt/"
Click = Callable[..., MpesaTransaction]


@pytest.fixture(autouse=True)
def _the_ledger_stays_whole(db: None, request: pytest.FixtureRequest) -> Any:
    yield
    if "split" in request.fixturenames or "safaricom" in request.fixturenames:
        assert [str(fault) for fault in ledger.faults()] == []


def receipt(code: str = "UKN8AB12CD", **named: Any) -> Receipt:
    return Receipt.objects.get(code=code, voided_at=None, **named)


def told(of: Receipt) -> str:
    return figures.sentence(of, parts(of))


def parts(of: Receipt) -> list[figures.Share]:
    return figures.shares(of, flows(figures.postings_of(of)))


def page(of: Receipt, browser: Client | None = None) -> str:
    answer = (browser or at_desk("viewer", "reader")).get(f"{RECEIPTS}{of.pk}/change/")
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.fixture
def split(clock: Clock) -> tuple[Receipt, Order, Order]:
    """KES 2,500 that named no order: 1,000 for each of two orders, 200 kept, 300 nobody's."""
    first, second = place(clock), place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 2500, "WANJIRU")], clock)
    of = receipt()
    for order in (first, second):
        ledger.claim(of.pk, order_id=order.pk, order_code=order.code, cents=100_000, now=clock())
    ledger.keep(of.pk, cents=20_000, now=clock())
    return receipt(), first, second


def test_a_receipt_tells_where_each_of_its_shillings_is(split: tuple[Receipt, Order, Order]) -> None:
    of, first, second = split
    codes = sorted((first.code, second.code))
    assert told(of) == (
        "KES 2,500 came from 2547••••5678 on 23 Nov 2026, 18:01:00, for “WANJIRU”. "
        f"Of it, KES 1,000 is for order {codes[0]}, KES 1,000 is for order {codes[1]}, KES 200 was kept "
        "and KES 300 is nobody's yet."
    ).replace("2547••••5678", of.payer_masked)
    assert sum(part.cents for part in parts(of)) == of.amount_cents
    shown = page(of)
    for words in (
        first.code,
        second.code,
        "Kept by the shop",
        "KES 300",
        "Nobody&#x27;s yet",
        "november.csv",
    ):
        assert words in shown, words


def test_all_of_it_is_said_short(clock: Clock) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 1000, order.code)], clock)
    assert told(receipt()).endswith(f"All of it is for order {order.code}.")


def test_what_is_too_much_and_what_went_back_stand_apart(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = paid_twice(click, safaricom, clock)
    manual.record_refund(
        first.pk, reference="UKP7RF00AA", amount_kes=500, reason="twice", by="akinyi", now=clock()
    )
    of = receipt(first.receipt or "")
    assert told(of).endswith("Of it, KES 1,000 is to be sent back and KES 500 was sent back.")
    shown = page(of)
    assert "KES 1,000 of it must be sent back." in shown
    assert "UKP7RF00AA" in shown
    assert 'data-action="refund"' not in shown
    assert f"/mpesatransaction/{first.pk}/refund/" in page(of, at_desk("supervisor"))


def test_a_reversal_and_its_payment_lead_to_each_other(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock)
    state([row_of(attempt), reversal(clock.advance(minutes=9), "UKN4AB12CD")], clock)
    paid, back = receipt("UKN4AB12CD"), receipt("UKN4RV12CD")
    assert told(paid).endswith("All of it was given back by Safaricom.")
    assert (
        told(back)
        == "Safaricom gave KES 1,500 of receipt UKN4AB12CD back to the buyer on 23 Nov 2026, 18:09:00."
    )
    assert [part.cents for part in parts(back)] == [150_000]
    assert f"{RECEIPTS}{back.pk}/change/" in page(paid)
    assert f"{RECEIPTS}{paid.pk}/change/" in page(back, at_desk("viewer"))


def test_what_is_no_customers_money_is_said_as_what_it_is(clock: Clock) -> None:
    at = clock()
    state([row("UKN8AB12CD", at, 5000), sweep(at), charge(at), withdrawal(at, 400)], clock)
    said = {kind: told(receipt_of) for receipt_of in Receipt.objects.all() for kind in [receipt_of.kind]}
    assert said["to_bank"].startswith("KES 1,000 was moved to the bank on")
    assert said["charge"].startswith("Safaricom charged KES 2.25 on")
    assert said["other"].endswith("and nobody here has decided that.")
    for each in Receipt.objects.all():
        assert sum(part.cents for part in parts(each)) == each.amount_cents


def test_a_receipt_that_never_was_says_so(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    """The statement names another amount: the first receipt is voided, and counts nowhere."""
    attempt = pay(click, safaricom, clock)
    state([row_of(attempt, paid_in=1400)], clock)
    never = Receipt.objects.exclude(voided_at=None).get()
    assert "never to have been so: nothing of it counts." in page(never)
    assert "Where its money is" not in page(never, at_desk("viewer"))
    assert told(receipt("UKN4AB12CD")).endswith(f"All of it is for order {attempt.account_reference}.")


def test_what_needs_a_person_is_found_first(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    paid_twice(click, safaricom, clock)
    at = clock.advance(minutes=1)
    state(
        [row("UKN8AB12CD", at, 900, "?"), withdrawal(at, 400), reversal(at, "UKN4AB12ZZ"), sweep(at, 100)],
        clock,
    )
    viewer = at_desk("viewer")

    def listed(**query: str) -> set[str | None]:
        answer = viewer.get(RECEIPTS, query)
        assert answer.status_code == 200
        return {row.code for row in answer.context_data["cl"].result_list}

    assert listed(needs="unclaimed") == {"UKN8AB12CD"}
    assert listed(needs="due") == {"UKN4AB12CD"}
    assert listed(needs="reversed") == {"UKN4RV12CD"}
    assert listed(needs="left") == {"UKN4WD12CD"}
    assert listed(needs="any") == {"UKN8AB12CD", "UKN4AB12CD", "UKN4RV12CD", "UKN4WD12CD"}
    assert len(listed()) == 6
    assert "UKN8AB12CD" in listed(q="ukn8ab12cd")
    assert "UKN4AB12CD" in listed(q="0712 345 678")


def test_money_claimed_is_found_by_its_order(split: tuple[Receipt, Order, Order]) -> None:
    found = at_desk("viewer").get(RECEIPTS, {"q": split[1].code.lower()})
    assert [row.code for row in found.context_data["cl"].result_list] == ["UKN8AB12CD"]


def test_only_the_auditor_reads_postings(split: tuple[Receipt, Order, Order]) -> None:
    assert 'id="postings"' not in page(split[0])
    assert "Claimed for an order" in page(split[0], at_desk("auditor"))


def test_what_can_be_done_is_offered_to_who_may(clock: Clock) -> None:
    state([row("UKN8AB12CD", clock(), 2500, "WANJIRU")], clock)
    assert 'data-action="attach"' not in page(receipt())
    assert 'data-action="attach"' in page(receipt(), at_desk("supervisor"))


def test_money_that_is_shared_is_not_attached_whole(
    split: tuple[Receipt, Order, Order], clock: Clock
) -> None:
    """The form for a line takes all of it: what other orders have of it would be lost to them."""
    supervisor, other = at_desk("supervisor"), place(clock)
    assert 'data-action="attach"' not in page(split[0], supervisor)
    address = f"/admin/payments/statementline/{split[0].lines.get().pk}/"
    assert (
        "Some of this money has its place in the book" in supervisor.get(f"{address}change/").content.decode()
    )
    told = {"target": other.code, "reason": "She read the code to me."}
    assert supervisor.post(f"{address}attach/", told).status_code == 400
    assert figures.postings_of(split[0]) == figures.postings_of(receipt())
    assert receipt().unclaimed_cents == 30_000


def test_what_a_correction_took_back_counts_nowhere_and_a_mended_mending_counts(clock: Clock) -> None:
    from payments.models import Posting

    paid = Posting(pk=1, debit="mpesa:1", credit="order:A", amount_cents=500, code="paid")
    wrong = Posting(pk=2, debit="order:A", credit="mpesa:1", amount_cents=500, code="correction", mends=paid)
    again = Posting(pk=3, debit="mpesa:1", credit="order:A", amount_cents=500, code="correction", mends=wrong)
    assert flows([paid, wrong]).of == {}
    assert flows([paid, wrong, again]).orders == {"A": 500}


def test_the_lists_queries_do_not_grow_with_its_rows(clock: Clock) -> None:
    viewer, counts = at_desk("viewer"), []
    for first, last in ((0, 3), (3, 40)):
        rows = [row(f"UKN8A{number:05}", clock.advance(minutes=1), 100, "?") for number in range(first, last)]
        state(rows, clock)
        with CaptureQueriesContext(connection) as made:
            assert viewer.get(RECEIPTS).status_code == 200
        counts.append(len(made))
    assert counts[0] == counts[1]


TWINS = (
    (is_unclaimed, IS_UNCLAIMED),
    (is_to_send_back, IS_TO_SEND_BACK),
    (was_reversed_unseen, WAS_REVERSED_UNSEEN),
    (left_undecided, LEFT_UNDECIDED),
)


@pytest.mark.parametrize("direction", list(Receipt.Direction))
@pytest.mark.parametrize("kind", list(Receipt.Kind))
def test_the_row_and_the_query_agree_on_what_waits(direction: str, kind: str, clock: Clock) -> None:
    for number in range(8):
        Receipt.objects.create(
            code=f"UKN8AB12C{number}", direction=direction, kind=kind, amount_cents=100, short_code="174379",
            told_by="statement", told_at=clock(), unclaimed_cents=number % 2, due_cents=number // 2 % 2,
            reviewed_at=clock() if number > 3 else None,
        )  # fmt: skip
    for is_so, applies in TWINS:
        found = set(Receipt.objects.filter(applies))
        assert found == {each for each in Receipt.objects.all() if is_so(each)}
