"""Asking a phone to pay: which prompt is sent, exactly once, and what is noted of it."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from unittest.mock import MagicMock

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from orders.models import Order
from orders.services import place_order
from payments import daraja, enquiries, ledger
from payments.checkout import PushProblem, prompts
from payments.gateway.connections import CalledInsideTransaction, release_connection
from payments.ledger import Source, Update
from payments.models import MpesaTransaction, StoppedPhone
from payments.states import Event, State
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import (
    OTIENO,
    WANJIRU,
    FakeDaraja,
    not_paid_answer,
    paid_answer,
    processing_answer,
)

Click = Callable[..., MpesaTransaction]


def confirm(attempt: MpesaTransaction, clock: Clock, receipt: str = "UKN4AB12CD") -> None:
    told = Update(event=Event.CONFIRMED, source=Source.CALLBACK, code="0", receipt=receipt)
    ledger.record(attempt.id, told, now=clock())


def decline(attempt: MpesaTransaction, clock: Clock, code: str = "1032") -> None:
    ledger.record(attempt.id, Update(event=Event.DECLINED, source=Source.CALLBACK, code=code), now=clock())


def refusal(press: Callable[[], object]) -> str:
    with pytest.raises(PushProblem) as refused:
        press()
    assert str(refused.value).endswith(".")
    return refused.value.code


def test_the_attempt_is_committed_before_daraja_is_asked(click: Click, safaricom: FakeDaraja) -> None:
    seen: list[str] = []
    safaricom.during_push = lambda: seen.extend(MpesaTransaction.objects.values_list("state", flat=True))
    click()
    assert seen == [State.CREATED]


def test_an_accepted_push_waits_for_the_buyer(click: Click, safaricom: FakeDaraja) -> None:
    attempt = click()
    assert (attempt.state, attempt.checkout_request_id) == (State.PENDING, "ws_CO_1")
    assert [event.kind for event in attempt.events.all()] == ["created", "accepted"]


def test_what_is_sent_fits_the_phone_and_names_the_order(click: Click, safaricom: FakeDaraja) -> None:
    attempt = click()
    sent = safaricom.pushes[0]
    assert sent.account_reference == attempt.order.code
    assert (sent.phone, sent.amount) == (WANJIRU, 1500)
    assert len(sent.account_reference) <= 12
    assert 0 < len(sent.description) <= 13


def test_the_callback_token_and_the_phone_stand_in_no_row(click: Click, safaricom: FakeDaraja) -> None:
    attempt = click()
    row = str(MpesaTransaction.objects.filter(id=attempt.id).values().get())
    assert WANJIRU not in row
    assert WANJIRU[3:] not in row
    assert safaricom.last_token not in row


def test_a_second_click_answers_the_same_prompt(click: Click, safaricom: FakeDaraja) -> None:
    assert click() == click()
    assert len(safaricom.pushes) == 1


def test_a_click_while_the_first_is_being_sent_answers_our_own_id(
    click: Click, safaricom: FakeDaraja
) -> None:
    polled: list[str] = []
    safaricom.during_push = lambda: polled.append(click().public_id)
    attempt = click()
    assert polled == [attempt.public_id]
    assert len(safaricom.pushes) == 1


def test_the_same_phone_and_amount_under_a_new_reference_is_the_same_click(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = click(reference="CART1")
    clock.advance(seconds=60)
    assert click(reference="CART2") == first
    assert len(safaricom.pushes) == 1
    assert Order.objects.count() == 1


def test_another_amount_on_a_ringing_phone_is_refused(click: Click, safaricom: FakeDaraja) -> None:
    click()
    assert refusal(lambda: click(amount=900, reference="CART2")) == "prompt_open"
    assert len(safaricom.pushes) == 1


def test_a_priced_order_on_a_ringing_phone_is_refused(
    click: Click, safaricom: FakeDaraja, mixes: object, clock: Clock
) -> None:
    click()
    order = place_order(mix_slugs=["nairobi-after-dark"], now=clock())
    assert refusal(lambda: click(amount=1500, reference=order.code)) == "prompt_open"


def test_two_buyers_do_not_disturb_each_other(click: Click, safaricom: FakeDaraja) -> None:
    assert click(WANJIRU, reference="CART1") != click(OTIENO, reference="CART2")
    assert len(safaricom.pushes) == 2


def test_otieno_is_not_shown_wanjirus_prompt_under_her_reference(click: Click, safaricom: FakeDaraja) -> None:
    click(WANJIRU, reference="CART1")
    assert refusal(lambda: click(OTIENO, reference="CART1")) == "prompt_open"
    assert len(safaricom.pushes) == 1


def test_a_paid_order_is_not_paid_again(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    confirm(click(), clock)
    assert refusal(click) == "already_paid"
    assert len(safaricom.pushes) == 1


def test_a_second_click_after_paying_is_told_so_and_rings_no_phone(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Her page lost the first answer on a bad line: she clicks again, under the new reference it makes."""
    first = click(reference="CART1")
    confirm(first, clock)
    clock.advance(seconds=60)
    with pytest.raises(PushProblem, match="KES 1,500 was just paid from this phone, receipt UKN4AB12CD"):
        click(reference="CART2")
    assert len(safaricom.pushes) == 1


