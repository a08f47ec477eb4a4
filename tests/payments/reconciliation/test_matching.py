"""What a statement's lines do to payments: money that came is found, nothing is guessed, nothing settled is changed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from orders.models import Order
from payments import enquiries, facts, ledger, manual
from payments.checkout import problems, push, wanted
from payments.manual import Claim, Settlement, actions, claim_receipt
from payments.manual.actions import ActionRefused
from payments.models import MpesaTransaction, PaymentEvent, Statement, StatementLine
from payments.reconciliation import candidates, matching
from payments.states import State
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import OTIENO, FakeDaraja, not_paid_answer
from tests.support.payments.ordering import place
from tests.support.payments.paying import asked_and_paid, called_back, pay
from tests.support.payments.stating import charge, line, matched, row, row_of, state, sweep, taken_in

Click = Callable[..., MpesaTransaction]
Match = StatementLine.Match


@pytest.fixture(autouse=True)
def _the_ledger_stays_whole(db: None) -> Any:
    """Whatever a statement does, every history is complete and every order is paid by one payment."""
    yield
    assert list(ledger.faults()) == []


def after(attempt: MpesaTransaction) -> MpesaTransaction:
    return MpesaTransaction.objects.select_related("order").get(pk=attempt.pk)


def events_of(attempt: MpesaTransaction) -> list[str]:
    return list(
        PaymentEvent.objects.filter(attempt=attempt).order_by("number").values_list("kind", flat=True)
    )


# --- by receipt -----------------------------------------------------------------------------------------


def test_a_line_with_a_payments_receipt_is_that_payments_and_changes_nothing(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid = pay(click, safaricom, clock)
    before = events_of(paid)
    assert state([row_of(paid)], clock).by_receipt == 1
    assert (line("UKN4AB12CD").attempt_id, line("UKN4AB12CD").match) == (paid.pk, Match.RECEIPT)
    assert events_of(paid) == before


def test_the_receipt_decides_whatever_the_reference_says(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid = pay(click, safaricom, clock)
    other = click(OTIENO, reference="CART2")
    state([row("UKN4AB12CD", clock(), 1500, other.account_reference)], clock)
    assert line("UKN4AB12CD").attempt_id == paid.pk
    assert after(other).state == State.PENDING


def test_another_amount_for_a_known_receipt_is_believed_and_raised(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid = pay(click, safaricom, clock)
    result = state([row_of(paid, paid_in=1400)], clock)
    paid = after(paid)
    assert (result.by_receipt, result.differ) == (1, 1)
    assert (paid.amount_differs, paid.received_kes, paid.pays_order) == (True, 1400, True)
    assert events_of(paid)[-1] == "statement_differs"
    assert line("UKN4AB12CD").attempt_id == paid.pk


def test_another_amount_is_raised_again_though_it_was_looked_at(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid = pay(click, safaricom, clock)  # its amount came from a page: unpriced
    actions.mark_reviewed(paid.pk, by="akinyi", now=clock())
    state([row_of(paid, paid_in=1400)], clock)
    assert after(paid).reviewed_at is None


def test_cents_are_raised_too(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    paid = pay(click, safaricom, clock)
    state([row_of(paid, paid_in="1500.50")], clock)
    assert (after(paid).amount_differs, after(paid).received_kes) == (True, 1500)
    assert PaymentEvent.objects.get(kind="statement_differs").facts["amount"] == "1500.50"


def test_the_right_amount_on_the_statement_ends_a_doubt(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """The callback said KES 1,000, staff typed the receipt with KES 1,000 and did not accept; it was 1,500."""
    attempt = click()
    called_back(safaricom, clock, amount=1000)
    asked_and_paid(attempt, safaricom, clock)
    state([row_of(attempt)], clock)
    attempt = after(attempt)
    assert (attempt.receipt, attempt.pays_order, attempt.order.state) == ("UKN4AB12CD", True, "paid")


def test_a_second_line_with_one_receipt_is_left_for_a_person(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid = pay(click, safaricom, clock)
    twin = row("UKN4AB12CD", clock(), 300, paid.account_reference, reason_type="Pay Utility with OD via STK")
    result = state([row_of(paid), twin], clock)
    assert (result.by_receipt, result.nobodys) == (1, 1)


# --- by order code, amount and time ---------------------------------------------------------------------


def test_an_awaited_receipt_is_filled_in(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = click()
    asked_and_paid(attempt, safaricom, clock)
    assert after(attempt).receipt is None
    result = state([row_of(attempt)], clock)
    attempt = after(attempt)
    assert (result.receipts_learned, attempt.receipt, attempt.received_kes) == (1, "UKN4AB12CD", 1500)
    assert attempt.paid_at == line("UKN4AB12CD").completed_at
    assert (events_of(attempt)[-1], line("UKN4AB12CD").match) == ("receipt_learned", Match.REFERENCE)


def lost(click: Click, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    from payments import daraja

    safaricom.push_answer = daraja.OutcomeUnknown("read timeout")
    attempt = click()
    safaricom.push_answer = None
    return attempt


def cancelled(click: Click, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    attempt = click()
    called_back(safaricom, clock, code=1037)
    return attempt


def given_up(click: Click, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    attempt = lost(click, safaricom, clock)
    clock.advance(hours=25)
    assert enquiries.resolve_by_clock(enquiries.read_due(attempt.pk), now=clock())
    return attempt


def waiting(click: Click, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    return click()


@pytest.mark.parametrize(
    ("begin", "before", "late"),
    [
        (waiting, "pending", False),
        (lost, "unknown", False),
        (cancelled, "failed", True),
        (given_up, "expired", True),
    ],
)
def test_money_of_a_payment_that_was_not_known_to_be_paid_is_found(
    click: Click,
    safaricom: FakeDaraja,
    clock: Clock,
    begin: Callable[..., MpesaTransaction],
    before: str,
    late: bool,
) -> None:
    attempt = begin(click, safaricom, clock)
    assert after(attempt).state == before
    assert state([row_of(attempt)], clock).found_paid == 1
    attempt = after(attempt)
    assert (attempt.state, attempt.receipt, attempt.pays_order) == (State.COMPLETED, "UKN4AB12CD", True)
    assert (attempt.came_late, attempt.order.state) == (late, "paid")
    assert PaymentEvent.objects.get(attempt=attempt, kind="confirmed").source == "statement"


def test_money_for_an_order_that_is_paid_is_due_back(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    late_money = cancelled(click, safaricom, clock)
    clock.advance(minutes=3)
    second = pay(click, safaricom, clock, receipt="UKN4AB12ZZ")
    state([row_of(second, "UKN4AB12ZZ"), row_of(late_money, "UKN4AB12CD")], clock)
    late_money = after(late_money)
    assert (late_money.refund_due, late_money.pays_order, late_money.came_late) == (True, False, True)
    assert after(second).pays_order


def test_a_callback_that_comes_after_the_statement_changes_nothing(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    state([row_of(attempt)], clock)
    before = events_of(attempt)
    called_back(safaricom, clock)
    assert events_of(attempt) == before


@pytest.mark.parametrize(
    "off",
    [
        {"hours": 25},
        {"minutes": -5},
    ],
)
def test_another_amount_or_time_is_no_match(
    click: Click, safaricom: FakeDaraja, clock: Clock, off: dict[str, Any]
) -> None:
    attempt = click()
    clock.advance(hours=30)
    result = state([row_of(attempt, **off)], clock)
    assert (result.nobodys, result.found_paid) == (1, 0)
    assert after(attempt).state == State.PENDING


def test_another_orders_code_is_no_match(click: Click, clock: Clock) -> None:
    attempt = click()
    state([row("UKN4AB12CD", clock(), 1500, "DKXXXXXXXX")], clock)
    state([row("UKN4AB12CE", clock(), 1500, "")], clock, name="b.csv")
    assert after(attempt).state == State.PENDING


def test_a_reference_is_read_in_small_letters_too(click: Click, clock: Clock) -> None:
    attempt = click()
    state([row("UKN4AB12CD", clock(), 1500, attempt.account_reference.lower())], clock)
    assert after(attempt).state == State.COMPLETED


def test_money_that_came_late_and_was_awaited_is_the_one_that_was_awaited(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Safaricom said "not paid" of the first and "paid" of the second: the line is the second's."""
    first = cancelled(click, safaricom, clock)
    clock.advance(minutes=3)
    second = click()
    asked_and_paid(second, safaricom, clock)
    state([row_of(second)], clock)
    assert (after(first).state, after(second).receipt) == (State.FAILED, "UKN4AB12CD")


