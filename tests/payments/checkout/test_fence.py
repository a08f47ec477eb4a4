"""A request that was held up leaves young or not at all: by then it may have been given up, and another sent."""

from datetime import timedelta

import pytest

from payments import enquiries
from payments.checkout import PushProblem, push
from payments.facts import PROMPT_LIFE, SEND_WITHIN, STALE_AFTER
from payments.facts.asking import UNASKABLE_FOR
from payments.models import MpesaTransaction
from payments.states import State
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click


def the_worker_passes(clock: Clock) -> None:
    for due in enquiries.due(now=clock()):
        enquiries.resolve_by_clock(due, now=clock())


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Clock:
    """A steady clock that goes with the one on the wall until a test sets that one back."""
    began = clock.now
    steady = Clock()
    monkeypatch.setattr(push, "monotonic", lambda: (steady.now - began).total_seconds())
    return steady


def test_nothing_gives_an_attempt_up_while_it_may_still_leave() -> None:
    assert min(STALE_AFTER, PROMPT_LIFE, UNASKABLE_FOR) > SEND_WITHIN


@pytest.mark.parametrize(("seconds", "leaves"), [(29, True), (30, False), (305, False)])
def test_a_request_leaves_young_or_not_at_all(
    seconds: int, leaves: bool, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    safaricom.before_push = lambda: clock.advance(seconds=seconds)
    if leaves:
        assert click().state == State.PENDING
        return
    with pytest.raises(PushProblem) as refused:
        click()
    assert (refused.value.code, refused.value.retry_after) == ("not_asked", 1)
    assert "Nothing was charged" in str(refused.value)
    assert "safe" in str(refused.value)
    attempt = MpesaTransaction.objects.get()
    assert (attempt.state, attempt.result_code, safaricom.pushes) == (State.FAILED, "not_asked", [])


def test_a_clock_that_is_set_back_lets_no_old_request_through(
    click: Click, safaricom: FakeDaraja, clock: Clock, steady: Clock
) -> None:
    def held_up() -> None:
        steady.advance(seconds=31)
        clock.advance(hours=-1)

    safaricom.before_push = held_up
    with pytest.raises(PushProblem, match="Nothing was charged"):
        click()
    assert safaricom.pushes == []


def test_a_machine_that_slept_lets_no_old_request_through(
    click: Click, safaricom: FakeDaraja, clock: Clock, steady: Clock
) -> None:
    """A steady clock stands still meanwhile."""
    safaricom.before_push = lambda: clock.advance(hours=8)
    with pytest.raises(PushProblem, match="Nothing was charged"):
        click()
    assert safaricom.pushes == []


def test_a_request_that_was_given_up_meanwhile_is_never_sent(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Held for 305 seconds between its note and its sending; the buyer pressed again meanwhile."""
    second: list[MpesaTransaction] = []

    def held_up() -> None:
        safaricom.before_push = lambda: None
        clock.advance(seconds=305)
        the_worker_passes(clock)
        second.append(click())

    safaricom.before_push = held_up
    with pytest.raises(PushProblem, match="Trying again is safe"):
        click()
    assert len(safaricom.pushes) == 1
    assert second[0].state == State.PENDING
    first = MpesaTransaction.objects.exclude(id=second[0].id).get()
    assert first.state in (State.FAILED, State.EXPIRED)
    assert second[0].created_at - first.created_at == timedelta(seconds=305)