def test_after_a_refusal_on_the_phone_the_buyer_may_try_again_at_once(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = click()
    decline(first, clock)
    assert click() != first
    assert len(safaricom.pushes) == 2


def test_the_price_of_an_order_is_ours_not_the_browsers(click: Click, mixes: object, clock: Clock) -> None:
    order = place_order(mix_slugs=["nairobi-after-dark", "love-songs"], now=clock())
    assert refusal(lambda: click(amount=1, reference=order.code)) == "amount_mismatch"
    assert click(amount=2500, reference=order.code.lower()).order == order


def test_a_reference_stands_for_one_amount_while_a_prompt_is_open(click: Click) -> None:
    click(amount=1500)
    assert refusal(lambda: click(amount=1)) == "amount_mismatch"


def test_priced_orders_only_refuses_unknown_references(click: Click, settings: object) -> None:
    settings.REQUIRE_PRICED_ORDERS = True  # type: ignore[attr-defined]
    assert refusal(click) == "order_unknown"
    assert Order.objects.count() == 0


def test_prompts_per_phone_are_limited_by_the_ledger(click: Click, clock: Clock, settings: object) -> None:
    settings.PUSH_LIMIT_PER_PHONE = 3  # type: ignore[attr-defined]
    for number in range(3):
        decline(click(reference=f"CART{number}"), clock)
        clock.advance(seconds=30)
    assert refusal(lambda: click(reference="CART9")) == "too_many_prompts"
    clock.advance(minutes=10)
    click(reference="CART9")


def test_prompts_per_order_are_limited_whatever_the_phone(click: Click, clock: Clock) -> None:
    for number in range(prompts.PROMPTS_PER_ORDER):
        decline(click(f"2547000000{number:02}"), clock)
    assert refusal(lambda: click(OTIENO)) == "too_many_prompts"


def test_a_phone_that_never_pays_is_asked_twelve_times_a_day(
    click: Click, clock: Clock, settings: object
) -> None:
    settings.PUSH_LIMIT_PER_PHONE = 1000  # type: ignore[attr-defined]
    began = clock.now
    for number in range(12):
        decline(click(reference=f"CART{number}"), clock)
        clock.advance(minutes=11)
    assert refusal(lambda: click(reference="CART99")) == "too_many_prompts"
    click(OTIENO, reference="CART98")  # nobody else's
    clock.now = began + timedelta(hours=24, seconds=1)
    click(reference="CART99")


def test_prompts_for_what_was_paid_in_the_end_count_for_nothing(
    click: Click, clock: Clock, safaricom: FakeDaraja, settings: object
) -> None:
    settings.PUSH_LIMIT_PER_PHONE = 1000  # type: ignore[attr-defined]
    settings.UNPAID_PROMPTS_PER_PHONE_A_DAY = 2  # type: ignore[attr-defined]
    for number in range(4):
        decline(click(reference=f"CART{number}"), clock)
        clock.advance(minutes=11)
        confirm(click(reference=f"CART{number}"), clock, receipt=f"UKN4AB12C{number}")
        clock.advance(minutes=11)
    decline(click(reference="CART8"), clock)
    decline(click(reference="CART9"), clock)
    assert refusal(lambda: click(reference="CART10")) == "too_many_prompts"


def test_a_phone_whose_owner_said_stop_is_asked_no_more(click: Click, safaricom: FakeDaraja) -> None:
    call_command("stop_prompts", "0712 345 678", stdout=StringIO())
    call_command("stop_prompts", WANJIRU, stdout=StringIO())  # twice is once
    assert refusal(click) == "phone_stopped"
    assert safaricom.pushes == []
    click(OTIENO)
    call_command("stop_prompts", "+254712345678", "--allow-again", stdout=StringIO())
    click(reference="CART2")
    assert WANJIRU not in str(list(StoppedPhone.objects.values()))


def test_a_stop_outlives_the_key_it_was_written_under(click: Click, settings: object) -> None:
    call_command("stop_prompts", WANJIRU, stdout=StringIO())
    old = settings.LEDGER_KEY  # type: ignore[attr-defined]
    settings.LEDGER_KEY = ["a-new-key-of-the-ledger-that-is-long-enough", *old]  # type: ignore[attr-defined]
    assert refusal(click) == "phone_stopped"


@pytest.mark.parametrize("number", ["12", "", "0812345678", "MPESA"])
def test_stop_takes_a_phone_number_only(db: None, number: str) -> None:
    with pytest.raises(CommandError):
        call_command("stop_prompts", number)


# --- what Daraja answers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (daraja.Refused("no", code="400.002.02"), "daraja_refused"),
        (daraja.Misconfigured("no"), "daraja_unusable"),
        (daraja.InvalidToken("no"), "daraja_unusable"),
        (daraja.Busy("no"), "daraja_busy"),
        (daraja.Unreachable("no"), "daraja_unreachable"),
        (daraja.SubscriberLocked("no"), "prompt_open"),
    ],
)
def test_a_refused_push_fails_and_may_be_tried_again_at_once(
    error: Exception, code: str, click: Click, safaricom: FakeDaraja
) -> None:
    safaricom.push_answer = error
    assert refusal(click) == code
    assert MpesaTransaction.objects.get().state == State.FAILED
    safaricom.push_answer = None
    assert click().state == State.PENDING


