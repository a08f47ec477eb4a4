"""Asking Daraja: who may ask, when, and what an answer does."""

import json
import tracemalloc
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from orders.models import Order
from payments import enquiries, ledger
from payments.checkout import status
from payments.checkout.status import payment_status
from payments.daraja import OutcomeUnknown, QueryAnswer, Verdict, lookup
from payments.desk.needs import count_payments_in_need
from payments.enquiries import budget
from payments.enquiries.ask import Outcome
from payments.facts import attention
from payments.ledger import Update
from payments.management.commands import reconcile_payments
from payments.models import MpesaTransaction, QueryBudget
from payments.states import Event, Public, State
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import (
    OTIENO,
    FakeDaraja,
    not_paid_answer,
    paid_answer,
    processing_answer,
)

Click = Callable[..., MpesaTransaction]


def ask(attempt: MpesaTransaction, clock: Clock) -> Outcome:
    outcome = enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock)
    attempt.refresh_from_db()
    return outcome


def test_paid_by_query_completes_with_the_receipt_awaited(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = paid_answer()
    assert ask(attempt, clock) is Outcome.PAID
    assert (attempt.state, attempt.receipt, attempt.order.state) == (State.COMPLETED, None, "paid")


def test_a_final_code_closes(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = click()
    safaricom.query_answer = not_paid_answer("1")
    assert ask(attempt, clock) is Outcome.NOT_PAID
    assert (attempt.state, attempt.result_code) == (State.FAILED, "1")


@pytest.mark.parametrize(
    "answer",
    [
        processing_answer(),
        QueryAnswer(verdict=Verdict.NO_ANSWER, asked=True, description="no word"),
        QueryAnswer(verdict=Verdict.NO_ANSWER, asked=False, description="429", pause=30.0),
    ],
)
def test_everything_else_leaves_it_open(
    answer: QueryAnswer, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = answer
    ask(attempt, clock)
    assert attempt.state == State.PENDING
    assert attempt.events.last().kind == "asked"  # type: ignore[union-attr]


def test_the_same_answer_twice_is_noted_once(click: Click, clock: Clock) -> None:
    attempt = click()
    ask(attempt, clock)
    clock.advance(minutes=1)
    ask(attempt, clock)
    assert [event.kind for event in attempt.events.all()] == ["created", "accepted", "asked"]
    assert attempt.checks == 2


def test_two_who_saw_the_same_attempt_ask_once(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    seen = enquiries.read_due(click().id)
    enquiries.ask_about(seen, clock=clock)
    clock.advance(minutes=1)
    assert enquiries.ask_about(seen, clock=clock) is Outcome.NOT_ASKED
    assert len(safaricom.queries) == 1


def test_the_checks_of_an_attempt_back_off(click: Click, clock: Clock) -> None:
    attempt = click()
    waits = []
    for _ in range(11):
        ask(attempt, clock)
        assert attempt.next_check_at is not None
        waits.append((attempt.next_check_at - clock()).total_seconds())
        clock.now = attempt.next_check_at
    assert waits == [20, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 3600]


def test_one_budget_for_all_questions(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: object
) -> None:
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 5  # type: ignore[attr-defined]
    attempt = click()
    asked = []
    for _ in range(61):
        asked.append(enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock))
        clock.advance(seconds=1)
    assert len(safaricom.queries) == 6  # at 0, 12, 24, 36, 48 and 60 s
    assert asked.count(Outcome.NOT_ASKED) == 55


def test_a_429_stops_everybody(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = click()
    safaricom.query_answer = QueryAnswer(verdict=Verdict.NO_ANSWER, asked=False, pause=40.0)
    ask(attempt, clock)
    clock.advance(seconds=39)
    assert not budget.take_turn(now=clock())
    clock.advance(seconds=1)
    assert budget.take_turn(now=clock())
    assert QueryBudget.objects.count() == 1


def test_a_poll_asks_only_when_the_callback_is_overdue(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    poll_id = attempt.checkout_request_id or ""
    for _ in range(6):
        status.payment_status_now(poll_id, clock=clock)
        clock.advance(seconds=3)
    assert safaricom.queries == []
    clock.advance(seconds=2)
    safaricom.query_answer = paid_answer()
    found = status.payment_status_now(poll_id, clock=clock)
    assert found is not None
    assert (found.status, len(safaricom.queries)) == (Public.COMPLETED, 1)


def test_a_push_that_never_noted_its_answer_becomes_unknown_not_failed(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    MpesaTransaction.objects.filter(id=attempt.id).update(
        state=State.CREATED, checkout_request_id=None, next_check_at=clock() + timedelta(seconds=90)
    )
    clock.advance(seconds=91)
    assert enquiries.resolve_by_clock(enquiries.read_due(attempt.id), now=clock())
    attempt.refresh_from_db()
    assert attempt.state == State.UNKNOWN
    found = payment_status(attempt.public_id, now=clock())
    assert found is not None
    assert found.status == Public.PENDING


# --- how a watch ends -----------------------------------------------------------------------------------

NO_OUTCOME = [
    processing_answer(),
    QueryAnswer(verdict=Verdict.NO_ANSWER, asked=True, code="500.001.1001", description="no word"),
    QueryAnswer(verdict=Verdict.NO_ANSWER, asked=False, description="429", pause=1.0),
    QueryAnswer(verdict=Verdict.NO_ANSWER, asked=False, description="The line is down."),
]
WORDS = ["processing", "don't know", "429", "dropped line"]


def worked(clock: Clock, *, hours: float) -> None:
    """So much later the worker makes a round."""
    clock.advance(hours=hours)
    for seen in enquiries.due(now=clock()):
        if not enquiries.resolve_by_clock(seen, now=clock()):
            enquiries.ask_about(seen, clock=clock)


@pytest.mark.parametrize("answer", NO_OUTCOME, ids=WORDS)
def test_nothing_expires_before_safaricom_has_answered(
    answer: QueryAnswer, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = answer
    for hours in (1, 24, 2, 20, 20):  # up to 67 hours after the click
        worked(clock, hours=hours)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.last_answer_at) == (State.PENDING, None)
    safaricom.query_answer = paid_answer()
    worked(clock, hours=1)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.order.state) == (State.COMPLETED, "paid")
    assert attempt.last_answer_at == clock()


@pytest.mark.parametrize("answer", NO_OUTCOME, ids=WORDS)
def test_what_safaricom_never_answers_is_given_up_after_three_days_and_says_so(
    answer: QueryAnswer, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = answer
    worked(clock, hours=71)
    attempt.refresh_from_db()
    assert attempt.state == State.PENDING
    worked(clock, hours=1)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.next_check_at) == (State.EXPIRED, None)
    last = attempt.events.last()
    assert last is not None
    assert (last.kind, last.source) == ("given_up", "clock")
    assert list(ledger.faults()) == []


def test_after_three_days_without_a_worker_safaricom_is_asked_before_anything_is_given_up(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = paid_answer()
    worked(clock, hours=100)
    attempt.refresh_from_db()
    assert attempt.state == State.COMPLETED


def test_a_watch_whose_day_is_over_asks_once_an_hour(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    worked(clock, hours=24)
    attempt.refresh_from_db()
    assert attempt.next_check_at == clock() + timedelta(hours=1)


def test_an_idle_prompt_that_was_replaced_after_its_day_is_watched_until_answered(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    replaced = click()
    clock.advance(hours=25)
    assert click().id != replaced.id
    replaced.refresh_from_db()
    assert replaced.state == State.EXPIRED
    safaricom.query_answer = paid_answer()
    worked(clock, hours=1)
    clock.advance(seconds=30)
    worked(clock, hours=0)
    replaced.refresh_from_db()
    assert (replaced.state, replaced.came_late) == (State.COMPLETED, True)


def test_an_attempt_nobody_can_ask_about_expires_after_a_day(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    safaricom.push_answer = OutcomeUnknown("read timeout")
    attempt = click()
    assert enquiries.due(now=clock.advance(hours=23)) == []
    seen = enquiries.due(now=clock.advance(hours=2))[0]
    assert enquiries.resolve_by_clock(seen, now=clock())
    attempt.refresh_from_db()
    assert (attempt.state, attempt.next_check_at) == (State.EXPIRED, None)


def test_no_answer_from_the_phone_closes_softly_and_is_watched_for_a_day(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = not_paid_answer("1037")
    ask(attempt, clock)
    assert attempt.state == State.FAILED
    safaricom.query_answer = paid_answer()
    seen = enquiries.due(now=clock.advance(minutes=2))[0]
    assert enquiries.ask_about(seen, clock=clock) is Outcome.PAID
    attempt.refresh_from_db()
    assert (attempt.state, attempt.came_late, attempt.order.state) == (State.COMPLETED, True, "paid")


def test_the_watch_ends_with_the_first_answer_after_a_day(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = not_paid_answer("1037")
    ask(attempt, clock)
    worked(clock, hours=23)
    attempt.refresh_from_db()
    assert attempt.next_check_at is not None
    worked(clock, hours=1)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.next_check_at, attempt.last_answer_at) == (State.FAILED, None, clock())
    assert "given_up" not in [event.kind for event in attempt.events.all()]


@pytest.mark.parametrize("answer", NO_OUTCOME, ids=WORDS)
def test_a_soft_failure_is_watched_until_safaricom_has_answered(
    answer: QueryAnswer, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = not_paid_answer("1037")
    ask(attempt, clock)
    safaricom.query_answer = answer
    worked(clock, hours=25)
    worked(clock, hours=2)
    safaricom.query_answer = paid_answer()
    worked(clock, hours=2)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.came_late, attempt.order.state) == (State.COMPLETED, True, "paid")


def test_a_certain_failure_that_a_hint_made_us_ask_about_is_no_news_to_staff(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = not_paid_answer("1032")
    ask(attempt, clock)
    MpesaTransaction.objects.filter(id=attempt.id).update(next_check_at=None)
    clock.advance(hours=200)
    enquiries.request_check(attempt.id, now=clock())
    safaricom.query_answer = QueryAnswer(verdict=Verdict.NO_ANSWER, asked=True, description="unknown id")
    worked(clock, hours=0)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.next_check_at) == (State.FAILED, None)
    assert "given_up" not in [event.kind for event in attempt.events.all()]


def test_hints_cannot_make_us_ask_often(click: Click, clock: Clock) -> None:
    attempt = click()
    enquiries.request_check(attempt.id, now=clock())
    assert len(enquiries.due(now=clock())) == 1
    ask(attempt, clock)
    clock.advance(seconds=5)
    enquiries.request_check(attempt.id, now=clock())
    assert enquiries.due(now=clock()) == []


# --- the command ----------------------------------------------------------------------------------------


@pytest.fixture
def command_time(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's clock is the test's, and goes on by a millisecond at each look."""
    monkeypatch.setattr(timezone, "now", lambda: clock.advance(milliseconds=1))


def run(*arguments: str, exit_code: int = 0) -> str:
    out = StringIO()
    with pytest.raises(SystemExit) if exit_code else nullcontext() as ended:
        call_command("reconcile_payments", *arguments, stdout=out)
    assert exit_code == 0 or (ended is not None and ended.value.code == exit_code)
    return out.getvalue()


@pytest.mark.usefixtures("command_time")
def test_the_command_asks_about_every_open_payment_and_sums_up(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: object
) -> None:
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 60_000_000  # type: ignore[attr-defined]
    for number in range(3):
        click(f"2547000000{number:02}", reference=f"CART{number}")
    clock.advance(seconds=30)
    safaricom.query_answer = paid_answer()
    assert run(exit_code=1) == (
        "3 open payments looked at: 3 paid. Needs a person: 3 receipt awaited, 3 unpriced.\n"
    )
    assert run(exit_code=1).startswith("0 open payments looked at: nothing to do.")
    assert len(safaricom.queries) == 3


@pytest.mark.usefixtures("command_time")
def test_unpriced_payments_are_told_but_raise_no_alarm(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    confirmed = Update(event=Event.CONFIRMED, source=ledger.Source.CALLBACK, receipt="UKN4AB12CD")
    ledger.record(attempt.id, confirmed, now=clock())
    assert run() == "0 open payments looked at: nothing to do. Needs a person: 1 unpriced.\n"


@pytest.mark.usefixtures("command_time")
def test_a_payment_that_may_have_been_made_unseen_raises_the_alarm(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    safaricom.push_answer = OutcomeUnknown("read timeout")
    click()
    assert run(exit_code=1).endswith("Needs a person: 1 unknown.\n")


def test_the_command_counts_every_reason_of_the_desk(db: None) -> None:
    assert list(count_payments_in_need()) == [reason.key for reason in attention.REASONS]


@pytest.mark.usefixtures("command_time")
def test_the_command_leaves_young_payments_alone(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    click()
    clock.advance(seconds=19)
    run()
    assert safaricom.queries == []
    run("--older-than", "19")
    assert len(safaricom.queries) == 1


def test_a_negative_age_is_refused_in_a_sentence(db: None) -> None:
    with pytest.raises(CommandError, match=r"0 or more\."):
        run("--older-than", "-1")


@pytest.mark.usefixtures("command_time")
def test_the_workers_round_asks_what_is_due(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = click()
    assert reconcile_payments.run_due() is False
    clock.advance(seconds=20)
    safaricom.query_answer = paid_answer()
    assert reconcile_payments.run_due() is True
    attempt.refresh_from_db()
    assert attempt.state == State.COMPLETED
    assert reconcile_payments.run_due() is False


@pytest.mark.usefixtures("command_time")
def test_a_second_run_right_after_changes_nothing(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    click()
    clock.advance(seconds=30)
    assert run() == "1 open payments looked at: 1 no answer yet. Needs a person: nothing.\n"
    before = MpesaTransaction.objects.values().get()
    assert run() == "0 open payments looked at: nothing to do. Needs a person: nothing.\n"
    assert MpesaTransaction.objects.values().get() == before


@pytest.mark.usefixtures("command_time")
def test_a_dry_run_says_and_does_nothing(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    click()
    clock.advance(seconds=30)
    assert run("--dry-run") == (
        "Would look at 1 open payments; with the query budget that takes about 0 minutes.\n"
    )
    assert safaricom.queries == []


@pytest.mark.usefixtures("command_time")
def test_a_limit_is_kept_and_the_summary_can_be_json(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: object
) -> None:
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 60_000_000  # type: ignore[attr-defined]
    for number in range(3):
        click(f"2547000000{number:02}", reference=f"CART{number}")
    clock.advance(seconds=30)
    told = json.loads(run("--limit", "2", "--json"))
    assert (told["looked_at"], told["no_answer"], told["person"]["refund_due"]) == (2, 2, 0)
    assert safaricom.queries == ["ws_CO_1", "ws_CO_2"]


@pytest.mark.parametrize("nonsense", [("--limit", "0"), ("--watch", "--json"), ("--watch", "--dry-run")])
def test_nonsense_is_refused_in_a_sentence(nonsense: tuple[str, ...], db: None) -> None:
    with pytest.raises(CommandError, match=r"\.$"):
        run(*nonsense)


@pytest.mark.usefixtures("command_time")
def test_ctrl_c_loses_nothing(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 60_000_000  # type: ignore[attr-defined]
    for number in range(3):
        click(f"2547000000{number:02}", reference=f"CART{number}")
    clock.advance(seconds=30)
    answer = safaricom.query

    def interrupted(checkout_id: str) -> QueryAnswer:
        if checkout_id == "ws_CO_2":
            raise KeyboardInterrupt
        return answer(checkout_id)

    with monkeypatch.context() as patched:
        patched.setattr(safaricom, "query", interrupted)
        assert run().startswith("1 open payments looked at: 1 no answer yet.")
    clock.advance(seconds=30)
    safaricom.query_answer = not_paid_answer()
    assert run().startswith("3 open payments looked at: 3 not paid.")


# --- an earlier prompt in the way -----------------------------------------------------------------------


def test_code_17_makes_us_ask_about_the_earlier_prompt(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = click(reference="CART1")
    clock.advance(minutes=3)
    second = click(reference="CART2", amount=900)
    safaricom.query_answer = QueryAnswer(
        verdict=Verdict.NOT_PAID, asked=True, code="17", description="rule limited", result=lookup("17")
    )
    ask(second, clock)
    assert first.id in [due.id for due in enquiries.due(now=clock())]


def test_code_17_is_pending_while_the_earlier_prompt_is_asked_about_and_completed_if_that_one_paid(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = click()
    clock.advance(minutes=2)
    second = click()  # the first was idle; Safaricom did not know better
    safaricom.query_answer = QueryAnswer(
        verdict=Verdict.NOT_PAID, asked=True, code="17", description="rule limited", result=lookup("17")
    )
    clock.advance(seconds=25)
    ask(second, clock)

    def told() -> Public:
        found = payment_status(second.checkout_request_id or "", now=clock())
        assert found is not None
        return found.status

    assert (second.state, told()) == (State.FAILED, Public.PENDING)
    safaricom.query_answer = paid_answer()
    clock.advance(seconds=1)
    assert ask(first, clock) is Outcome.PAID
    assert told() == Public.COMPLETED


def test_an_earlier_prompt_is_found_after_the_ledgers_key_was_rotated(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    """The number is stored nowhere: the next push of that phone, which knows it, joins the rows."""
    first, otienos = click(), click(OTIENO, reference="CART9")
    before = otienos.phone_hash
    clock.advance(minutes=2)
    settings.LEDGER_KEY = ["new", *settings.LEDGER_KEY]
    second = click()
    safaricom.query_answer = QueryAnswer(
        verdict=Verdict.NOT_PAID, asked=True, code="17", description="rule limited", result=lookup("17")
    )
    clock.advance(seconds=25)
    ask(second, clock)
    assert first.id in [due.id for due in enquiries.due(now=clock())]
    safaricom.query_answer = paid_answer()
    clock.advance(seconds=1)
    assert ask(first, clock) is Outcome.PAID
    found = payment_status(second.checkout_request_id or "", now=clock())
    assert found is not None
    assert found.status == Public.COMPLETED
    otienos.refresh_from_db()
    assert otienos.phone_hash == before
    assert list(ledger.faults()) == []


def test_code_17_with_no_earlier_prompt_is_failed_in_words(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    safaricom.query_answer = not_paid_answer("17")
    ask(attempt, clock)
    found = payment_status(attempt.checkout_request_id or "", now=clock())
    assert found is not None
    assert (found.status, found.message) == (Public.FAILED, lookup("17").buyer)


def test_three_thousand_open_payments_are_read_in_less_than_half_a_megabyte(
    click: Click, clock: Clock
) -> None:
    attempt = click()

    def copies(count: int) -> None:
        orders = Order.objects.bulk_create(
            Order(
                code=f"X{n}",
                token=f"t{n}",
                client_reference=f"X{n}",
                total_kes=1500,
                is_priced=False,
                created_at=clock(),
            )
            for n in range(count)
        )
        MpesaTransaction.objects.bulk_create(
            MpesaTransaction(
                public_id=f"x{order.code}", order=order, state=State.PENDING, amount_kes=1500, created_at=clock(),
                callback_token_hash=order.code, checkout_request_id=order.code, channel=attempt.channel,
            )
            for order in orders
        )  # fmt: skip

    copies(3000)
    tracemalloc.start()
    count = sum(1 for _ in enquiries.open_since(before=clock()))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 3001
    assert peak_bytes < 500_000  # all of them at once would be two megabytes
