"""Seals: which rows each lists, in one chain; what comes late is taken in, and nothing is listed twice or missed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from djkraph import sql
from payments import enquiries, ledger, manual
from payments.ledger import seals
from payments.ledger.seals import Reach, without
from payments.models import HandSettlement, MpesaTransaction, PaymentEvent, Receipt, Seal, SealedInPart
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja, paid_answer
from tests.support.payments.paying import Click, called_back, pay
from tests.support.payments.stating import row_of, state
from tests.support.sealing import listed, seal
from tests.support.tampering import tampering


def is_whole() -> bool:
    return [str(fault) for fault in ledger.faults()] == []


def test_a_seal_lists_what_came_since_the_last_one(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    paid = pay(click, safaricom, clock)
    first = seal(clock)
    assert first is not None
    assert (first.number, first.previous_hash, first.cents) == (1, "", 150_000)
    assert first.counts == {"event": 3, "posting": 1, "receipt": 1}
    assert {entry.payment for entry in listed(first)} == {(paid.public_id, paid.account_reference)}
    manual.record_refund(
        paid.pk, reference="UKN4RF0001", amount_kes=500, reason="A gift.", by="akinyi", now=clock()
    )
    second = seal(clock)
    assert second is not None
    assert (second.number, second.previous_hash, second.cents) == (2, first.hash, 100_000)
    assert second.counts == {"event": 1, "posting": 2, "proposal": 1, "refund": 1}
    assert is_whole()


def test_nothing_new_makes_no_seal(click: Click, clock: Clock) -> None:
    assert seal(clock) is None
    click()
    assert seal(clock) is not None
    assert seal(clock) is None


def test_a_history_is_sealed_in_as_many_seals_as_it_needs(
    click: Click, safaricom: FakeDaraja, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        pay(click, safaricom, clock, msisdn=f"25471234567{number}", reference=f"CART{number}",
            receipt=f"UKN4AB12C{number}")  # fmt: skip
    monkeypatch.setattr(seals, "ROWS_OF_A_TABLE", 3)
    made = list(ledger.seal_all(clock=clock))
    assert [each.number for each in made] == [1, 2, 3, 4]
    assert [each.has_more for each in made] == [True, True, True, True]
    rows = [(entry.table.letter, entry.row_id) for each in Seal.objects.all() for entry in listed(each)]
    assert len(rows) == len(set(rows)) == 12 + 4 + 4
    assert is_whole()


def test_two_sealers_at_once_make_one_seal(
    click: Click, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one has read the same last seal, and finds the number taken."""
    click()
    find, others = seals._find, []

    def meanwhile(*given: Any) -> Any:
        found = find(*given)
        if not others:
            others.append(1)
            others.append(ledger.seal_next(now=clock()))
        return found

    monkeypatch.setattr(seals, "_find", meanwhile)
    assert ledger.seal_next(now=clock()) is None
    assert others[1] is not None
    assert Seal.objects.count() == 1
    assert is_whole()