@pytest.mark.parametrize("error", [daraja.OutcomeUnknown("read timeout"), RuntimeError("a bug of ours")])
def test_a_lost_answer_is_unknown_and_is_never_sent_again(
    error: Exception, click: Click, safaricom: FakeDaraja
) -> None:
    safaricom.push_answer = error
    attempt = click()
    assert attempt.state == State.UNKNOWN
    assert click() == attempt
    assert len(safaricom.pushes) == 1


def test_a_locked_line_makes_us_ask_about_the_earlier_prompt(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    earlier = click(reference="CART1")
    clock.advance(minutes=3)
    safaricom.push_answer = daraja.SubscriberLocked("Unable to lock subscriber")
    assert refusal(lambda: click(amount=900, reference="CART2")) == "prompt_open"
    assert earlier.id in [due.id for due in enquiries.due(now=clock())]


# --- the idle prompt ------------------------------------------------------------------------------------


def test_an_idle_prompt_is_replaced_only_after_daraja_was_asked(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = click()
    clock.advance(minutes=2)
    second = click()
    assert safaricom.queries == ["ws_CO_1"]
    first.refresh_from_db()
    assert (first.state, second.state) == (State.EXPIRED, State.PENDING)
    assert first.next_check_at is not None  # still watched


def test_an_idle_prompt_that_was_paid_answers_with_the_payment(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = click()
    clock.advance(minutes=2)
    safaricom.query_answer = paid_answer()
    assert click() == first
    assert len(safaricom.pushes) == 1


def test_an_idle_prompt_still_processing_is_not_replaced(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = click()
    clock.advance(minutes=2)
    safaricom.query_answer = processing_answer()
    assert click() == first
    assert len(safaricom.pushes) == 1


def test_an_idle_prompt_that_could_not_be_asked_about_is_not_replaced(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = click()
    clock.advance(minutes=2)
    safaricom.query_answer = daraja.QueryAnswer(verdict=daraja.Verdict.NO_ANSWER, asked=False)
    assert click() == first
    assert len(safaricom.pushes) == 1


def test_an_idle_prompt_of_another_click_is_asked_about_too(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """The merchant's page makes a new reference at each click: after two minutes it may have been paid."""
    click(reference="CART1")
    clock.advance(minutes=2)
    safaricom.query_answer = paid_answer()
    with pytest.raises(PushProblem, match="was just paid from this phone"):
        click(reference="CART2")
    assert len(safaricom.pushes) == 1


def test_an_idle_prompt_on_another_phone_is_asked_about_before_this_one_rings(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    click(WANJIRU)
    clock.advance(minutes=2)
    safaricom.query_answer = processing_answer()
    assert refusal(lambda: click(OTIENO)) == "prompt_open"
    clock.advance(minutes=2)
    safaricom.query_answer = not_paid_answer()
    assert click(OTIENO).state == State.PENDING


def test_a_prompt_nobody_can_ask_about_holds_its_order_for_five_minutes(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    safaricom.push_answer = daraja.OutcomeUnknown("read timeout")
    first = click()
    clock.advance(minutes=3)
    assert click() == first
    clock.advance(minutes=2)
    safaricom.push_answer = None
    assert click() != first


# --- the database's own word ----------------------------------------------------------------------------


def test_the_database_refuses_a_second_live_attempt(click: Click) -> None:
    attempt = click()
    attempt.pk, attempt.public_id, attempt.callback_token_hash, attempt.checkout_request_id = (
        None,
        "x",
        "y",
        None,
    )
    with pytest.raises(IntegrityError):
        attempt.save(force_insert=True)


def test_a_phone_is_held_under_each_live_key_in_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes may have the keys in another order while one is rotated; both wait for each other."""
    held = MagicMock(vendor="postgresql")
    monkeypatch.setattr(prompts, "connection", held)
    for hashes in (["b" * 64, "a" * 64], ["a" * 64, "b" * 64]):
        prompts._hold_phone(hashes)
    locks = [call.args[1] for call in held.cursor().__enter__().execute.call_args_list]
    assert locks == [[int("a" * 15, 16)], [int("b" * 15, 16)]] * 2


@pytest.mark.django_db(transaction=True)
def test_daraja_is_never_called_inside_a_transaction() -> None:
    from django.db import transaction

    with transaction.atomic(), pytest.raises(CalledInsideTransaction):
        release_connection()
    release_connection()
    assert connection.connection is None
