"""Money that two move in the same moment, in every order that matters: it ends as if one had come after the other,
whoever is second is told in a sentence, and PostgreSQL finds no deadlock."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from payments import ledger, reconciliation
from payments.ledger.seals import entries_of
from payments.manual import ActionRefused
from payments.models import PaymentEvent, Posting, Seal, Statement, StatementLine
from payments.statement_file import StatementUnreadable
from tests.support.last_words import LastWords
from tests.support.payments import deeds
from tests.support.payments.clock import Clock
from tests.support.payments.deeds import RECEIPT, Call, Shop
from tests.support.payments.fake_daraja import OTIENO, FakeDaraja
from tests.support.payments.paying import Click, asked_and_paid
from tests.support.payments.stands import Kept, differences, what_counts
from tests.support.payments.stating import line, reversal, row, row_of
from tests.support.races.interleaving import Play, in_every_order, one_after_the_other

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer"),
]

SENTENCES = (ActionRefused, StatementUnreadable)
TOLD: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _table_at_the_end(request: pytest.FixtureRequest) -> None:
    if connection.vendor == "postgresql":
        request.config.pluginmanager.register(LastWords("money that two move at once", lambda: iter(TOLD)))


@pytest.fixture
def shop(
    transactional_db: None,
    click: Click,
    safaricom: FakeDaraja,
    clock: Clock,
    settings: Any,
    tmp_path: Path,
) -> Shop:
    settings.STATEMENTS_DIR = str(tmp_path)
    return Shop(click=click, safaricom=safaricom, clock=clock)


Two = tuple[Call, Call]


# --- Safaricom's callback, and a statement ---------------------------------------------------------------


def a_callback_and_the_statement_of_the_same_receipt(shop: Shop) -> Two:
    stated = shop.upload(row_of(shop.click()))
    return deeds.is_called_back(shop, 1), deeds.matches(shop, stated)


def a_callback_and_the_line_that_names_no_order(shop: Shop) -> Two:
    shop.click()
    stated = shop.upload(row("UKN4AB12CD", shop.clock(), 1500, "WANJIRU"))
    return deeds.is_called_back(shop, 1), deeds.matches(shop, stated)


def a_callback_and_the_line_of_a_receipt_that_is_awaited(shop: Shop) -> Two:
    awaited = shop.click()
    asked_and_paid(awaited, shop.safaricom, shop.clock)
    stated = shop.upload(row_of(awaited))
    return deeds.is_called_back(shop, 1), deeds.matches(shop, stated)


def a_late_callback_and_the_statement_of_a_request_that_failed(shop: Shop) -> Two:
    failed = shop.click()
    shop.is_told(code=1032)
    stated = shop.upload(row_of(failed))
    return deeds.is_called_back(shop, 1), deeds.matches(shop, stated)


def two_receipts_for_one_request(shop: Shop) -> Two:
    shop.click()
    return deeds.is_called_back(shop, 1), deeds.is_called_back(shop, 1, receipt="UKN4AB12CE")


# --- money that goes back --------------------------------------------------------------------------------


def a_refund_and_the_reversal_of_the_same_money(shop: Shop) -> Two:
    paid = shop.buyer_pays()
    stated = shop.upload(reversal(shop.clock(), "UKN4AB12CD"))
    return deeds.refunds(shop, paid, 1500), deeds.matches(shop, stated)


def a_refund_that_was_due_and_a_reversal(shop: Shop) -> Two:
    second = deeds.overpaid(shop)
    stated = shop.upload(reversal(shop.clock(), second.receipt or ""))
    return deeds.refunds(shop, second, 1000), deeds.matches(shop, stated)


def two_refunds_of_more_than_came(shop: Shop) -> Two:
    paid = shop.buyer_pays()
    return deeds.refunds(shop, paid, 800), deeds.refunds(shop, paid, 900, "UKN9RF12CE", by="njeri")


def one_reference_of_two_refunds(shop: Shop) -> Two:
    paid = shop.buyer_pays()
    return deeds.refunds(shop, paid, 500), deeds.refunds(shop, paid, 600, by="njeri")


def a_refund_taken_back_and_seen_on_the_statement(shop: Shop) -> Two:
    deeds.refunded(shop)
    stated = shop.upload(reversal(shop.clock(), "UKN4AB12CD", 500, "UKN9RF12CD"))
    return deeds.undoes_refund(shop), deeds.matches(shop, stated)


def a_refund_and_the_end_of_the_settlement_it_is_of(shop: Shop) -> Two:
    attempt = deeds.settled(shop)
    return deeds.refunds(shop, attempt, 500), deeds.undoes(shop, attempt)


def a_refund_and_the_end_of_the_claim_it_is_of(shop: Shop) -> Two:
    attempt = deeds.claimed(shop)
    return deeds.refunds(shop, attempt, 500), deeds.undoes(shop, attempt)


# --- money that is nobody's ------------------------------------------------------------------------------


def two_orders_that_claim_one_receipt(shop: Shop) -> Two:
    shop.nobodys(1000)
    first, second = shop.open_order(), shop.open_order()
    return deeds.claims(shop, first), deeds.claims(shop, second, by="njeri")


def one_order_that_two_claim_one_receipt_for(shop: Shop) -> Two:
    shop.nobodys(1000)
    order = shop.open_order()
    return deeds.claims(shop, order), deeds.claims(shop, order, by="njeri")


def parts_that_exceed_the_receipt(shop: Shop) -> Two:
    shop.nobodys(1000)
    first, second = shop.open_order(), shop.open_order()
    return deeds.places(shop, first, 600), deeds.places(shop, second, 600, by="njeri")


def one_part_sent_twice(shop: Shop) -> Two:
    shop.nobodys()
    order = shop.open_order()
    return deeds.places(shop, order, 400), deeds.places(shop, order, 400)


def a_part_and_the_rest_that_is_kept(shop: Shop) -> Two:
    shop.nobodys(1000)
    return deeds.places(shop, shop.open_order(), 600), deeds.keeps(shop, 600, by="njeri")


def a_part_and_the_claim_of_all_of_it(shop: Shop) -> Two:
    shop.nobodys(1000)
    first, second = shop.open_order(), shop.open_order()
    return deeds.places(shop, first, 600), deeds.claims(shop, second, by="njeri")


def a_part_and_the_callback_that_says_whose_it_is(shop: Shop) -> Two:
    shop.click()
    shop.nobodys(1500, "UKN4AB12CD")
    return deeds.places(shop, shop.open_order(), 600, receipt="UKN4AB12CD"), deeds.is_called_back(shop, 1)


def a_claim_and_the_callback_that_says_whose_it_is(shop: Shop) -> Two:
    shop.click()
    shop.nobodys(1500, "UKN4AB12CD")
    return deeds.claims(shop, shop.open_order(), receipt="UKN4AB12CD"), deeds.is_called_back(shop, 1)


def a_part_and_the_reversal_of_the_receipt(shop: Shop) -> Two:
    shop.nobodys(1000)
    stated = shop.upload(reversal(shop.clock(), RECEIPT, 1000), name="later.csv")
    return deeds.places(shop, shop.open_order(), 600), deeds.matches(shop, stated)


# --- two people ------------------------------------------------------------------------------------------


def two_who_confirm_one_proposal(shop: Shop) -> Two:
    deeds.to_be_confirmed(shop)
    return deeds.confirms(shop), deeds.confirms(shop, by="njeri")


def one_who_confirms_and_one_who_refuses(shop: Shop) -> Two:
    deeds.to_be_confirmed(shop)
    return deeds.confirms(shop), deeds.declines(shop)


def one_who_confirms_and_the_callback(shop: Shop) -> Two:
    deeds.to_be_confirmed(shop)
    return deeds.confirms(shop), deeds.is_called_back(shop, 1, amount=6000)


def two_who_settle_one_payment(shop: Shop) -> Two:
    attempt = deeds.idle(shop)
    return deeds.settles(shop, attempt), deeds.settles(shop, attempt, by="njeri")


def two_who_propose_for_one_payment(shop: Shop) -> Two:
    attempt = deeds.idle(shop, 6000)
    return deeds.settles(shop, attempt), deeds.settles(shop, attempt, by="njeri")


def two_payments_settled_with_one_receipt(shop: Shop) -> Two:
    first = deeds.idle(shop)
    second = deeds.idle(shop, msisdn=OTIENO, reference="CART2")
    return deeds.settles(shop, first), deeds.settles(shop, second, by="njeri")


def two_who_take_one_settlement_back(shop: Shop) -> Two:
    attempt = deeds.settled(shop)
    return deeds.undoes(shop, attempt), deeds.undoes(shop, attempt, by="njeri")


# --- a hand's receipt that Safaricom says is another's ----------------------------------------------------


def a_receipt_given_up_and_the_late_callback_of_who_had_it(shop: Shop) -> Two:
    deeds.settled(shop)
    shop.click(msisdn=OTIENO, reference="CART2")
    return deeds.is_called_back(shop, 2), deeds.is_called_back(shop, 1, receipt="UKN4AB12CE")


def a_receipt_given_up_and_the_person_who_takes_it_back(shop: Shop) -> Two:
    attempt = deeds.settled(shop)
    shop.click(msisdn=OTIENO, reference="CART2")
    return deeds.is_called_back(shop, 2), deeds.undoes(shop, attempt)


def a_receipt_given_up_and_the_refund_of_who_had_it(shop: Shop) -> Two:
    attempt = deeds.settled(shop)
    shop.click(msisdn=OTIENO, reference="CART2")
    return deeds.is_called_back(shop, 2), deeds.refunds(shop, attempt, 500)


def a_settlement_and_the_callback_that_names_its_receipt_for_another(shop: Shop) -> Two:
    attempt = deeds.idle(shop)
    shop.click(msisdn=OTIENO, reference="CART2")
    return deeds.is_called_back(shop, 2), deeds.settles(shop, attempt)


# --- statements ------------------------------------------------------------------------------------------


def one_file_taken_in_twice(shop: Shop) -> Two:
    rows = deeds.rows_beside(shop)
    return deeds.imports(shop, *rows), deeds.imports(shop, *rows, by="njeri")


def two_files_that_overlap(shop: Shop) -> Two:
    rows = deeds.rows_beside(shop)
    return deeds.imports(shop, *rows[:2]), deeds.imports(shop, *rows[1:], name="other.csv", by="njeri")


def one_statement_matched_twice(shop: Shop) -> Two:
    awaited, *others = deeds.rows_of_each_kind(shop)
    stated = shop.upload(awaited, *others[1:3])
    return deeds.matches(shop, stated), deeds.matches(shop, stated)


def a_statement_voided_while_it_is_matched(shop: Shop) -> Two:
    stated = shop.upload(*deeds.rows_beside(shop))
    return deeds.voids(shop, stated), deeds.matches(shop, stated)


def a_line_voided_while_its_statement_is_matched(shop: Shop) -> Two:
    stated = shop.upload(row_of(deeds.idle(shop)))
    return deeds.voids_line(shop, line("UKN4AB12CD")), deeds.matches(shop, stated)


def two_who_void_one_line(shop: Shop) -> Two:
    deeds.was_reversed(shop)
    stated = line("UKN4RV12CD", "reversal")
    return deeds.voids_line(shop, stated), deeds.voids_line(shop, stated, by="njeri")


def a_line_voided_and_a_part_of_its_money_placed(shop: Shop) -> Two:
    shop.nobodys(1000)
    return deeds.voids_line(shop, line(RECEIPT)), deeds.places(shop, shop.open_order(), 600)


def a_line_voided_and_claimed(shop: Shop) -> Two:
    shop.nobodys(1000)
    return deeds.voids_line(shop, line(RECEIPT)), deeds.claims(shop, shop.open_order())


def a_line_voided_and_the_callback_of_its_receipt(shop: Shop) -> Two:
    attempt = shop.click()
    shop.states(row_of(attempt))
    return deeds.voids_line(shop, line("UKN4AB12CD")), deeds.is_called_back(shop, 1)


def a_reversal_voided_and_a_refund(shop: Shop) -> Two:
    stated = deeds.was_reversed(shop)
    reversed_one = deeds.MpesaTransaction.objects.get()
    return deeds.voids_line(shop, stated), deeds.refunds(shop, reversed_one, 1000)


# --- seals -----------------------------------------------------------------------------------------------


def a_seal_and_a_claim_that_takes_its_time(shop: Shop) -> Two:
    shop.nobodys(1000)
    return deeds.seals(shop), deeds.claims(shop, shop.open_order())


def two_who_seal(shop: Shop) -> Two:
    shop.nobodys(1000)
    return deeds.seals(shop), deeds.seals(shop)


RACES = [
    a_callback_and_the_statement_of_the_same_receipt,
    a_callback_and_the_line_that_names_no_order,
    a_callback_and_the_line_of_a_receipt_that_is_awaited,
    a_late_callback_and_the_statement_of_a_request_that_failed,
    two_receipts_for_one_request,
    a_refund_and_the_reversal_of_the_same_money,
    a_refund_that_was_due_and_a_reversal,
    two_refunds_of_more_than_came,
    one_reference_of_two_refunds,
    a_refund_taken_back_and_seen_on_the_statement,
    a_refund_and_the_end_of_the_settlement_it_is_of,
    a_refund_and_the_end_of_the_claim_it_is_of,
    two_orders_that_claim_one_receipt,
    one_order_that_two_claim_one_receipt_for,
    parts_that_exceed_the_receipt,
    one_part_sent_twice,
    a_part_and_the_rest_that_is_kept,
    a_part_and_the_claim_of_all_of_it,
    a_part_and_the_callback_that_says_whose_it_is,
    a_claim_and_the_callback_that_says_whose_it_is,
    a_part_and_the_reversal_of_the_receipt,
    two_who_confirm_one_proposal,
    one_who_confirms_and_one_who_refuses,
    one_who_confirms_and_the_callback,
    two_who_settle_one_payment,
    two_who_propose_for_one_payment,
    two_payments_settled_with_one_receipt,
    two_who_take_one_settlement_back,
    a_receipt_given_up_and_the_late_callback_of_who_had_it,
    a_receipt_given_up_and_the_person_who_takes_it_back,
    a_receipt_given_up_and_the_refund_of_who_had_it,
    a_settlement_and_the_callback_that_names_its_receipt_for_another,
    one_file_taken_in_twice,
    two_files_that_overlap,
    one_statement_matched_twice,
    a_statement_voided_while_it_is_matched,
    a_line_voided_while_its_statement_is_matched,
    two_who_void_one_line,
    a_line_voided_and_a_part_of_its_money_placed,
    a_line_voided_and_claimed,
    a_line_voided_and_the_callback_of_its_receipt,
    a_reversal_voided_and_a_refund,
    a_seal_and_a_claim_that_takes_its_time,
    two_who_seal,
]


def end_of(play: Play) -> dict[str, Any]:
    """How it stands once statements were matched again, as they are; with how many of the two were told a sentence
    instead."""
    nobodys = StatementLine.objects.filter(match=StatementLine.Match.NONE)
    for stated in Statement.objects.filter(voided_at=None, lines__in=nobodys).distinct().order_by("id"):
        reconciliation.begin_again(stated.pk)
        reconciliation.match_all(stated.pk, clock=Clock(), progress=lambda _so_far: None)
    refused = sum(isinstance(end, SENTENCES) for end in play.ends)
    return {**what_counts(), "refused": refused}


def sealed_wrongly() -> Iterator[str]:
    """What was not sealed, once all is, or twice."""
    list(ledger.seal_all(clock=Clock()))
    sealed = Counter(
        (entry.table.word, entry.row_id)
        for made in Seal.objects.all()
        for entry in entries_of(made.covers)
        if not entry.in_part
    )
    rows = {("event", pk) for pk in PaymentEvent.objects.values_list("id", flat=True)}
    rows |= {("posting", pk) for pk in Posting.objects.values_list("id", flat=True)}
    yield from (f"not sealed: {row}" for row in rows - set(sealed))
    yield from (f"sealed {times} times: {row}" for row, times in sealed.items() if times > 1)


def wrong_in(play: Play) -> Iterator[str]:
    yield from play.trouble
    for end in play.ends:
        if isinstance(end, Exception) and not isinstance(end, SENTENCES):
            yield f"not a sentence: {end!r}"
    if Seal.objects.exists():
        yield from sealed_wrongly()
    for fault in ledger.faults():
        yield f"fault: {fault}"


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_it_ends_as_if_one_had_come_after_the_other(race: Callable[[Shop], Two], shop: Shop) -> None:
    one, other = race(shop)
    began = Kept()
    ends = []
    for first, second in ((one, other), (other, one)):
        began.put_back()
        ends.append(end_of(one_after_the_other(first, second)))
    wrong: list[str] = []
    plays = 0
    for words, play in in_every_order(one, other, anew=began.put_back):
        plays += 1
        end = end_of(play)
        wrong += [f"{words}: {what}" for what in wrong_in(play)]
        nearest = min((differences(end, serial) for serial in ends), key=len)
        wrong += [f"{words}: {what}" for what in nearest]
    began.forget()
    TOLD.append(f"  {race.__name__.replace('_', ' '):66} in {plays} orders")
    assert not wrong, "\n".join(wrong)
