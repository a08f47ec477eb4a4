"""Every kind of decision about money: above the limit it waits, a second person confirms or declines it, it is done as
if it had been decided alone, and what became pointless is closed with its reason."""

from collections import Counter
from typing import Any

import pytest

from payments import ledger, limits, manual
from payments.manual import ActionRefused, proposals
from payments.models import HandSettlement, PaymentEvent
from tests.support.payments.book import balances
from tests.support.payments.clock import Clock
from tests.support.payments.decisions import KINDS, Ready, Shop
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click

Decision = HandSettlement.Decision


@pytest.fixture
def shop(click: Click, safaricom: FakeDaraja, clock: Clock) -> Shop:
    return Shop(click=click, safaricom=safaricom, clock=clock)


@pytest.fixture(params=KINDS)
def ready(request: pytest.FixtureRequest, shop: Shop, settings: Any) -> Ready:
    """A decision of each kind, for which one person is not enough."""
    settings.SETTLED_ALONE_UP_TO_KES = 10_000
    made = KINDS[request.param](shop)
    settings.SETTLED_ALONE_UP_TO_KES = 0
    return made


def whole() -> bool:
    return [str(fault) for fault in ledger.faults()] == []


def test_every_kind_is_tested_here_and_can_be_confirmed() -> None:
    one_kind = {
        "attach": "settle",
        "refund_beside": "refund",
        "send_back_beside": "send_back",
        "undo_refund_beside": "undo_refund",
    }
    assert {one_kind.get(name, name) for name in KINDS} == {*proposals.WAYS}
    assert {*HandSettlement.What} == {*proposals.WAYS}


def test_above_the_limit_it_waits_and_moves_nothing(ready: Ready) -> None:
    before = balances()
    waiting = ready.decide("akinyi")
    assert (waiting.decision, waiting.needs_second, waiting.decided_by) == (Decision.WAITING, True, "")
    assert balances() == before
    assert whole()


def test_confirmed_it_is_done_as_if_decided_alone(ready: Ready, clock: Clock, settings: Any) -> None:
    waiting = ready.decide("akinyi")
    with pytest.raises(ActionRefused, match="you proposed it yourself"):
        manual.confirm_settlement(waiting.pk, by="akinyi", now=clock())
    before = balances()
    confirmed = manual.confirm_settlement(waiting.pk, by="kraph", now=clock())
    assert (confirmed.decision, confirmed.decided_by) == (Decision.DONE, "kraph")
    assert (balances() != before) is ready.moves
    with pytest.raises(ActionRefused, match="decided already"):
        manual.confirm_settlement(waiting.pk, by="wambui", now=clock())
    if confirmed.attempt_id is not None:
        last = PaymentEvent.objects.filter(attempt=confirmed.attempt_id).latest("number")
        assert (last.facts["by"], last.facts["confirmed_by"]) == ("akinyi", "kraph")
    assert whole()


def test_declined_nothing_is_done(ready: Ready, clock: Clock) -> None:
    before = balances()
    waiting = ready.decide("akinyi")
    manual.decline_settlement(waiting.pk, why="It is another's.", by="kraph", now=clock())
    waiting.refresh_from_db()
    assert (waiting.decision, waiting.decided_by, waiting.declined_because) == (
        Decision.DECLINED, "kraph", "It is another's.",
    )  # fmt: skip
    assert balances() == before
    assert whole()


def test_one_thing_at_a_time_waits_about_the_same_money(ready: Ready) -> None:
    waiting = ready.decide("akinyi")
    if waiting.money_id is not None or waiting.statement_id is not None:
        pytest.skip("a receipt's parts, and the lines of a statement, are told apart when they are done")
    with pytest.raises(ActionRefused, match="waits for a second person already"):
        ready.decide("kraph")


def test_what_became_pointless_is_closed_with_its_reason(ready: Ready, clock: Clock, settings: Any) -> None:
    waiting = ready.decide("akinyi")
    assert manual.close_pointless(now=clock()) == 0
    settings.SETTLED_ALONE_UP_TO_KES = 10_000
    ready.spoil()
    assert manual.why_pointless(waiting, now=clock())
    assert manual.close_pointless(now=clock()) == 1
    waiting.refresh_from_db()
    assert (waiting.decision, waiting.decided_by, bool(waiting.declined_because)) == (
        Decision.CLOSED, "", True,
    )  # fmt: skip


def test_within_the_limit_it_is_done_at_once_and_counts(ready: Ready, clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 10_000
    done = ready.decide("akinyi")
    assert (done.decision, done.decided_by, done.needs_second) == (Decision.DONE, "akinyi", False)
    assert limits.decided_alone_kes("akinyi", now=clock()) == done.counts_kes > 0
    assert Counter(HandSettlement.objects.filter(proposed_by="akinyi").values_list("what", flat=True)) == {
        done.what: 1
    }
    assert whole()
