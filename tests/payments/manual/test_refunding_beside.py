"""Money that came beside any request is sent back: each shilling once, seen on the statement, or here again."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orders.models import Order
from payments import ledger, limits, manual
from payments.manual import ActionRefused
from payments.models import HandSettlement, MpesaTransaction, Receipt, Refund
from tests.support.payments.book import balances
from tests.support.payments.clock import Clock
from tests.support.payments.ordering import place
from tests.support.payments.stating import reversal, row, state, withdrawal

TILL = "mpesa:174379"


@pytest.fixture(autouse=True)
def _the_ledger_stays_whole(db: None) -> Iterator[None]:
    yield
    assert [str(fault) for fault in ledger.faults()] == []


def nobodys(clock: Clock, kes: int = 1000) -> Receipt:
    state([row("UKN8AB12CD", clock(), kes, "WHOEVER")], clock)
    return Receipt.objects.get(code="UKN8AB12CD")


def overpaid(clock: Clock) -> tuple[Order, Receipt]:
    """1,600 came for an order of 1,000, as no request had asked for it."""
    order = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 1600, order.code)], clock)
    return order, Receipt.objects.get(code="UKN8AB12CD")


def propose(receipt: Receipt, kes: int, clock: Clock, reference: str = "UKN4RF0001") -> HandSettlement:
    return manual.refund_receipt(
        receipt.pk, reference=reference, amount_kes=kes, reason="Asked for it.", by="akinyi", now=clock()
    )


def send_back(receipt: Receipt, kes: int, clock: Clock, reference: str = "UKN4RF0001") -> Refund:
    propose(receipt, kes, clock, reference)
    return Refund.objects.get(reference=reference)


def test_nobodys_money_goes_back_in_parts_and_never_more_than_came(clock: Clock) -> None:
    receipt = nobodys(clock)
    send_back(receipt, 400, clock)
    assert balances() == {TILL: 600, "unclaimed": 600}
    with pytest.raises(ActionRefused, match=r"KES 600\.00 of this receipt is left to send back"):
        send_back(receipt, 601, clock, "UKN4RF0002")
    send_back(receipt, 600, clock, "UKN4RF0002")
    assert balances() == {}
    receipt.refresh_from_db()
    assert (receipt.unclaimed_cents, manual.refusal_to_refund_receipt(receipt)) == (
        0,
        "All of it was sent back already.",
    )


def test_what_was_too_much_goes_back_first(clock: Clock) -> None:
    order, receipt = overpaid(clock)
    assert balances()["refunds_due"] == 600
    send_back(receipt, 600, clock)
    assert balances() == {TILL: 1000, f"order:{order.code}": 1000}
    order.refresh_from_db()
    assert order.state == "paid"


def test_a_reference_is_recorded_once(clock: Clock) -> None:
    receipt = nobodys(clock)
    send_back(receipt, 400, clock)
    with pytest.raises(ActionRefused, match="recorded for another refund"):
        send_back(receipt, 400, clock)
    assert balances()[TILL] == 600


def test_it_is_a_decision_like_others_and_waits_above_the_limit(clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 400
    receipt = nobodys(clock)
    send_back(receipt, 400, clock)
    assert limits.decided_alone_kes("akinyi", now=clock()) == 400
    waiting = propose(receipt, 500, clock, "UKN4RF0002")
    assert (waiting.decision, balances()[TILL]) == ("waiting", 600)
    with pytest.raises(ActionRefused, match=r"and KES 500 of that waits for a second person"):
        propose(receipt, 101, clock, "UKN4RF0003")
    with pytest.raises(ActionRefused, match=r"and KES 500 of that waits for a second person"):
        manual.keep_part(receipt.pk, amount_kes=101, reason="Nobody asks.", by="wambui", now=clock())
    manual.confirm_settlement(waiting.pk, by="kraph", now=clock())
    refund = Refund.objects.get(reference="UKN4RF0002")
    assert (refund.recorded_by, refund.receipt_id, balances()[TILL]) == ("akinyi", receipt.pk, 100)


def test_one_that_waits_is_closed_once_the_money_is_a_payments(
    click: Callable[..., MpesaTransaction], clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 0
    receipt = nobodys(clock, 1500)
    waiting = propose(receipt, 1500, clock)
    attempt = click()
    Receipt.objects.filter(pk=receipt.pk).update(attempt=attempt)
    assert "belongs to a payment" in manual.why_pointless(waiting, now=clock())
    Receipt.objects.filter(pk=receipt.pk).update(attempt=None)


def test_the_statement_that_shows_it_moves_nothing_more(clock: Clock) -> None:
    refund = send_back(nobodys(clock), 400, clock)
    state([withdrawal(clock(), 400, refund.reference)], clock)
    refund.refresh_from_db()
    assert (refund.state, balances()[TILL]) == ("seen", 600)
    with pytest.raises(ActionRefused, match="can't be taken back"):
        manual.undo_refund(refund.pk, reason="Never.", by="kraph", now=clock())


@pytest.mark.parametrize("beside", [0, 400])
def test_one_that_never_left_is_here_again(beside: int, clock: Clock) -> None:
    """Where it stood; another one of the same amount, recorded in the same moment, stays."""
    receipt = nobodys(clock)
    if beside:
        send_back(receipt, beside, clock, "UKN4RF0002")
    before = balances()
    refund = send_back(receipt, 400, clock)
    manual.undo_refund(refund.pk, reason="The portal says that it failed.", by="kraph", now=clock())
    refund.refresh_from_db()
    assert (refund.state, balances()) == ("failed", before)
    with pytest.raises(ActionRefused, match="taken back already"):
        manual.undo_refund(refund.pk, reason="Once more.", by="kraph", now=clock())


def test_an_orders_own_money_that_never_left_is_the_orders_again(clock: Clock) -> None:
    order, receipt = overpaid(clock)
    refund = send_back(receipt, 1600, clock)
    order.refresh_from_db()
    assert order.state == "refunded"
    manual.undo_refund(refund.pk, reason="The portal says that it failed.", by="kraph", now=clock())
    order.refresh_from_db()
    assert (order.state, balances()["refunds_due"]) == ("paid", 600)


def test_money_that_safaricom_took_back_cannot_be_sent_back_too(clock: Clock) -> None:
    receipt = nobodys(clock)
    state([reversal(clock(), "UKN8AB12CD", 1000)], clock)
    with pytest.raises(ActionRefused, match=r"KES 0\.00 of this receipt is left"):
        send_back(receipt, 1, clock)


def test_of_a_payment_only_its_reversal_is_known_so_far(clock: Clock) -> None:
    state([reversal(clock(), "UKN8AB12CD", 400)], clock)
    with pytest.raises(ActionRefused, match="Only its reversal is known"):
        send_back(Receipt.objects.get(code="UKN8AB12CD"), 1, clock)
