"""What was decided wrongly is taken back by the opposite: the book balances, the order asks again, nothing is lost."""

from typing import Any

import pytest

from orders.models import Order
from payments import ledger, manual
from payments.facts import reasons_of
from payments.manual import ActionRefused, Settlement
from payments.models import MpesaTransaction, Receipt, Refund
from tests.support.payments.book import balances
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import Click, asked_and_paid, called_back, doubted, paid_twice, pay
from tests.support.payments.stating import line, reversal, row, row_of, state

WHY = "The message was of another day."


@pytest.fixture(autouse=True)
def _the_ledger_stays_whole(db: None) -> Any:
    yield
    assert [str(fault) for fault in ledger.faults()] == []


def settle(attempt: MpesaTransaction, clock: Clock, **told: Any) -> MpesaTransaction:
    wanted = {
        "receipt": "UKN4AB12CD",
        "amount_kes": 1500,
        "evidence": "sms",
        "reason": "Seen on the phone.",
    } | told
    manual.propose_settlement(attempt.pk, Settlement(**wanted), by="akinyi", now=clock())
    attempt.refresh_from_db()
    return attempt


def undo(attempt: MpesaTransaction, clock: Clock) -> MpesaTransaction:
    manual.undo_decision(attempt.pk, reason=WHY, by="kraph", now=clock())
    attempt.refresh_from_db()
    return attempt


def to_pay(attempt: MpesaTransaction) -> tuple[str, int]:
    order = Order.objects.get(pk=attempt.order_id)
    return order.state, order.to_pay_kes


def expired(click: Click, clock: Clock, safaricom: FakeDaraja) -> MpesaTransaction:
    attempt = click()
    called_back(safaricom, clock, code=1037)
    clock.advance(minutes=5)
    return attempt


