"""What the desk says of a payment: every kind of event has words, and no raw code stands where words belong."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from orders.models import Order
from payments import enquiries, manual
from payments.desk import words
from payments.desk.payments import story, timeline
from payments.ledger import EventKind
from payments.manual import actions
from payments.models import MpesaTransaction, PaymentEvent
from tests.support.payments.clock import Clock
from tests.support.payments.desk import PAYMENTS, at_desk
from tests.support.payments.fake_daraja import WANJIRU, FakeDaraja, not_paid_answer, processing_answer
from tests.support.payments.ordering import place
from tests.support.payments.paying import called_back, paid_twice, pay
from tests.support.payments.settling import wrong_amount
from tests.support.payments.stating import reversal, row, row_of, state

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


def test_a_part_of_an_order_says_what_is_still_to_pay(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    order = place(clock)
    attempt = click(amount=1000, reference=order.code)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 400, order.code)], clock)
    called_back(safaricom, clock, amount=1000)
    assert told(attempt, clock).endswith(
        f"Order {order.code} is paid with it. KES 400 of it is more than the order costs and must be sent back."
    )
    assert story.advice_on_refund(attempt) == (
        "KES 1,000 came: KES 1,000 is left. KES 400 of that is due back to the buyer."
    )
    manual.record_refund(
        attempt.pk, reference="UKP1", amount_kes=150, reason="more", by="akinyi", now=clock()
    )
    assert told(attempt, clock).endswith(
        "KES 250 of it is more than the order costs and must be sent back. "
        "KES 150 was sent back, reference UKP1. KES 850 of it is left."
    )
    assert story.advice_on_refund(attempt) == (
        "KES 1,000 came, KES 150 of it went back: KES 850 is left. KES 250 of that is due back to the buyer."
    )
    form = at_desk("supervisor").get(f"{PAYMENTS}{attempt.pk}/refund/").content.decode()
    assert "KES 850 is left. KES 250 of that is due back to the buyer." in form


def test_money_that_pays_a_part_only_says_so(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = pay(click, safaricom, clock)
    Order.objects.filter(pk=attempt.order_id).update(total_kes=2000, state="open", paid_at=None)
    attempt = MpesaTransaction.objects.get(pk=attempt.pk)
    assert told(attempt, clock).endswith(
        f"It pays a part of order {attempt.account_reference}: KES 500 is still to pay."
    )


def test_money_that_safaricom_gave_back_is_no_refund_of_ours(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock)
    state([row_of(attempt), reversal(clock.advance(minutes=9), "UKN4AB12CD")], clock)
    assert told(attempt, clock).endswith(
        "all of that order's money went back. Safaricom gave KES 1,500 back to the buyer."
    )
    viewer = at_desk("viewer")
    for address in (PAYMENTS, f"{PAYMENTS}{attempt.pk}/change/"):
        assert "Paid, and sent back" in viewer.get(address).content.decode()


def test_a_gift_leaves_the_order_paid(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = pay(click, safaricom, clock)
    assert story.advice_on_refund(attempt).endswith(
        "Nothing of it is due back: the order keeps counting as paid until all of its money went back."
    )


def test_money_for_an_order_that_is_over_is_nobodys(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_twice(click, safaricom, clock)
    MpesaTransaction.objects.filter(pk=attempt.pk).update(unclaimed=True, refund_due=False, due_cents=0)
    nobodys = f"Order {attempt.account_reference} takes no more money, so it is nobody's yet."
    assert nobodys in told(attempt, clock)


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