def test_a_line_that_could_be_of_two_payments_is_left_for_a_person(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """The first was cancelled, the second is open: either may have brought the money."""
    first = cancelled(click, safaricom, clock)
    clock.advance(minutes=3)
    second = click()
    assert first.order_id == second.order_id
    result = state([row_of(second)], clock)
    assert (result.nobodys, result.found_paid) == (1, 0)
    assert (after(first).state, after(second).state) == (State.FAILED, State.PENDING)


def test_a_request_that_never_reached_a_phone_is_no_second_one(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    from payments import daraja

    safaricom.push_answer = daraja.Refused("Bad Request", code="400.002.02")
    with pytest.raises(problems.PushProblem):
        push.request_payment(
            wanted.Ask(msisdn="254712345678", amount_kes=1500, reference="CART1"), clock=clock
        )
    safaricom.push_answer = None
    clock.advance(minutes=3)
    second = click()
    state([row_of(second)], clock)
    assert after(second).receipt == "UKN4AB12CD"
    assert MpesaTransaction.objects.exclude(pk=second.pk).get().state == State.FAILED


def test_a_payment_that_could_be_of_two_lines_is_left_for_a_person(click: Click, clock: Clock) -> None:
    """She paid by the prompt, and once more by hand with the order's code: which receipt is the prompt's?"""
    attempt = click()
    result = state([row_of(attempt, "UKN4AB12CD"), row_of(attempt, "UKN4AB12CE", minutes=4)], clock)
    assert (result.nobodys, after(attempt).state) == (2, State.PENDING)


def test_a_line_whose_receipt_is_known_is_no_second_one(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Also where it is matched only later, in another batch."""
    first = pay(click, safaricom, clock, receipt="UKN4AB12ZZ")
    clock.advance(minutes=3)
    second = other_attempt_of(first.order, clock)
    stated = taken_in([row_of(second, "UKN4AB12CD"), row_of(first, "UKN4AB12ZZ", minutes=4)], clock)
    assert matching.match_some(stated.pk, now=clock(), limit=1).found_paid == 1
    assert matched(stated, clock).by_receipt == 1
    assert after(second).refund_due


def test_one_that_is_awaited_beside_one_that_is_open_is_left_for_a_person(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    awaited = click()
    asked_and_paid(awaited, safaricom, clock)
    still_open = other_attempt_of(awaited.order, clock)
    assert state([row_of(still_open)], clock).nobodys == 1
    assert after(awaited).receipt is None


def test_two_who_match_in_the_same_instant_raise_a_difference_once(
    click: Click, safaricom: FakeDaraja, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = pay(click, safaricom, clock)
    stated = taken_in([row_of(paid, paid_in=1400)], clock)
    with_a_line = matching._with_a_line

    def and_another_is_first(attempt_ids: Any) -> set[int]:
        monkeypatch.setattr(matching, "_with_a_line", with_a_line)
        seen = with_a_line(list(attempt_ids))
        matching.match_some(stated.pk, now=clock())
        return seen

    monkeypatch.setattr(matching, "_with_a_line", and_another_is_first)
    lines = candidates.lines_of(matching.nobodys_lines(stated))
    matching._match(lines, now=clock())
    assert events_of(paid).count("statement_differs") == 1


def other_attempt_of(order: Order, clock: Clock) -> MpesaTransaction:
    """A request for an order that is paid already: it slipped through in the same instant."""
    from django.db import transaction

    with transaction.atomic():
        return ledger.open_attempt(
            order_id=order.pk, amount_kes=order.total_kes, msisdn_masked="2547••••5678", msisdn_hash="x",
            callback_token_hash="y", channel="CustomerPayBillOnline", short_code="174379",
            account_reference=order.code, description="DJ Kraph", unpriced=True, now=clock(),
        )  # fmt: skip


# --- what is no payment ---------------------------------------------------------------------------------


def test_reversals_sweeps_and_charges_are_never_payments(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    reversal = row("UKN4AB12CD", clock(), 1500, attempt.account_reference, reason_type="Pay Utility Reversal")
    result = state([reversal, sweep(clock()), charge(clock())], clock)
    assert result.finished
    assert after(attempt).state == State.PENDING
    assert StatementLine.objects.exclude(attempt=None).count() == 0


def test_a_receipt_of_another_payment_is_never_used_again(
    click: Click, safaricom: FakeDaraja, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its callback comes while the line is being matched to another."""
    first = click()
    stated = taken_in([row_of(first)], clock)
    found = matching.the_only_one

    def and_the_callback_comes_to_another(*told: Any) -> Any:
        fits = found(*told)
        pay(click, safaricom, clock, msisdn=OTIENO, reference="CART2")
        return fits

    monkeypatch.setattr(matching, "the_only_one", and_the_callback_comes_to_another)
    assert matched(stated, clock).nobodys == 1
    assert after(first).state == State.PENDING
    assert line("UKN4AB12CD").attempt_id is None


@pytest.mark.parametrize(("receipt", "belongs"), [("UKN4AB12CD", True), ("UKN4AB12ZZ", False)])
def test_a_callback_in_the_same_instant_wins(
    click: Click,
    safaricom: FakeDaraja,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    receipt: str,
    belongs: bool,
) -> None:
    attempt = click()
    stated = taken_in([row_of(attempt)], clock)
    found = matching.the_only_one

    def and_the_callback_comes(*told: Any) -> Any:
        fits = found(*told)
        called_back(safaricom, clock, receipt=receipt)
        return fits

    monkeypatch.setattr(matching, "the_only_one", and_the_callback_comes)
    result = matched(stated, clock)
    assert after(attempt).receipt == receipt
    assert (line("UKN4AB12CD").attempt_id == attempt.pk, result.by_receipt == 1) == (belongs, belongs)
    assert PaymentEvent.objects.filter(attempt=attempt, source="statement").count() == 0


def test_somebody_who_took_the_line_in_the_same_instant_keeps_it(
    click: Click, safaricom: FakeDaraja, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = click(), click(OTIENO, reference="CART2")
    stated = taken_in([row_of(first)], clock)
    found = matching.the_only_one

    def and_staff_attach_it(*told: Any) -> Any:
        fits = found(*told)
        clock.advance(minutes=5)
        attach_to(other.public_id, clock, told[0].id)
        return fits

    monkeypatch.setattr(matching, "the_only_one", and_staff_attach_it)
    assert matched(stated, clock).nobodys == 1
    assert after(first).state == State.PENDING
    assert line("UKN4AB12CD").attempt_id == other.pk


# --- again, and in pieces -------------------------------------------------------------------------------


def test_matching_stops_and_goes_on_where_it_was(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    paid = [
        pay(click, safaricom, clock, msisdn=f"25471234500{n}", reference=f"C{n}", receipt=f"UKN4AB120{n}")
        for n in range(5)
    ]
    stated = taken_in([row_of(each, f"UKN4AB120{n}") for n, each in enumerate(paid)], clock)
    first = matching.match_some(stated.pk, now=clock(), limit=2)
    assert (first.by_receipt, first.lines, first.finished) == (2, 2, False)
    stated.refresh_from_db()
    assert stated.matched_at is None
    assert stated.matched_up_to == StatementLine.objects.order_by("id")[1].pk
    second = matching.match_some(stated.pk, now=clock(), limit=4)
    assert (second.by_receipt, second.lines, second.finished) == (3, 3, True)
    stated.refresh_from_db()
    assert stated.matched_at == clock()


def test_a_slow_step_does_not_set_a_quick_one_back(
    click: Click, safaricom: FakeDaraja, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tabs match one statement: the first is overtaken while it reads, and ends last."""
    stated = taken_in([row(f"UKN4AB120{n}", clock()) for n in range(4)], clock)
    match, steps = matching._match, [1]

    def overtaken(lines: list[Any], *, now: Any) -> Any:
        if steps.pop() == 1:
            steps.append(0)
            matching.match_some(stated.pk, now=now, limit=3)
        return match(lines, now=now)

    monkeypatch.setattr(matching, "_match", overtaken)
    matching.match_some(stated.pk, now=clock(), limit=1)
    stated.refresh_from_db()
    assert stated.matched_up_to == StatementLine.objects.order_by("id")[2].pk


def test_to_begin_again_before_the_end_goes_on(clock: Clock, db: None) -> None:
    stated = taken_in([row(f"UKN4AB120{n}", clock()) for n in range(4)], clock)
    matching.match_some(stated.pk, now=clock(), limit=3)
    matching.begin_again(stated.pk)
    stated.refresh_from_db()
    assert matching.count_ahead(stated) == 1


def test_matching_again_finds_what_callbacks_brought_and_changes_nothing_settled(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid, open_still = pay(click, safaricom, clock), click(OTIENO, reference="CART2")
    early = row("UKN4AB12ZZ", clock(), 1500, "")  # a till's statement names no order
    stated = taken_in([row_of(paid), early], clock)
    assert matched(stated, clock).nobodys == 1
    called_back(safaricom, clock, receipt="UKN4AB12ZZ")
    assert matching.matchable(stated) == 1
    before = PaymentEvent.objects.count()
    matching.begin_again(stated.pk)
    result = matched(stated, clock)
    assert (result.by_receipt, result.nobodys) == (1, 0)
    assert line("UKN4AB12ZZ").attempt_id == open_still.pk
    assert PaymentEvent.objects.count() == before
    assert matching.matchable(stated) == 0


def test_a_second_file_matches_what_an_earlier_one_brought(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    early = row("UKN4AB12CD", clock(), 1500, "")
    state([early], clock)
    attempt = pay(click, safaricom, clock)
    result = state([early, sweep(clock())], clock, name="later.csv")
    assert (result.by_receipt, line("UKN4AB12CD").attempt_id) == (1, attempt.pk)


def test_a_crash_between_two_lines_loses_and_repeats_nothing(
    click: Click, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = click(), click(OTIENO, reference="CART2")
    stated = taken_in([row_of(first, "UKN4AB12CD"), row_of(second, "UKN4AB12ZZ")], clock)
    take, taken = matching._take, []

    def dies_at_the_second(*args: Any) -> None:
        taken.append(args)
        if len(taken) == 2:
            raise KeyboardInterrupt
        take(*args)

    monkeypatch.setattr(matching, "_take", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        matched(stated, clock)
    assert (after(first).state, after(second).state) == (State.COMPLETED, State.PENDING)
    monkeypatch.undo()
    assert matched(Statement.objects.get(), clock).found_paid == 1
    assert after(second).receipt == "UKN4AB12ZZ"
    assert events_of(first).count("confirmed") == 1


def test_a_known_receipt_costs_no_query_of_its_own(
    click: Click, safaricom: FakeDaraja, clock: Clock, django_assert_num_queries: Any
) -> None:
    paid = [
        pay(click, safaricom, clock, msisdn=f"2547123450{n:02}", reference=f"C{n}", receipt=f"UKN4AB12{n:02}")
        for n in range(12)
    ]
    rows = [row_of(each, f"UKN4AB12{n:02}") for n, each in enumerate(paid)]
    stated = taken_in(rows, clock)
    for size in (2, 8):
        with django_assert_num_queries(6):
            assert matching.match_some(stated.pk, now=clock(), limit=size).by_receipt == size


# --- attaching by hand ----------------------------------------------------------------------------------

WHY = "She typed the code of another order."


def attach_to(
    target: str, clock: Clock, line_id: int | None = None, *, by: str = "akinyi", **more: Any
) -> Any:
    wanted = Claim(line_id=line_id or line("UKN4AB12CD").pk, target=target, reason=WHY, **more)
    return claim_receipt(wanted, by=by, now=clock())


def test_money_is_attached_to_the_payment_that_waits_for_it(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    asked_and_paid(attempt, safaricom, clock)
    state([row("UKN4AB12CD", clock(), 1500, "WRONG")], clock)
    attach_to(attempt.account_reference.lower(), clock)
    attempt = after(attempt)
    assert (attempt.receipt, attempt.by_hand) == ("UKN4AB12CD", True)
    assert (line("UKN4AB12CD").attempt_id, line("UKN4AB12CD").match) == (attempt.pk, Match.BY_HAND)
    facts = PaymentEvent.objects.get(attempt=attempt, kind="receipt_learned").facts
    assert (facts["by"], facts["reason"]) == ("akinyi", WHY)


def test_money_for_an_order_without_a_fitting_payment_becomes_one_of_its_own(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Wanjiru's prompt never came through; she paid to the paybill by hand, and typed her name."""
    order = place(clock)
    state(
        [row("UKN4AB12CD", clock(), order.total_kes, "WANJIRU", other_party="25470****149 - WANJIRU")], clock
    )
    settlement = attach_to(order.code, clock)
    paid = MpesaTransaction.objects.get()
    assert (paid.state, paid.receipt, paid.pays_order, paid.by_hand) == (
        State.COMPLETED,
        "UKN4AB12CD",
        True,
        True,
    )
    assert (paid.phone_masked, paid.order_id, paid.unpriced) == ("25470****149", order.pk, False)
    assert (paid.paid_at, paid.came_late) == (line("UKN4AB12CD").completed_at, False)
    assert events_of(paid) == ["created", "confirmed"]
    assert line("UKN4AB12CD").attempt_id == settlement.attempt_id == paid.pk
    order.refresh_from_db()
    assert order.state == "paid"


def test_money_for_a_paid_order_is_due_back(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    paid = pay(click, safaricom, clock, receipt="UKN4AB12ZZ")
    state([row("UKN4AB12CD", clock(), 1500, "WANJIRU")], clock)
    attach_to(paid.account_reference, clock)
    second = MpesaTransaction.objects.get(receipt="UKN4AB12CD")
    assert (second.refund_due, second.pays_order, second.order_id) == (True, False, paid.order_id)


def test_money_of_another_amount_is_kept_and_pays_nothing_by_itself(clock: Clock) -> None:
    order = place(clock)
    state([row("UKN4AB12CD", clock(), 1200, "WANJIRU")], clock)
    attach_to(order.code, clock)
    money = MpesaTransaction.objects.get()
    assert (money.state, money.amount_kes, money.received_kes) == (State.COMPLETED, 1000, 1200)
    assert (money.amount_differs, money.pays_order, money.refund_due) == (True, False, False)
    order.refresh_from_db()
    assert order.state == "open"
    claim = Settlement(
        receipt="UKN4AB12CD", amount_kes=1200, evidence="statement", reason=WHY, accepts_amount=True
    )
    manual.propose_settlement(money.pk, claim, by="akinyi", now=clock())
    assert after(money).pays_order


def test_an_amount_that_is_accepted_pays_at_once(clock: Clock) -> None:
    order = place(clock)
    state([row("UKN4AB12CD", clock(), 990, "WANJIRU")], clock)
    attach_to(order.code, clock, accepts_amount=True)
    order.refresh_from_db()
    assert order.state == "paid"
    assert MpesaTransaction.objects.get().amount_differs


def test_above_the_limit_a_second_person_confirms_it(clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    order = place(clock)
    state([row("UKN4AB12CD", clock(), 1000, "WANJIRU")], clock)
    waiting = attach_to(order.code, clock)
    assert (waiting.decision, MpesaTransaction.objects.count()) == ("waiting", 0)
    with pytest.raises(ActionRefused, match="waits for a second person already"):
        attach_to(order.code, clock, by="kraph")
    with pytest.raises(ActionRefused, match="A second person must confirm"):
        manual.confirm_settlement(waiting.pk, by="akinyi", now=clock())
    manual.confirm_settlement(waiting.pk, by="kraph", now=clock())
    paid = MpesaTransaction.objects.get()
    facts = PaymentEvent.objects.get(attempt=paid, kind="confirmed").facts
    assert (paid.pays_order, facts["by"], facts["confirmed_by"]) == (True, "akinyi", "kraph")
    assert line("UKN4AB12CD").attempt_id == paid.pk


def test_above_the_limit_for_a_payment_that_waits_a_second_person_confirms_it_too(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    attempt = click()
    asked_and_paid(attempt, safaricom, clock)
    state([row("UKN4AB12CD", clock(), 1500, "WRONG")], clock)
    waiting = attach_to(attempt.account_reference, clock)
    assert (after(attempt).receipt, line("UKN4AB12CD").attempt_id) == (None, None)
    manual.confirm_settlement(waiting.pk, by="kraph", now=clock())
    assert (after(attempt).receipt, line("UKN4AB12CD").attempt_id) == ("UKN4AB12CD", attempt.pk)


def test_an_attachment_that_is_declined_leaves_the_money_where_it_was(clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    order = place(clock)
    state([row("UKN4AB12CD", clock(), 1000, "WANJIRU")], clock)
    waiting = attach_to(order.code, clock)
    manual.decline_settlement(waiting.pk, why="It is otieno's.", by="kraph", now=clock())
    waiting.refresh_from_db()
    assert (waiting.decision, waiting.declined_because) == ("declined", "It is otieno's.")
    assert (MpesaTransaction.objects.count(), line("UKN4AB12CD").attempt_id) == (0, None)
    assert attach_to(order.code, clock).decision == "waiting"


def test_a_callback_that_came_before_the_second_person_wins(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    order = place(clock)
    state([row("UKN4AB12CD", clock(), 1000, "WANJIRU")], clock)
    waiting = attach_to(order.code, clock)
    pay(click, safaricom, clock)  # with this receipt
    with pytest.raises(ActionRefused, match="a payment's already"):
        manual.confirm_settlement(waiting.pk, by="kraph", now=clock())
    order.refresh_from_db()
    assert (order.state, MpesaTransaction.objects.count()) == ("open", 1)


def test_a_line_that_was_matched_before_the_second_person_is_not_used_again(
    click: Click, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    order, attempt = place(clock), click()
    stated = taken_in([row("UKN4AB12CD", clock(), 1500, attempt.account_reference)], clock)
    waiting = attach_to(order.code, clock)
    settings.SETTLED_ALONE_UP_TO_KES = 5000
    matched(stated, clock)
    with pytest.raises(ActionRefused, match="a payment's already"):
        manual.confirm_settlement(waiting.pk, by="kraph", now=clock())
    assert MpesaTransaction.objects.count() == 1


def test_a_line_that_is_another_payments_undoes_all_of_it(click: Click, clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    order, other = place(clock), click()
    state([row("UKN4AB12CD", clock(), 1000, "WANJIRU")], clock)
    waiting = attach_to(order.code, clock)
    StatementLine.objects.update(attempt=other, match=Match.REFERENCE)
    with pytest.raises(ActionRefused, match="This line is a payment's already"):
        manual.confirm_settlement(waiting.pk, by="kraph", now=clock())
    waiting.refresh_from_db()
    assert (waiting.decision, MpesaTransaction.objects.count()) == ("closed", 1)


def test_a_request_that_may_be_on_the_phone_is_waited_for(click: Click, clock: Clock) -> None:
    attempt = click()
    state([row("UKN4AB12CD", clock(), 1500, "WANJIRU")], clock)
    with pytest.raises(ActionRefused, match="may still be on the phone"):
        attach_to(attempt.account_reference, clock)


@pytest.mark.parametrize("target", ["DKXXXXXXXX", "", "999999", "9" * 40, "²"])
def test_an_order_nobody_knows_is_refused(clock: Clock, target: str) -> None:
    state([row("UKN4AB12CD", clock(), 1500)], clock)
    with pytest.raises(ActionRefused, match="no such order or payment"):
        attach_to(target, clock)


def test_what_is_no_customers_money_is_attached_to_nothing(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid = pay(click, safaricom, clock)
    cents = row("UKN4AB12CE", clock(), "10.50")
    state([row_of(paid), sweep(clock()), cents], clock)
    for receipt, kind, why in (
        ("UKNSWEEP01", "sweep", "no customer's money"),
        ("UKN4AB12CD", "payment", "is a payment's already"),
        ("UKN4AB12CE", "payment", "has cents"),
    ):
        with pytest.raises(ActionRefused, match=why):
            attach_to(paid.account_reference, clock, line(receipt, kind).pk)
    assert MpesaTransaction.objects.count() == 1


def test_a_receipt_that_is_a_payments_by_now_is_refused(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    order = place(clock)
    state([row("UKN4AB12CD", clock(), 1500)], clock)
    pay(click, safaricom, clock)
    with pytest.raises(ActionRefused, match="Match again"):
        attach_to(order.code, clock)


def test_a_payment_named_by_its_number_or_id_gets_the_money(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first, second = cancelled(click, safaricom, clock), click(OTIENO, reference="CART2")
    clock.advance(minutes=5)
    state([row("UKN4AB12CD", clock(), 1500), row("UKN4AB12CE", clock(), 1500)], clock)
    attach_to(str(first.pk), clock)
    attach_to(second.public_id, clock, line("UKN4AB12CE").pk)
    assert (after(first).receipt, after(second).receipt) == ("UKN4AB12CD", "UKN4AB12CE")


def test_a_payment_settled_by_hand_takes_its_line_along(click: Click, clock: Clock) -> None:
    attempt = click()
    clock.advance(minutes=5)
    state([row("UKN4AB12CD", clock(), 1500, "WRONG")], clock)
    claim = Settlement(receipt="UKN4AB12CD", amount_kes=1500, evidence="sms", reason=WHY)
    manual.propose_settlement(attempt.pk, claim, by="akinyi", now=clock())
    assert line("UKN4AB12CD").attempt_id == attempt.pk


def test_a_watch_that_ends_after_the_statement_found_the_money_changes_nothing(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = cancelled(click, safaricom, clock)
    state([row_of(attempt)], clock)
    clock.advance(hours=25)
    safaricom.query_answer = not_paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.pk), clock=clock)
    assert after(attempt).state == State.COMPLETED


def test_the_time_between_is_what_a_phone_can_take() -> None:
    assert timedelta(hours=24) == facts.FOLLOW_UP_FOR
    assert timedelta(minutes=1) == candidates.CLOCKS_DIFFER
