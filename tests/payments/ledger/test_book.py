"""What the money did stands in the book: every shilling once, whichever way it moved, and a change of it is found."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from orders.models import Order
from payments import enquiries, ledger, manual
from payments.ledger import booked
from payments.ledger.booked import ROLES
from payments.manual import Settlement
from payments.models import MpesaTransaction, Posting, Receipt
from tests.support.payments.book import balances
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja, paid_answer
from tests.support.payments.paying import Click, called_back, doubted, paid_twice, pay
from tests.support.payments.stating import reversal, row_of, state
from tests.support.tampering import tampering

MPESA = "mpesa:174379"


def codes(attempt: MpesaTransaction) -> list[str]:
    return list(attempt.postings.order_by("id").values_list("code", flat=True))


def sums(order: Order) -> tuple[float, float]:
    order.refresh_from_db()
    return order.received_cents / 100, order.returned_cents / 100


def is_whole() -> bool:
    return [str(fault) for fault in ledger.faults()] == []


def test_a_payment_is_one_receipt_and_one_posting(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    paid = pay(click, safaricom, clock)
    receipt = Receipt.objects.get()
    assert (receipt.code, receipt.direction, receipt.kind, receipt.amount_cents) == (
        "UKN4AB12CD",
        "in",
        "payment",
        150_000,
    )
    assert (receipt.short_code, receipt.attempt_id, receipt.told_by) == ("174379", paid.pk, "callback")
    assert balances() == {MPESA: 1500, f"order:{paid.account_reference}": 1500}
    assert sums(paid.order) == (1500, 0)
    assert is_whole()


def test_a_request_that_came_to_nothing_moves_nothing(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    click()
    called_back(safaricom, clock, code=1032)
    assert (balances(), Receipt.objects.count(), is_whole()) == ({}, 0, True)


def test_a_receipt_that_was_awaited_is_named_and_nothing_is_posted_twice(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.pk), clock=clock)
    assert Receipt.objects.get().code is None
    called_back(safaricom, clock)
    assert (Receipt.objects.get().code, codes(attempt)) == ("UKN4AB12CD", ["paid"])
    assert is_whole()


def test_money_for_a_paid_order_is_owed_back(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    second = paid_twice(click, safaricom, clock)
    order = f"order:{second.account_reference}"
    assert codes(second) == ["paid", "overpaid"]
    assert balances() == {MPESA: 3000, order: 1500, "refunds_due": 1500}
    assert sums(second.order) == (3000, 1500)
    manual.record_refund(
        second.pk, reference="UKN4RF0001", amount_kes=1500, reason="Twice.", by="akinyi", now=clock()
    )
    assert balances() == {MPESA: 1500, order: 1500}
    assert is_whole()


def test_a_goodwill_refund_is_taken_from_the_order(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    paid = pay(click, safaricom, clock)
    manual.record_refund(
        paid.pk, reference="UKN4RF0001", amount_kes=500, reason="A gift.", by="akinyi", now=clock()
    )
    assert codes(paid) == ["paid", "refund_decided", "refund_sent"]
    assert balances() == {MPESA: 1000, f"order:{paid.account_reference}": 1000}
    assert sums(paid.order) == (1500, 500)
    assert is_whole()


def test_an_amount_in_doubt_posts_nothing_until_somebody_names_it(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = doubted(click, safaricom, clock)
    assert (balances(), is_whole()) == ({}, True)
    manual.propose_settlement(
        attempt.pk,
        Settlement(
            receipt="UKN4AB12CD", amount_kes=900, evidence="portal", reason="A discount.", accepts_amount=True
        ),
        by="akinyi",
        now=clock(),
    )
    assert balances() == {MPESA: 900, f"order:{attempt.account_reference}": 900}
    assert (sums(attempt.order), is_whole()) == ((900, 0), True)


def test_doubted_money_that_was_sent_back_is_nobodys_in_between(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = doubted(click, safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=900, reason="Wrong.", by="akinyi", now=clock()
    )
    assert codes(attempt) == ["unclaimed", "refund_decided", "refund_sent"]
    assert (balances(), sums(attempt.order), is_whole()) == ({}, (0, 0), True)


@pytest.mark.parametrize(("paid_in", "to_pay"), [(1400, 100), ("1499.50", 1)])
def test_a_statement_that_says_less_corrects_by_adding(
    paid_in: Any, to_pay: int, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid = pay(click, safaricom, clock)
    state([row_of(paid, paid_in=paid_in)], clock)
    assert codes(paid) == ["paid", "correction", "paid"]
    assert Order.objects.get(id=paid.order_id).to_pay_kes == to_pay
    taken_back = paid.postings.get(code="correction")
    assert taken_back.mends == paid.postings.first()
    assert balances() == {MPESA: float(paid_in), f"order:{paid.account_reference}": float(paid_in)}
    assert sums(paid.order) == (float(paid_in), 0)
    assert Receipt.objects.get(voided_at=None).amount_cents == 100 * float(paid_in)
    assert is_whole()


def test_a_statement_that_says_more_has_the_rest_to_give_back(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid = pay(click, safaricom, clock)
    state([row_of(paid, paid_in=1600)], clock)
    assert codes(paid) == ["paid", "correction", "paid", "overpaid"]
    account = f"order:{paid.account_reference}"
    assert balances() == {MPESA: 1600, account: 1500, "refunds_due": 100}
    assert (sums(paid.order), is_whole()) == ((1600, 100), True)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_ends_all_others(role: str) -> None:
    """So that nothing stays to be given back of money that is corrected to what was asked for."""
    fields = booked.role(role).fields
    assert {name for name in ROLES if fields[name]} == {role}
    assert fields["due_cents"] == 0


@pytest.mark.parametrize(("reversed_kes", "went"), [("0.50", 1), ("1.00", 1), ("1.50", 2)])
def test_a_part_of_a_shilling_that_went_back_counts_whole(
    reversed_kes: str, went: int, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid = pay(click, safaricom, clock)
    state([row_of(paid), reversal(clock(), paid.receipt, reversed_kes)], clock)
    paid.refresh_from_db()
    assert (paid.refunded_kes, paid.refunded_at, is_whole()) == (went, None, True)


def test_a_correction_of_money_due_back_changes_what_is_due(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    second = paid_twice(click, safaricom, clock)
    state([row_of(second, paid_in=1400)], clock)
    assert balances()["refunds_due"] == 1400
    assert (sums(second.order), is_whole()) == ((2900, 1400), True)


def test_a_refund_of_corrected_money_is_of_the_receipt_that_counts(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    second = paid_twice(click, safaricom, clock)
    state([row_of(second, paid_in=1400)], clock)
    manual.record_refund(
        second.pk, reference="UKN4RF0001", amount_kes=1400, reason="Twice.", by="akinyi", now=clock()
    )
    sent = Posting.objects.get(code="refund_sent")
    assert sent.receipt is not None
    assert (sent.receipt.voided_at, sent.receipt.amount_cents) == (None, 140_000)
    assert (balances().get("refunds_due", 0), is_whole()) == (0, True)


# --- what is found ------------------------------------------------------------------------------------------

EDITS: dict[str, Callable[[MpesaTransaction], Any]] = {
    "the payment's amount and the order's total": lambda paid: (
        MpesaTransaction.objects.filter(pk=paid.pk).update(amount_kes=1),
        Order.objects.filter(pk=paid.order_id).update(total_kes=1),
    ),
    "the order's total": lambda paid: Order.objects.filter(pk=paid.order_id).update(total_kes=1),
    "what the payment received": lambda paid: MpesaTransaction.objects.filter(pk=paid.pk).update(
        received_kes=1
    ),
    "which order it is": lambda paid: MpesaTransaction.objects.filter(pk=paid.pk).update(
        order=Order.objects.exclude(pk=paid.order_id).get()
    ),
    "what the order received": lambda paid: Order.objects.filter(pk=paid.order_id).update(received_cents=1),
    "what the order gave back": lambda paid: Order.objects.filter(pk=paid.order_id).update(returned_cents=1),
    "a receipt's code": lambda paid: Receipt.objects.update(code="FORGED0001"),
    "a receipt's amount": lambda paid: Receipt.objects.update(amount_cents=1),
    "a receipt taken out": lambda paid: Receipt.objects.update(attempt=None),
    "a posting's amount": lambda paid: Posting.objects.update(amount_cents=1),
    "a posting's account": lambda paid: Posting.objects.update(credit="kept"),
    "a posting's code": lambda paid: Posting.objects.update(code="claimed"),
    "a posting's time": lambda paid: Posting.objects.update(at="2026-01-01T00:00:00Z"),
    "a posting's event": lambda paid: Posting.objects.update(event_number=1),
    "a posting taken out": lambda paid: Posting.objects.all().delete(),
    "a posting copied": lambda paid: _copied(Posting.objects.get()),
}


def _copied(posting: Posting) -> None:
    posting.pk, posting.ref = None, "another"
    posting.save(force_insert=True)


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_the_book_is_found(edit: str, click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    paid = pay(click, safaricom, clock)
    click(msisdn="254711000111", reference="CART9", amount=1500)
    assert is_whole()
    with tampering():
        EDITS[edit](paid)
    found = [str(fault) for fault in ledger.faults()]
    assert any(paid.public_id in each or paid.account_reference in each for each in found)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"amount_cents": 0},
        {"debit": "kept", "credit": "kept"},
        {"code": "gift"},
        {"code": "correction"},  # that names nothing
        {"ref": "the same"},
    ],
    ids=str,
)
def test_the_database_refuses_what_is_no_posting(nonsense: dict[str, Any], db: None, clock: Clock) -> None:
    told = {
        "at": clock(),
        "debit": MPESA,
        "credit": "kept",
        "amount_cents": 1,
        "code": "paid",
        "hash": "",
        "key_id": "",
    }
    Posting.objects.create(ref="the same", **told)
    with pytest.raises(IntegrityError), transaction.atomic():
        Posting.objects.create(**{"ref": "another", **told, **nonsense})


def test_the_database_keeps_a_receipt_once(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    pay(click, safaricom, clock)
    twin = Receipt.objects.get()
    twin.pk, twin.attempt_id = None, None
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)


def test_an_order_never_gives_back_more_than_it_got(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid = pay(click, safaricom, clock)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=paid.order_id).update(returned_cents=150_001)


REFUSED: dict[str, Callable[[], Any]] = {
    "a posting changed": lambda: Posting.objects.update(amount_cents=1),
    "a posting removed": lambda: Posting.objects.all().delete(),
    "a receipt's amount": lambda: Receipt.objects.update(amount_cents=1),
    "a receipt's direction": lambda: Receipt.objects.update(direction="out"),
    "a receipt's code": lambda: Receipt.objects.update(code="FORGED0001"),
    "a receipt's code taken out": lambda: Receipt.objects.update(code=None),
    "a receipt's short code": lambda: Receipt.objects.update(short_code="600999"),
    "who told of a receipt": lambda: Receipt.objects.update(told_by="staff"),
    "a receipt removed": lambda: (
        Posting.objects.none().delete(),
        Receipt.objects.all()._raw_delete("default"),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_database_keeps_what_was_told(
    what: str, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    pay(click, safaricom, clock)
    before = [list(table.objects.values()) for table in (Posting, Receipt)]
    with pytest.raises(IntegrityError, match="stay as they were written"), transaction.atomic():
        REFUSED[what]()
    assert [list(table.objects.values()) for table in (Posting, Receipt)] == before


def test_a_receipt_is_voided_once_and_for_all(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    pay(click, safaricom, clock)
    Receipt.objects.update(voided_at=clock())
    with pytest.raises(IntegrityError, match="stay as they were written"), transaction.atomic():
        Receipt.objects.update(voided_at=None)


@pytest.mark.parametrize(("days", "account"), [(1, "order"), (3, "unclaimed")])
def test_money_for_an_order_that_has_ended_is_kept_and_a_person_decides(
    days: int, account: str, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    called_back(safaricom, clock, code=1032)
    clock.advance(days=days)
    called_back(safaricom, clock)
    attempt.refresh_from_db()
    own = f"order:{attempt.account_reference}" if account == "order" else account
    assert (attempt.state, attempt.unclaimed, balances()) == (
        "completed",
        account == "unclaimed",
        {MPESA: 1500, own: 1500},
    )
    assert (sums(attempt.order)[0], is_whole()) == (1500 if account == "order" else 0, True)


def test_a_person_who_settles_it_has_decided(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = click()
    called_back(safaricom, clock, code=1032)
    clock.advance(days=3)
    settled = Settlement(receipt="UKN4AB12CD", amount_kes=1500, evidence="sms", reason="Seen on her phone.")
    manual.propose_settlement(attempt.pk, settled, by="akinyi", now=clock())
    assert sums(attempt.order) == (1500, 0)
