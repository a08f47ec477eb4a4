"""What an update does to an attempt, without a database: a row and an update in, a change out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from payments.ledger import KINDS, EventKind, Snapshot, Source, Update
from payments.ledger.decide import ANOTHER_LOOK_AFTER, FIRST_CHECK_AFTER, decide
from payments.ledger.kinds import FACTS, again
from payments.states import TRANSITIONS, Event, State

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
PENDING = Snapshot(
    id=7,
    public_id="pay_7",
    order_id=3,
    state=State.PENDING,
    amount_kes=1500,
    created_at=NOW - timedelta(seconds=12),
    merchant_request_id="m-1",
    checkout_request_id="ws_CO_1",
    result_code="",
    receipt=None,
    pays_order=False,
    refund_due=False,
    unclaimed=False,
    due_cents=0,
    refunded_at=None,
    amount_differs=False,
    next_check_at=NOW + timedelta(seconds=8),
    events_count=2,
    chain_head="h",
    received_kes=None,
    reviewed_at=None,
    unpriced=False,
    came_late=False,
    given_up_at=None,
    by_hand=False,
    short_code="174379",
    account_reference="DK34679ACD",
    phone_masked="2547••••5678",
    paid_at=None,
    refunded_kes=None,
)
CALLBACK = Update(
    event=Event.CONFIRMED, source=Source.CALLBACK, code="0", receipt="UKN4AB12CD", amount=Decimal(1500), paid_at=NOW
)  # fmt: skip
QUERY = Update(event=Event.CONFIRMED, source=Source.QUERY, code="0")
CANCELLED = Update(event=Event.DECLINED, source=Source.CALLBACK, code="1032")
UNCERTAIN = Update(event=Event.DECLINED, source=Source.CALLBACK, code="1037")


def row(**other: Any) -> Snapshot:
    return replace(PENDING, **other)


@pytest.mark.parametrize(("state", "event"), TRANSITIONS, ids=lambda each: str(each))
def test_every_state_under_every_event_leads_where_the_table_says(state: State, event: Event) -> None:
    change = decide(
        row(state=state, result_code="x", receipt=None), Update(event=event, source=Source.PUSH), now=NOW
    )
    assert (change.to if change else state) == TRANSITIONS[state, event]
    if change is not None and change.to is state:
        assert change.kind in (again(event), EventKind.AMOUNT_CONFIRMED)


def test_a_callback_pays_and_names_the_receipt() -> None:
    change = decide(PENDING, CALLBACK, now=NOW)
    assert change is not None
    assert (change.kind, change.to, change.pays) == (EventKind.CONFIRMED, State.COMPLETED, True)
    assert change.fields["receipt"] == "UKN4AB12CD"
    assert change.fields["next_check_at"] is None
    assert not change.fields["came_late"]


@pytest.mark.parametrize(
    ("differs", "update", "pays"),
    [
        (False, QUERY, True),
        (True, QUERY, False),  # the query names no amount: what a callback said stays in doubt
        (True, CALLBACK, True),
        (False, replace(CALLBACK, amount=Decimal(900)), False),
        (True, replace(CALLBACK, amount=Decimal(900), accepts_amount=True), True),
    ],
)
def test_only_the_amount_asked_for_or_an_accepted_one_pays(differs: bool, update: Update, pays: bool) -> None:
    change = decide(row(amount_differs=differs), update, now=NOW)
    assert change is not None
    assert change.pays is pays


def test_money_that_comes_late_is_still_money() -> None:
    change = decide(row(state=State.FAILED, result_code="1032"), CALLBACK, now=NOW)
    assert change is not None
    assert (change.to, change.pays, change.fields["came_late"]) == (State.COMPLETED, True, True)


def test_a_receipt_that_comes_after_the_querys_word_is_learned_and_pays_nothing_twice() -> None:
    change = decide(row(state=State.COMPLETED, pays_order=True), CALLBACK, now=NOW)
    assert change is not None
    assert (change.kind, change.pays) == (EventKind.RECEIPT_LEARNED, False)


def test_a_right_amount_ends_a_doubt() -> None:
    doubted = row(state=State.COMPLETED, amount_differs=True, receipt="UKN4AB12CD")
    change = decide(doubted, CALLBACK, now=NOW)
    assert change is not None
    assert (change.kind, change.pays) == (EventKind.AMOUNT_CONFIRMED, True)


@pytest.mark.parametrize(
    ("known", "update"),
    [
        (row(state=State.COMPLETED, receipt="UKN4AB12CD", pays_order=True), CALLBACK),
        (row(state=State.COMPLETED, receipt="UKN4AB12CD", pays_order=True), QUERY),
        (row(state=State.FAILED, result_code="1032"), CANCELLED),
        (PENDING, Update(event=Event.ACCEPTED, source=Source.PUSH)),
    ],
)
def test_what_is_known_is_not_written_again(known: Snapshot, update: Update) -> None:
    assert decide(known, update, now=NOW) is None


def test_another_word_is_written_unless_it_was_said_last() -> None:
    change = decide(row(state=State.FAILED, result_code="1032"), UNCERTAIN, now=NOW)
    assert change is not None
    assert (change.kind, change.unless_repeated) == (EventKind.DECLINED_AGAIN, True)


def test_a_word_that_is_not_quite_the_last_is_followed_up() -> None:
    certain, uncertain = (decide(PENDING, update, now=NOW) for update in (CANCELLED, UNCERTAIN))
    assert certain is not None
    assert uncertain is not None
    assert certain.fields["next_check_at"] is None
    assert uncertain.fields["next_check_at"] == NOW + ANOTHER_LOOK_AFTER


@pytest.mark.parametrize("state", [State.EXPIRED, State.FAILED])
def test_an_id_that_comes_late_can_be_asked_about(state: State) -> None:
    late = Update(event=Event.ACCEPTED, source=Source.CALLBACK, checkout_request_id="ws_CO_late")
    change = decide(row(state=state, checkout_request_id=None, result_code="Unreachable"), late, now=NOW)
    assert change is not None
    assert change.fields == {"checkout_request_id": "ws_CO_late", "next_check_at": NOW + FIRST_CHECK_AFTER}


def test_every_kind_says_what_it_carries_and_every_fact_has_a_meaning() -> None:
    assert set(KINDS) == set(EventKind)
    assert {fact for carries in KINDS.values() for fact in carries.facts} == set(FACTS)
    assert all(carries.becomes <= carries.facts for carries in KINDS.values())
    assert {again(event) for event in Event} <= set(EventKind)
