"""Who is asked about first when there are more who wait than questions."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from payments import enquiries, ledger, manual
from payments.checkout import status
from payments.daraja import QueryAnswer, Verdict
from payments.enquiries import Lane, Outcome, lanes
from payments.gateway.clock import SharedClock, read_database
from payments.models import Awaited, Heartbeat, MpesaTransaction, QueryBudget
from payments.states import State
from tests.support.payments.callback_bodies import failure
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja, not_paid_answer, paid_answer
from tests.support.payments.paying import Click, Deliver

TURN = 12  # seconds, with five questions a minute


@pytest.fixture(autouse=True)
def _five_a_minute(settings: object) -> None:
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 5  # type: ignore[attr-defined]


@pytest.fixture
def watched(click: Click, clock: Clock) -> list[MpesaTransaction]:
    """Fifty that ended with code 1037 and are all due to be asked about again."""
    made = [click(f"2547000001{number:02}", reference=f"OLD{number}") for number in range(50)]
    ids = [attempt.id for attempt in made]
    MpesaTransaction.objects.filter(id__in=ids).update(
        state=State.FAILED, result_code="1037", next_check_at=clock()
    )
    clock.advance(minutes=20)
    return made


def seconds_pass(
    clock: Clock, seconds: int, *, poll: str = "", click: Callable[[], object] = lambda: None
) -> None:
    """Second by second: the worker makes its round, and every three seconds the page polls."""
    for second in range(seconds):
        clock.advance(seconds=1)
        enquiries.ask_next(clock=clock)
        if poll and second % 3 == 0:
            status.payment_status_now(poll, clock=clock)
        click()


def test_a_waiting_buyer_is_asked_about_within_two_turns(
    watched: list[MpesaTransaction], click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    seconds_pass(clock, 60)
    hers = click()  # her callback is lost; she waits on the page
    poll_id = hers.checkout_request_id or ""
    seconds_pass(clock, 20, poll=poll_id)
    before = len(safaricom.queries)
    seconds_pass(clock, 2 * TURN + 3, poll=poll_id)
    assert poll_id in safaricom.queries[: before + 2]
    assert len(safaricom.queries) > before


def test_the_watched_ones_get_their_share_however_many_buyers_wait(
    watched: list[MpesaTransaction], click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    buyers = [click(f"2547000009{number:02}", reference=f"NEW{number}") for number in range(20)]
    clock.advance(seconds=25)
    old = {attempt.checkout_request_id for attempt in watched}
    for _ in range(32 * TURN):
        clock.advance(seconds=1)
        for buyer in buyers:
            lanes.wait_in(Lane.BUYER, buyer.id, now=clock())
        enquiries.ask_next(clock=clock)
    shares = [checkout_id in old for checkout_id in safaricom.queries]
    assert len(shares) >= 31
    assert sum(shares) >= 3
    assert sum(shares) < len(shares) / 2


def test_staff_who_ask_now_are_served_within_a_minute(
    watched: list[MpesaTransaction], click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    buyers = [click(f"2547000009{number:02}", reference=f"NEW{number}") for number in range(20)]
    clock.advance(seconds=25)
    seconds_pass(clock, 15)
    looked_up = watched[-1]
    told = manual.ask_now(looked_up.id, by="kraph", clock=clock)
    for _ in range(60):
        for buyer in buyers:
            lanes.wait_in(Lane.BUYER, buyer.id, now=clock())
        seconds_pass(clock, 1)
    assert told.outcome is not Outcome.NOT_ASKED or looked_up.checkout_request_id in safaricom.queries


def test_a_lane_where_nobody_waits_gives_its_turns_away(
    watched: list[MpesaTransaction], safaricom: FakeDaraja, clock: Clock
) -> None:
    seconds_pass(clock, 10 * TURN)
    assert len(safaricom.queries) == 10


def test_without_a_worker_no_turn_is_lost_for_good(
    watched: list[MpesaTransaction], click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    hers = click()
    clock.advance(seconds=25)
    turn = lanes.TURNS.index(Lane.WATCHED)
    QueryBudget.objects.create(name="query", turns=turn, free_at=clock())
    poll_id = hers.checkout_request_id or ""
    status.payment_status_now(poll_id, clock=clock)
    assert poll_id not in safaricom.queries
    clock.advance(seconds=3)
    status.payment_status_now(poll_id, clock=clock)
    assert poll_id in safaricom.queries


def test_who_left_the_page_is_not_asked_about_before_the_others(click: Click, clock: Clock) -> None:
    hers = click()
    lanes.wait_in(Lane.BUYER, hers.id, now=clock())
    assert lanes.first_of(Lane.BUYER, now=clock.advance(seconds=29)) == hers.id
    assert lanes.first_of(Lane.BUYER, now=clock.advance(seconds=2)) is None
    assert not Awaited.objects.exists()


def test_whom_somebody_waits_for_keeps_no_place_in_a_lane_where_nobody_is_seen(
    click: Click, clock: Clock
) -> None:
    hers = click()
    clock.advance(seconds=25)
    assert lanes.first_of(Lane.YOUNG, now=clock()) == hers.id
    lanes.wait_in(Lane.BUYER, hers.id, now=clock())
    assert lanes.first_of(Lane.YOUNG, now=clock()) is None
    assert lanes.first_of(Lane.YOUNG, now=clock.advance(seconds=31)) == hers.id


def test_one_attempt_waits_once_and_in_the_better_lane(click: Click, clock: Clock) -> None:
    hers = click()
    for lane in (Lane.STAFF, Lane.BUYER, Lane.STAFF):
        lanes.wait_in(lane, hers.id, now=clock.advance(seconds=1))
    assert [row.lane for row in Awaited.objects.all()] == [Lane.BUYER]
    lanes.wait_in(Lane.BUYER, hers.id, now=clock.advance(seconds=20))
    row = Awaited.objects.get()
    assert (row.seen_at - row.since) == timedelta(seconds=22)


# --- clocks -----------------------------------------------------------------------------------------------


def test_a_time_far_ahead_binds_nobody(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    hers = click()
    QueryBudget.objects.create(name="query", free_at=clock() + timedelta(days=30))
    assert enquiries.ask_about(enquiries.read_due(hers.id), clock=clock) is not Outcome.NOT_ASKED
    assert QueryBudget.objects.get().free_at == clock() + timedelta(seconds=TURN)


def test_a_clock_that_was_set_back_ends_a_pause_of_before(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    hers = click()
    safaricom.query_answer = QueryAnswer(verdict=Verdict.NO_ANSWER, asked=False, pause=600.0)
    enquiries.ask_about(enquiries.read_due(hers.id), clock=clock)
    clock.advance(hours=-1)
    assert enquiries.next_turn_at(now=clock()) is None


def test_a_clock_set_back_an_hour_stops_no_question(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    hers = click()
    enquiries.beat(enquiries.WORKER, now=clock())
    clock.advance(hours=-1)
    enquiries.beat(enquiries.WORKER, now=clock())
    seconds_pass(clock, 21)
    assert safaricom.queries == [hers.checkout_request_id]
    assert Heartbeat.objects.get().at == clock() - timedelta(seconds=21)


def test_a_clock_that_is_merely_corrected_moves_nothing(click: Click, clock: Clock) -> None:
    hers = click()
    enquiries.beat(enquiries.WORKER, now=clock())
    enquiries.beat(enquiries.WORKER, now=clock.advance(seconds=-59))
    assert MpesaTransaction.objects.get().next_check_at == hers.next_check_at


@pytest.mark.django_db
def test_two_hosts_whose_clocks_differ_go_by_the_databases() -> None:
    hosts = [
        SharedClock(read_database, host=lambda: datetime(2020, 1, 1).astimezone()),
        SharedClock(read_database, host=lambda: datetime(2030, 1, 1).astimezone()),
    ]
    one, other = (host() for host in hosts)
    assert abs(other - one) < timedelta(seconds=1)
    assert abs(read_database() - one) < timedelta(seconds=1)


def test_between_two_looks_at_the_database_the_steady_clock_goes_on() -> None:
    steady, looks = [100.0], []

    def read() -> datetime:
        looks.append(steady[0])
        return Clock().now + timedelta(seconds=steady[0])

    shared = SharedClock(read, steady=lambda: steady[0])
    first = shared()
    steady[0] += 14
    assert (shared() - first, looks) == (timedelta(seconds=14), [100.0])
    steady[0] += 2
    assert (shared() - first, looks) == (timedelta(seconds=16), [100.0, 116.0])


# --- what is over stays over ------------------------------------------------------------------------------


def test_a_strangers_post_makes_us_ask_about_nothing_that_is_over(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    deliver(failure(1032))
    for _ in range(24):
        clock.advance(hours=1)
        deliver(failure(1032), token="")
        enquiries.ask_next(clock=clock)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.next_check_at, safaricom.queries) == (State.FAILED, None, [])


def test_a_stranger_makes_us_ask_about_a_live_one_every_five_minutes_at_most(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock
) -> None:
    click()
    for _ in range(60):
        clock.advance(minutes=1)
        deliver(failure(1032), token="")
        enquiries.ask_next(clock=clock)
    assert len(safaricom.queries) <= 16


def test_what_was_over_and_is_asked_about_all_the_same_is_asked_about_once(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    deliver(failure(1032))
    enquiries.request_check(attempt.id, now=clock.advance(minutes=1))
    safaricom.query_answer = not_paid_answer("1032")
    for _ in range(48):
        clock.advance(minutes=30)
        enquiries.ask_next(clock=clock)
    assert len(safaricom.queries) == 1


def test_money_that_came_late_for_what_was_over_is_still_found(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    deliver(failure(1032))
    enquiries.request_check(attempt.id, now=clock.advance(minutes=1))
    safaricom.query_answer = paid_answer()
    enquiries.ask_next(clock=clock)
    attempt.refresh_from_db()
    assert attempt.state == State.COMPLETED
    assert list(ledger.faults()) == []
