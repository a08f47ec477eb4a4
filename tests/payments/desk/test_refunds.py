"""A refund from recorded to seen on the statement, or not seen for days."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from payments import manual
from payments.desk.refunds import figures
from payments.facts import refund_is_unseen, refund_unseen_at
from payments.models import HandSettlement, MpesaTransaction, Receipt, Refund
from tests.support.payments.clock import Clock
from tests.support.payments.desk import at_desk, logged_in, staff_member, words_of
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import paid_twice
from tests.support.payments.stating import row, state, withdrawal

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


# --- money that came beside any request ------------------------------------------------------------------


def nobodys(clock: Clock) -> Receipt:
    state([row("UKN8AB12CD", clock(), 2500, "WHOEVER")], clock)
    return Receipt.objects.get(code="UKN8AB12CD")


def address(of: Receipt | Refund, action: str = "change") -> str:
    return f"/admin/payments/{of._meta.model_name}/{of.pk}/{action}/"


FORM = {"reference": " ukp7rf00ab ", "amount_kes": "1000", "reason": "She asked for it back."}


def test_a_refund_of_it_is_recorded_on_its_receipt_and_taken_back_on_its_own_page(
    clock: Clock, db: None
) -> None:
    receipt, supervisor = nobodys(clock), at_desk("supervisor", "akinyi")
    shown = words_of(supervisor.get(address(receipt)))
    assert "Record a refund …" in shown
    form = words_of(supervisor.get(address(receipt, "refund")))
    assert "First send the money back in the M-PESA portal." in form
    told = words_of(supervisor.post(address(receipt, "refund"), FORM, follow=True))
    assert "The refund is recorded." in told
    refund = Refund.objects.get()
    assert (refund.reference, refund.amount_cents, refund.attempt_id) == ("UKP7RF00AB", 100_000, None)
    assert "Refund never left …" in words_of(supervisor.get(address(refund)))
    why = {"reason": "The portal says that it failed."}
    told = words_of(supervisor.post(address(refund, "undo"), why, follow=True))
    for words in ("UKP7RF00AB is taken back", "Taken back: it never left.", why["reason"]):
        assert words in told, words
    assert "Refund never left …" not in told
    receipt.refresh_from_db()
    assert receipt.unclaimed_cents == 250_000


def test_more_than_is_left_is_refused_in_words(clock: Clock, db: None) -> None:
    receipt = nobodys(clock)
    answer = at_desk("supervisor").post(address(receipt, "refund"), {**FORM, "amount_kes": "2501"})
    assert answer.status_code == 400
    assert "KES 2,500.00 of this receipt is left to send back." in words_of(answer)
    assert not Refund.objects.exists()


def test_above_the_limit_both_wait_where_they_are_looked_for(clock: Clock, settings: Any, db: None) -> None:
    receipt = nobodys(clock)
    supervisor, other = at_desk("supervisor", "akinyi"), at_desk("supervisor", "barasa")
    settings.SETTLED_ALONE_UP_TO_KES = 0
    told = words_of(supervisor.post(address(receipt, "refund"), FORM, follow=True))
    assert "a second one must confirm it" in told
    assert "akinyi says: KES 1,000 of receipt UKN8AB12CD were sent back with reference UKP7RF00AB." in told
    waiting = HandSettlement.objects.get()
    other.post(f"/admin/payments/handsettlement/{waiting.pk}/decide/confirm/")
    refund = Refund.objects.get()
    supervisor.post(address(refund, "undo"), {"reason": "The portal says that it failed."})
    for page in (address(receipt), address(refund)):
        assert "the refund UKP7RF00AB of KES 1,000 never left." in words_of(other.get(page))
    assert "Refund never left …" not in words_of(other.get(address(refund)))


def test_one_of_a_payment_is_taken_back_there_too(sent: Refund) -> None:
    why = {"reason": "The portal says that it failed."}
    at_desk("supervisor").post(address(sent, "undo"), why)
    sent.refresh_from_db()
    assert sent.state == Refund.State.FAILED


def test_one_that_was_seen_is_not_taken_back(sent: Refund, clock: Clock) -> None:
    state([withdrawal(clock.advance(hours=1), 1500, "UKP7RF00AA")], clock)
    supervisor = at_desk("supervisor")
    assert "Refund never left …" not in words_of(supervisor.get(address(sent)))
    told = words_of(supervisor.get(address(sent, "undo"), follow=True))
    assert "The M-PESA statement shows that it left" in told


@pytest.mark.parametrize("role", ["viewer", "cashier", "auditor"])
def test_who_may_not_is_offered_neither(role: str, clock: Clock, sent: Refund) -> None:
    receipt, client = nobodys(clock), at_desk(role)
    for page, label in ((address(receipt), "Record a refund …"), (address(sent), "Refund never left …")):
        answer = client.get(page)
        assert answer.status_code == 200
        assert label not in words_of(answer)
    for page in (address(receipt, "refund"), address(sent, "undo")):
        assert client.get(page).status_code == 403