def test_a_settlement_of_money_that_never_came_is_taken_back(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = settle(expired(click, clock, safaricom), clock)
    assert to_pay(attempt) == ("paid", 0)
    undo(attempt, clock)
    assert (attempt.state, attempt.receipt, attempt.by_hand, attempt.pays_order) == (
        "expired",
        None,
        False,
        False,
    )
    assert (balances(), to_pay(attempt)) == ({}, ("open", 1500))
    assert Receipt.objects.get().voided_at is not None
    assert attempt.events.last().facts == {"reason": WHY, "by": "kraph", "receipt": "", "role": ""}  # type: ignore[union-attr]


def test_what_was_taken_back_can_be_settled_rightly(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = undo(settle(expired(click, clock, safaricom), clock), clock)
    settle(attempt, clock)
    assert (balances()["mpesa:174379"], to_pay(attempt)) == (1500, ("paid", 0))
    undo(attempt, clock)
    assert (balances(), to_pay(attempt)) == ({}, ("open", 1500))


def test_money_that_comes_after_the_taking_back_counts(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = undo(settle(expired(click, clock, safaricom), clock, receipt="UKN4ZZ12CD"), clock)
    called_back(safaricom, clock)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt, to_pay(attempt)) == ("completed", "UKN4AB12CD", ("paid", 0))


def test_a_receipt_typed_wrong_is_awaited_again(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = click()
    asked_and_paid(attempt, safaricom, clock)
    undo(settle(attempt, clock, receipt="UKN4ZZ12CD"), clock)
    assert (attempt.state, attempt.receipt, attempt.pays_order) == ("completed", None, True)
    assert to_pay(attempt) == ("paid", 0)
    called_back(safaricom, clock)
    assert balances() == {"mpesa:174379": 1500, f"order:{attempt.account_reference}": 1500}


def test_an_accepted_amount_is_in_doubt_again(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = doubted(click, safaricom, clock)
    settle(attempt, clock, amount_kes=900, accepts_amount=True)
    assert to_pay(attempt) == ("paid", 0)
    undo(attempt, clock)
    assert (balances(), to_pay(attempt)) == ({}, ("open", 1500))


def test_a_claim_that_is_taken_back_leaves_the_money_nobodys(click: Click, clock: Clock) -> None:
    wrong, right = place(clock), place(clock)
    state([row("UKN4AB12CD", clock(), 1000, "WANJIRU")], clock)
    claim = manual.Claim(line_id=line("UKN4AB12CD").pk, target=wrong.code, reason="Her order, she says.")
    attempt = manual.claim_receipt(claim, by="akinyi", now=clock()).attempt
    assert attempt is not None
    undo(attempt, clock)
    assert balances() == {"mpesa:174379": 1000, "unclaimed": 1000}
    assert (line("UKN4AB12CD").attempt_id, line("UKN4AB12CD").match) == (None, "")
    again = manual.Claim(line_id=line("UKN4AB12CD").pk, target=right.code, reason="The other order.")
    manual.claim_receipt(again, by="akinyi", now=clock())
    assert balances() == {"mpesa:174379": 1000, f"order:{right.code}": 1000}


def test_a_refund_that_never_left_is_due_again(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = paid_twice(click, safaricom, clock)
    for reference, kes in (("UKN4RF0001", 500), ("UKN4RF0002", 1000)):
        manual.record_refund(
            attempt.pk, reference=reference, amount_kes=kes, reason="Twice.", by="akinyi", now=clock()
        )
    manual.undo_refund(Refund.objects.get(reference="UKN4RF0002").pk, reason=WHY, by="kraph", now=clock())
    attempt.refresh_from_db()
    assert (attempt.due_cents, attempt.refunded_kes, attempt.refunded_at) == (100_000, 500, None)
    assert attempt.refund_reference == "UKN4RF0001"
    with pytest.raises(ActionRefused, match="taken back already"):
        manual.undo_refund(Refund.objects.get(reference="UKN4RF0002").pk, reason=WHY, by="kraph", now=clock())


def test_an_order_whose_refund_never_left_is_paid_again(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=1500, reason="Asked.", by="akinyi", now=clock()
    )
    assert to_pay(attempt)[0] == "refunded"
    manual.undo_refund(Refund.objects.get().pk, reason=WHY, by="kraph", now=clock())
    assert to_pay(attempt) == ("paid", 0)


def test_a_refund_that_never_left_beside_a_reversal_that_did(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock)
    state([row_of(attempt), reversal(clock(), "UKN4AB12CD", "400")], clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=500, reason="Asked.", by="akinyi", now=clock()
    )
    manual.undo_refund(Refund.objects.get().pk, reason=WHY, by="kraph", now=clock())
    attempt.refresh_from_db()
    by_reversal = Receipt.objects.get(kind="reversal")
    assert (attempt.refunded_kes, attempt.refund_reference) == (400, by_reversal.code)


def test_what_safaricom_said_is_not_taken_back(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = pay(click, safaricom, clock)
    with pytest.raises(ActionRefused):
        undo(attempt, clock)
    assert "Nobody has decided" in manual.refusal_to_undo(attempt)


def test_what_was_sent_back_is_taken_back_first(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = settle(expired(click, clock, safaricom), clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=500, reason="Asked.", by="akinyi", now=clock()
    )
    with pytest.raises(ActionRefused, match="sent back"):
        undo(attempt, clock)


def test_a_settlement_with_a_receipt_that_a_statement_shows_leaves_the_money_nobodys(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = settle(expired(click, clock, safaricom), clock)
    state([row_of(attempt)], clock)
    undo(attempt, clock)
    assert balances() == {"mpesa:174379": 1500, "unclaimed": 1500}


# --- a receipt that was another's -----------------------------------------------------------------------


def test_safaricoms_word_for_a_receipt_wins_over_a_hands(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """A person settled one payment with the receipt that Safaricom then names for another."""
    borrower = settle(expired(click, clock, safaricom), clock)
    clock.advance(minutes=10)
    owner = click(reference="CART2")
    called_back(safaricom, clock)
    borrower.refresh_from_db()
    owner.refresh_from_db()
    assert (owner.state, owner.receipt, owner.pays_order) == ("completed", "UKN4AB12CD", True)
    assert (borrower.state, borrower.receipt, to_pay(borrower)) == ("expired", None, ("open", 1500))
    last = borrower.events.last()
    assert last is not None
    assert (last.kind, last.source) == ("undone", "callback")
    assert last.facts["reason"] == f"Safaricom says that receipt UKN4AB12CD is payment {owner.public_id}'s."
    assert [reason.key for reason in reasons_of(borrower)] == ["given_up"]
    assert balances() == {"mpesa:174379": 1500, f"order:{owner.account_reference}": 1500}


def test_a_borrowed_receipt_that_a_statement_showed_goes_to_its_owner(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    borrower = settle(expired(click, clock, safaricom), clock)
    state([row_of(borrower)], clock)
    clock.advance(minutes=10)
    owner = click(reference="CART2")
    called_back(safaricom, clock)
    owner.refresh_from_db()
    assert owner.receipt == "UKN4AB12CD"
    assert balances() == {"mpesa:174379": 1500, f"order:{owner.account_reference}": 1500}


def test_a_receipt_that_safaricom_named_before_stays_where_it_is(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = pay(click, safaricom, clock)
    clock.advance(minutes=10)
    second = click(reference="CART2")
    called_back(safaricom, clock)
    second.refresh_from_db()
    first.refresh_from_db()
    assert (first.receipt, second.receipt) == ("UKN4AB12CD", None)
