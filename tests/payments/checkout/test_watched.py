"""A request that came to nothing and may be paid all the same: what its buyer is told, and what is asked before another
is sent."""

import pytest

from orders.models import Order
from orders.services import place_order
from payments import enquiries, ledger
from payments.checkout import PushProblem, payment_status
from payments.daraja import QueryAnswer, Verdict
from payments.ledger import Source, Update
from payments.models import MpesaTransaction
from payments.states import Event, Public, State
from tests.support.payments.api import Caller, said
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja, not_paid_answer, paid_answer, processing_answer
from tests.support.payments.paying import Click

IF_TYPED = "If you typed your M-PESA PIN, do not pay again yet: we go on watching"
SAFE = "trying again is safe: we ask M-PESA about this request once more first"


def ends(attempt: MpesaTransaction, clock: Clock, code: str = "1037") -> None:
    ledger.record(attempt.id, Update(event=Event.DECLINED, source=Source.CALLBACK, code=code), now=clock())


@pytest.mark.parametrize("code", ["1037", "1031"])
def test_after_no_answer_the_buyer_is_told_what_to_do(code: str, click: Click, clock: Clock) -> None:
    attempt = click()
    ends(attempt, clock, code)
    told = payment_status(attempt.public_id, now=clock())
    assert told is not None
    assert (told.status, told.is_watched) == (Public.FAILED, True)
    assert IF_TYPED in told.message
    assert SAFE in told.message
    assert len(told.message) < 300


def test_an_expired_one_that_is_watched_says_so_too(click: Click, clock: Clock) -> None:
    attempt = click()
    clock.advance(minutes=3)
    enquiries.expire(attempt.id, now=clock(), why="Idle.")
    told = payment_status(attempt.public_id, now=clock())
    assert told is not None
    assert (told.status, told.is_watched) == (Public.FAILED, True)
    assert IF_TYPED in told.message


@pytest.mark.parametrize("code", ["1032", "1", "2001"])
def test_a_final_end_says_nothing_of_watching(code: str, click: Click, clock: Clock) -> None:
    attempt = click()
    ends(attempt, clock, code)
    told = payment_status(attempt.public_id, now=clock())
    assert told is not None
    assert (told.status, told.is_watched, "watching" in told.message) == (Public.FAILED, False, False)


@pytest.mark.django_db
@pytest.mark.parametrize(("code", "watching"), [("1037", True), ("1032", None)])
def test_a_page_that_cares_is_told_to_look_on(
    code: str, watching: bool | None, click: Click, clock: Clock
) -> None:
    attempt = click()
    ends(attempt, clock, code)
    told = said(Caller().send("/stkpush/status", {"checkoutRequestId": attempt.checkout_request_id}))
    assert (told["success"], told["status"], told.get("watching")) == (False, "failed", watching)


# --- one more question ----------------------------------------------------------------------------------


def test_it_is_asked_about_once_before_another_is_sent(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = click()
    ends(first, clock)
    clock.advance(seconds=40)
    safaricom.query_answer = not_paid_answer("1037")
    second = click()
    assert (safaricom.queries, second.state, len(safaricom.pushes)) == (["ws_CO_1"], State.PENDING, 2)
    ends(second, clock)
    clock.advance(seconds=40)
    click()
    assert safaricom.queries == ["ws_CO_1", "ws_CO_2"]  # each once
    assert [event.kind for event in first.events.all()] == ["created", "accepted", "declined"]


def test_what_was_paid_after_all_is_not_asked_for_again(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = click()
    ends(first, clock)
    clock.advance(seconds=40)
    safaricom.query_answer = paid_answer()
    with pytest.raises(PushProblem) as refused:
        click()
    assert refused.value.code == "already_paid"
    assert Order.objects.get().state == Order.State.PAID
    assert len(safaricom.pushes) == 1


def test_what_is_still_being_worked_on_is_waited_for(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    ends(click(), clock)
    clock.advance(seconds=40)
    safaricom.query_answer = processing_answer()
    with pytest.raises(PushProblem, match="Nothing new was sent") as refused:
        click()
    assert refused.value.code == "prompt_open"
    assert len(safaricom.pushes) == 1


def test_where_nobody_can_be_asked_the_buyer_is_not_kept_waiting(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Safaricom has said that it failed: a question that can't be asked takes no buyer's money."""
    ends(click(), clock)
    clock.advance(seconds=40)
    safaricom.query_answer = QueryAnswer(verdict=Verdict.NO_ANSWER, asked=False)
    assert click().state == State.PENDING


def test_under_a_new_reference_of_the_merchants_page_it_is_asked_too(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    ends(click(reference="CART1"), clock)
    clock.advance(seconds=40)
    safaricom.query_answer = paid_answer()
    with pytest.raises(PushProblem) as refused:
        click(reference="CART2")
    assert refused.value.code == "just_paid"
    assert len(safaricom.pushes) == 1


def test_in_another_order_for_the_same_mixes_it_is_asked_too(
    click: Click, safaricom: FakeDaraja, clock: Clock, mixes: object
) -> None:
    first, second = (place_order(mix_slugs=["love-songs"], now=clock()) for _ in range(2))
    ends(click(amount=1000, reference=first.code), clock)
    clock.advance(seconds=40)
    safaricom.query_answer = paid_answer()
    with pytest.raises(PushProblem) as refused:
        click(amount=1000, reference=second.code)
    assert refused.value.code == "just_paid"


def test_the_checkout_looks_after_it_when_it_is_opened_anew(click: Click, clock: Clock) -> None:
    attempt = click()
    ends(attempt, clock)
    Order.objects.update(created_at=clock.now.replace(year=2200))  # the page goes by the real clock
    page = Caller().get(f"/checkout/{attempt.order.token}").content.decode()
    assert f'data-watch-id="{attempt.checkout_request_id}"' in page
