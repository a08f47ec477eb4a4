"""What the desk says of a payment: every kind of event has words, and no raw code stands where words belong."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from payments import enquiries, manual
from payments.desk import words
from payments.desk.payments import story, timeline
from payments.ledger import EventKind
from payments.manual import actions
from payments.models import MpesaTransaction, PaymentEvent
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import WANJIRU, FakeDaraja, not_paid_answer, processing_answer
from tests.support.payments.paying import called_back, pay
from tests.support.payments.settling import wrong_amount

Click = Callable[..., MpesaTransaction]


def test_every_kind_of_event_has_words() -> None:
    assert {kind.removesuffix("_again") for kind in EventKind} == set(timeline.KINDS)


def test_an_event_of_a_kind_nobody_knows_is_shown_by_its_name(clock: Clock) -> None:
    event = PaymentEvent(kind="something_new", source="clock", at=clock(), facts={"description": "Hm."})
    told = timeline.entry(event)
    assert (told.title, told.who, told.words) == ("Something new.", "The shop's clock", "Hm.")


def told(attempt: MpesaTransaction, clock: Clock) -> str:
    attempt.refresh_from_db()
    return story.sentence(attempt, now=clock())


def test_a_paid_payment_in_a_sentence(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = pay(click, safaricom, clock)
    assert told(attempt, clock) == (
        "KES 1,500 came from 2547••••5678 on 23 Nov 2026, 18:00:12, 12 seconds after the request; "
        f"receipt UKN4AB12CD. Order {attempt.account_reference} is paid with it."
    )


def test_a_payment_that_waits_and_then_is_idle(click: Click, clock: Clock) -> None:
    attempt = click()
    assert "waits for the buyer's PIN" in told(attempt, clock)
    clock.advance(minutes=3)
    assert "3 minutes ago. Safaricom has not said yet" in told(attempt, clock)


def test_a_cancelled_payment_says_why(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = click()
    called_back(safaricom, clock, code=1032)
    assert told(attempt, clock).endswith("was not paid: cancelled by the user.")


def test_a_wrong_amount_says_that_the_order_is_not_paid(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = wrong_amount(click, safaricom, clock)
    assert told(attempt, clock).startswith("Money of an amount that is not known for certain came from")
    assert f"Order {attempt.account_reference} is not paid by it: KES 1,500 was asked for." in told(
        attempt, clock
    )


def test_a_refund_stands_in_the_sentence(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = pay(click, safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKP7RF00AA", amount_kes=1500, reason="Bought twice", by="akinyi", now=clock()
    )
    assert "KES 1,500 was sent back" in told(attempt, clock)
    assert "reference UKP7RF00AA" in told(attempt, clock)


def test_the_timeline_names_who_and_what_it_means(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = click()
    clock.advance(minutes=10)
    safaricom.query_answer = processing_answer()
    enquiries.ask_about(enquiries.read_due(attempt.pk), clock=clock)
    clock.advance(minutes=10)
    safaricom.query_answer = not_paid_answer("1037")
    enquiries.ask_about(enquiries.read_due(attempt.pk), clock=clock)
    actions.write_note(attempt.pk, text=f"Rang {WANJIRU}", by="akinyi", now=clock())
    entries = timeline.entries(attempt.events.order_by("number"))
    assert [entry.who for entry in entries] == [
        "Our request to Safaricom",
        "Our request to Safaricom",
        "Safaricom, asked by us",
        "Safaricom, asked by us",
        "akinyi",
    ]
    assert entries[2].title == "Asked Safaricom: no answer yet (still processing)."
    assert entries[3].title == "Not paid: no answer from the phone."
    assert "watched 24 h" in entries[3].meaning
    assert WANJIRU not in entries[4].words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (89, "89 seconds"),
        (120, "2 minutes"),
        (3600, "1 hour"),
        (86_400, "1 day"),
    ],
)
def test_spans_are_said_as_people_say_them(seconds: int, said: str) -> None:
    assert words.span(timedelta(seconds=seconds)) == said


def test_numbers_take_the_word_that_belongs_to_them() -> None:
    assert [words.counted(number, "payment") for number in (0, 1, 2000)] == [
        "0 payments", "1 payment", "2,000 payments",
    ]  # fmt: skip
    assert [words.counted(number, "mix", "mixes") for number in (1, 3)] == ["1 mix", "3 mixes"]
    assert words.lowered("No answer from the phone") == "no answer from the phone"
    assert words.lowered("PIN locked") == "PIN locked"
