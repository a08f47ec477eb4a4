"""The table of states: every pair decided, and the promises it makes."""

from itertools import product

import pytest

from payments.states import LIVE, PUBLIC, TRANSITIONS, Event, Public, State, next_state


def test_every_state_decides_every_event() -> None:
    assert set(TRANSITIONS) == set(product(State, Event))


def test_every_state_has_a_public_word() -> None:
    assert set(PUBLIC) == set(State)


def test_what_is_taken_back_was_given_up() -> None:
    """Money may still come for it, and is money then."""
    assert next_state(State.COMPLETED, Event.UNDONE) is State.EXPIRED


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.UNDONE])
def test_nothing_else_leaves_completed(event: Event) -> None:
    assert next_state(State.COMPLETED, event) is State.COMPLETED


@pytest.mark.parametrize("state", State)
def test_money_is_money_whenever_it_comes(state: State) -> None:
    assert next_state(state, Event.CONFIRMED) is State.COMPLETED


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.CONFIRMED])
@pytest.mark.parametrize("state", [State.FAILED, State.EXPIRED])
def test_only_money_leaves_a_closed_state(state: State, event: Event) -> None:
    assert next_state(state, event) is state


def test_the_moves_of_a_live_attempt() -> None:
    moves = {(s.value, e.value): t.value for (s, e), t in TRANSITIONS.items() if s in LIVE and s is not t}
    assert moves == {
        ("created", "accepted"): "pending",
        ("created", "refused"): "failed",
        ("created", "answer_lost"): "unknown",
        ("created", "confirmed"): "completed",
        ("created", "declined"): "failed",
        ("created", "expired"): "expired",
        ("pending", "confirmed"): "completed",
        ("pending", "declined"): "failed",
        ("pending", "expired"): "expired",
        ("unknown", "accepted"): "pending",
        ("unknown", "refused"): "failed",
        ("unknown", "confirmed"): "completed",
        ("unknown", "declined"): "failed",
        ("unknown", "expired"): "expired",
    }


def test_whoever_does_not_know_says_pending() -> None:
    assert {PUBLIC[state] for state in LIVE} == {Public.PENDING}
