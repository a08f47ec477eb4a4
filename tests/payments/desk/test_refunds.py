"""A refund from recorded to seen on the statement, or not seen for days."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from payments import manual
from payments.desk.refunds import figures
from payments.facts import refund_is_unseen, refund_unseen_at
from payments.models import MpesaTransaction, Refund
from tests.support.payments.clock import Clock
from tests.support.payments.desk import at_desk, logged_in, staff_member
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import paid_twice
from tests.support.payments.stating import state, withdrawal

REFUNDS = "/admin/payments/refund/"
Click = Callable[..., MpesaTransaction]


@pytest.fixture
def sent(click: Click, safaricom: FakeDaraja, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Refund:
    """Wanjiru paid twice, and akinyi sent KES 1,500 back."""
    monkeypatch.setattr(timezone, "now", clock)
    spare = paid_twice(click, safaricom, clock)
    manual.record_refund(
        spare.pk, reference="UKP7RF00AA", amount_kes=1500, reason="Paid twice.", by="akinyi", now=clock()
    )
    return Refund.objects.get()


def page(refund: Refund) -> str:
    answer = at_desk("viewer").get(f"{REFUNDS}{refund.pk}/change/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_one_that_was_recorded_waits_to_be_seen(sent: Refund, clock: Clock) -> None:
    told = figures.sentence(sent, now=clock())
    assert told.startswith(
        "akinyi noted on 23 Nov 2026, 18:04:09 that KES 1,500 of receipt UKN4AB12CD for order"
    )
    assert told.endswith("reference UKP7RF00AA. No statement has shown it leave yet.")
    shown = page(sent)
    assert "Sent, not seen yet" in shown
    assert "Paid twice." in shown


def test_one_that_no_statement_shows_for_three_days_needs_a_person(sent: Refund, clock: Clock) -> None:
    clock.advance(days=3, seconds=1)
    shown = page(sent)
    for words in (
        "Not seen for 3 days",
        "It should stand on a statement by now.",
        "Upload the M-PESA statement",
    ):
        assert words in shown, words


def test_one_that_left_says_when(sent: Refund, clock: Clock) -> None:
    state([withdrawal(clock.advance(hours=1), 1500, "UKP7RF00AA")], clock)
    sent.refresh_from_db()
    assert sent.state == Refund.State.SEEN
    clock.advance(days=9)
    assert figures.sentence(sent, now=clock()).endswith(
        "The M-PESA statement shows that it left on 23 Nov 2026, 19:04:09."
    )
    shown = page(sent)
    assert "Seen on the statement" in shown
    assert "november.csv" in shown


def test_the_list_finds_those_that_nobody_has_seen(sent: Refund, clock: Clock) -> None:
    reader = staff_member("viewer")

    def listed(**query: str) -> int:
        answer = logged_in(reader).get(REFUNDS, query)
        assert answer.status_code == 200
        return len(answer.context_data["cl"].result_list)

    assert (listed(), listed(needs="unseen")) == (1, 0)
    clock.advance(days=4)
    assert listed(needs="unseen") == 1
    assert "Not seen for 4 days" in logged_in(reader).get(REFUNDS).content.decode()
    for term in ("ukp7rf00aa", "UKN4AB12CD", "0712345678"):
        assert listed(q=term) == 1
    assert listed(q="UKN0000000") == 0


@pytest.mark.parametrize("state_of", list(Refund.State))
@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_the_row_and_the_query_agree_on_what_is_unseen(
    state_of: str, seconds: int, sent: Refund, clock: Clock
) -> None:
    Refund.objects.update(state=state_of)
    sent.refresh_from_db()
    now = sent.recorded_at + timedelta(days=3, seconds=seconds)
    assert refund_is_unseen(sent, now=now) is Refund.objects.filter(refund_unseen_at(now)).exists()