@pytest.mark.django_db(transaction=True)
def test_sealers_that_run_beside_each_other_seal_each_row_once(
    click: Click, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        click(msisdn=f"25471234{number:04}", reference=f"CART{number}")
    monkeypatch.setattr(seals, "ROWS_OF_A_TABLE", 2)
    start = Barrier(3)

    def run() -> int:
        start.wait()
        try:
            return sum(1 for _ in range(12) if ledger.seal_next(now=clock()) is not None)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as sealers:
        made = [each.result() for each in [sealers.submit(run) for _ in range(3)]]
    assert sum(made) == Seal.objects.count() == 12
    rows = [(entry.table.letter, entry.row_id) for each in Seal.objects.all() for entry in listed(each)]
    assert len(rows) == len(set(rows)) == 24
    assert is_whole()


def test_the_chain_can_not_fork(click: Click, clock: Clock) -> None:
    click()
    made = seal(clock)
    assert made is not None
    for edit in ({"number": 2}, {"previous_hash": "ab"}):
        fork = Seal.objects.get()
        fork.pk = None
        for name, value in edit.items():
            setattr(fork, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            fork.save(force_insert=True)


# --- what comes late ----------------------------------------------------------------------------------------


@pytest.fixture
def slow(click: Click, clock: Clock) -> Callable[[], None]:
    """An event of a transaction that was given its id and has not ended when the seal is made. Comes when called."""
    click()
    last = PaymentEvent.objects.latest("id")
    values = PaymentEvent.objects.filter(pk=last.pk).values().get()
    with tampering():
        PaymentEvent.objects.filter(pk=last.pk).delete()
    click(msisdn="254712345679", reference="CART2")

    def come() -> None:
        PaymentEvent.objects.create(**values)

    return come


def test_what_was_under_way_is_neither_lost_nor_taken_for_put_in(
    slow: Callable[[], None], clock: Clock
) -> None:
    first = seal(clock)
    assert first is not None
    slow()
    assert is_whole()  # not sealed yet, and awaited
    clock.advance(seconds=5)
    second = seal(clock)
    assert second is not None
    (came,) = listed(second)
    assert Reach.from_json(first.reach).awaits("e", came.row_id)
    assert not Reach.from_json(second.reach).awaits("e", came.row_id)
    assert is_whole()


def test_once_nothing_is_under_way_any_more_nothing_is_awaited(
    slow: Callable[[], None], click: Click, clock: Clock
) -> None:
    for number in range(4):
        click(msisdn=f"25471234568{number}", reference=f"LATER{number}")
        assert seal(clock) is not None
        clock.advance(minutes=1)
    newest = Seal.objects.first()
    assert newest is not None
    assert Reach.from_json(newest.reach).absent == {}
    slow()
    assert any("event 2 was put in after its place was sealed" in str(fault) for fault in ledger.faults())
    assert seal(clock) is None


def test_a_transaction_that_lasts_is_waited_for(
    slow: Callable[[], None], click: Click, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL says that one is older than the seals."""
    monkeypatch.setattr(sql, "transactions_under_way", lambda: (700, 720))
    for number in range(4):
        click(msisdn=f"25471234568{number}", reference=f"LATER{number}")
        assert seal(clock) is not None
        clock.advance(minutes=30)
    newest = Seal.objects.first()
    assert newest is not None
    assert Reach.from_json(newest.reach).absent.keys() == {"e"}
    slow()
    assert seal(clock) is not None
    assert is_whole()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer")
@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_really_lasts_is_waited_for(click: Click, clock: Clock) -> None:
    """Another connection has inserted an event and does not commit; the shop goes on, and so do its seals."""
    attempt = click()
    second = PaymentEvent.objects.filter(attempt=attempt).latest("number")
    columns = [f.column for f in PaymentEvent._meta.concrete_fields if f.column not in ("id", "number")]
    copy = (
        f"INSERT INTO payments_paymentevent (number, {', '.join(columns)}) "
        f"SELECT 3, {', '.join(columns)} FROM payments_paymentevent WHERE id = {second.pk}"
    )
    with psycopg.connect(connection.connection.info.dsn) as other:
        other.execute(copy)  # type: ignore[call-overload]
        for number in range(4):
            click(msisdn=f"25471234568{number}", reference=f"LATER{number}")
            assert seal(clock) is not None
            clock.advance(minutes=30)
    assert not any("put in" in str(fault) for fault in ledger.faults())
    newest = seal(clock)
    assert newest is not None
    assert [(entry.payment[0], entry.name) for entry in listed(newest)] == [(attempt.public_id, "3")]
    assert not any("put in" in str(fault) for fault in ledger.faults())


@pytest.mark.parametrize(
    ("ids", "left"),
    [
        ([], [(1, 9)]), ([1], [(2, 9)]), ([9], [(1, 8)]), ([4, 5], [(1, 3), (6, 9)]), (range(1, 10), []),
        ([0, 12], [(1, 9)]),
    ],
)  # fmt: skip
def test_what_is_left_of_a_range(ids: Any, left: list[tuple[int, int]]) -> None:
    assert list(without((1, 9), ids)) == left


# --- what is sealed twice: as it was told, and once the rest is known -----------------------------------------


def test_an_awaited_receipt_is_sealed_again_with_its_code(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    clock.advance(minutes=2)
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.pk), clock=clock)
    first = seal(clock)
    assert first is not None
    assert [entry.in_part for entry in listed(first) if entry.table.word == "receipt"] == [True]
    called_back(safaricom, clock)
    assert is_whole()
    second = seal(clock)
    assert second is not None
    assert [(entry.in_part, entry.name) for entry in listed(second) if entry.table.word == "receipt"] == [
        (False, "UKN4AB12CD")
    ]
    assert (SealedInPart.objects.count(), is_whole()) == (0, True)
    with tampering():
        Receipt.objects.update(code="FORGED0001")
    assert any("changed since seal 2: receipt" in str(fault) for fault in ledger.faults())


def test_a_proposal_is_sealed_when_it_is_made_and_when_it_is_decided(click: Click, clock: Clock) -> None:
    attempt = click(amount=20_000)
    clock.advance(minutes=9)
    proposed = manual.propose_settlement(
        attempt.pk,
        manual.Settlement(receipt="UKN4AB12CD", amount_kes=20_000, evidence="portal", reason="Seen."),
        by="akinyi",
        now=clock(),
    )
    assert seal(clock) is not None
    manual.decline_settlement(proposed.pk, why="Not hers.", by="brian", now=clock())
    assert is_whole()
    assert seal(clock) is not None
    assert is_whole()
    for edit in ({"amount_kes": 2}, {"decided_by": "chebet"}, {"declined_because": "?"}):
        before = HandSettlement.objects.filter(pk=proposed.pk).values(*edit).get()
        HandSettlement.objects.update(**edit)
        assert any("proposal UKN4AB12CD" in str(fault) for fault in ledger.faults()), edit
        HandSettlement.objects.update(**before)
    assert is_whole()


def test_what_may_change_is_no_fault(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    """A statement corrects a receipt, and its line is matched after it was sealed; personal data is erased."""
    paid = pay(click, safaricom, clock)
    assert seal(clock) is not None
    state([row_of(paid, paid_in=1400)], clock)
    assert is_whole()
    assert seal(clock) is not None
    Receipt.objects.update(payer_masked="")
    paid.statement_lines.update(details="", other_party="", match="", attempt=None)
    assert is_whole()


# --- the clock ------------------------------------------------------------------------------------------------


def test_entries_unsealed_for_ten_minutes_are_told(click: Click, clock: Clock) -> None:
    assert ledger.unsealed_since(now=clock()) is None
    began = clock()
    click()
    assert ledger.unsealed_since(now=clock() + timedelta(minutes=10)) is None
    assert ledger.unsealed_since(now=clock() + timedelta(minutes=11)) == began
    seal(clock)
    assert ledger.unsealed_since(now=clock() + timedelta(days=1)) is None
    clock.advance(minutes=1)
    click(msisdn="254712345679", reference="CART2")
    assert ledger.unsealed_since(now=clock() + timedelta(minutes=11)) == clock()


def test_that_is_one_question(click: Click, clock: Clock, django_assert_num_queries: Any) -> None:
    click()
    seal(clock)
    with django_assert_num_queries(1):
        ledger.unsealed_since(now=clock())


def test_a_seal_of_a_slow_clock_is_no_older_than_the_one_before(click: Click, clock: Clock) -> None:
    click()
    first = seal(clock)
    clock.advance(minutes=-1)
    MpesaTransaction.objects.update(next_check_at=None)
    click(msisdn="254712345679", reference="CART2")
    second = seal(clock)
    assert first is not None
    assert second is not None
    assert second.at == first.at
