"""The payments of the desk: who may do what, what is offered when, and how things are found."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from payments import enquiries, gateway, manual
from payments.enquiries import Outcome
from payments.models import HandSettlement, MpesaTransaction, PaymentEvent
from tests.support.payments.clock import Clock
from tests.support.payments.desk import PAYMENTS, ROLES, at_desk, words_of
from tests.support.payments.fake_daraja import FakeDaraja, not_paid_answer, paid_answer, processing_answer
from tests.support.payments.paying import called_back, pay
from tests.support.payments.settling import SMS

Click = Callable[..., MpesaTransaction]

SETTLE = {
    "receipt": "UKN4AB12CD", "amount_kes": "1500", "evidence": "sms", "reason": "The customer read it to me.",
}  # fmt: skip
REFUND = {"reference": "UKP7RF00AA", "amount_kes": "1500", "reason": "Bought twice"}


@pytest.fixture
def stuck(click: Click, clock: Clock) -> MpesaTransaction:
    """Asked ten minutes ago by the wall clock, which the desk goes by; nothing came."""
    clock.now = timezone.now() - timedelta(minutes=10)
    return click()


@pytest.fixture
def paid(click: Click, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    return pay(click, safaricom, clock)


# --- role × action × (allowed, hidden, refused by direct POST) -------------------------------------------

MAY: dict[str, set[str]] = {
    "ask": {"cashier", "supervisor"},
    "note": {"cashier", "supervisor"},
    "looked-at": {"cashier", "supervisor"},
    "settle": {"supervisor"},
    "refund": {"supervisor"},
}
TOLD: dict[str, dict[str, str]] = {
    "ask": {}, "note": {"text": "She will send the message."}, "looked-at": {}, "settle": SETTLE, "refund": REFUND,
}  # fmt: skip
ON_PAID = ("looked-at", "refund")


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
@pytest.mark.parametrize("action", MAY)
def test_each_role_does_what_it_may_and_nothing_else(
    role: str, action: str, request: pytest.FixtureRequest, db: None
) -> None:
    attempt = request.getfixturevalue("paid" if action in ON_PAID else "stuck")
    client, address = at_desk(role), f"{PAYMENTS}{attempt.pk}/"
    before = PaymentEvent.objects.count()
    shown = client.get(f"{address}change/")
    answer = client.post(f"{address}{action}/", TOLD[action])
    if role in MAY[action]:
        assert f'data-action="{action}"' in words_of(shown)
        assert answer.status_code == 302
        assert PaymentEvent.objects.count() > before
        assert PaymentEvent.objects.filter(source="staff", facts__by=role).exists()
    else:
        assert shown.status_code == (403 if role == "nobody" else 200)
        assert f'data-action="{action}"' not in words_of(shown)
        assert answer.status_code == 403
        assert PaymentEvent.objects.count() == before


def test_a_stranger_is_asked_to_log_in(stuck: MpesaTransaction) -> None:
    for action in MAY:
        answer = Client().post(f"{PAYMENTS}{stuck.pk}/{action}/", TOLD[action])
        assert answer.status_code == 302
        assert "/login/" in answer.headers["Location"]


@pytest.mark.parametrize("action", ["ask", "looked-at"])
def test_a_button_does_nothing_by_get(action: str, stuck: MpesaTransaction) -> None:
    before = PaymentEvent.objects.count()
    answer = at_desk("supervisor").get(f"{PAYMENTS}{stuck.pk}/{action}/")
    assert answer.headers["Location"] == f"{PAYMENTS}{stuck.pk}/change/"
    assert PaymentEvent.objects.count() == before


def test_no_action_goes_without_the_forms_own_token(stuck: MpesaTransaction) -> None:
    client = at_desk("supervisor")
    client.handler.enforce_csrf_checks = True
    assert client.post(f"{PAYMENTS}{stuck.pk}/ask/").status_code == 403


# --- what is offered, and refused all the same -----------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "offered"), [("stuck", {"ask", "settle", "note"}), ("paid", {"looked-at", "refund", "note"})]
)
def test_only_what_makes_sense_is_offered(
    state: str, offered: set[str], request: pytest.FixtureRequest, db: None
) -> None:
    attempt = request.getfixturevalue(state)
    page = words_of(at_desk("supervisor").get(f"{PAYMENTS}{attempt.pk}/change/"))
    assert {action for action in MAY if f'data-action="{action}"' in page} == offered


@pytest.mark.parametrize(("action", "words"), [("ask", "It is paid"), ("settle", "nothing to settle")])
def test_what_makes_no_sense_is_refused_in_words(action: str, words: str, paid: MpesaTransaction) -> None:
    client, before = at_desk("supervisor"), PaymentEvent.objects.count()
    answer = client.post(f"{PAYMENTS}{paid.pk}/{action}/", TOLD[action], follow=True)
    assert words in words_of(answer)
    assert PaymentEvent.objects.count() == before


def test_asking_shows_what_safaricom_says(stuck: MpesaTransaction, safaricom: FakeDaraja) -> None:
    safaricom.query_answer = paid_answer()
    page = words_of(at_desk("cashier").post(f"{PAYMENTS}{stuck.pk}/ask/", follow=True))
    assert "Safaricom says: paid." in page
    assert "Asked Safaricom by hand: paid." in page


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("receipt", "Without one a payment is not settled"),
        ("evidence", "Choose where you saw"),
        ("reason", "Give the reason"),
        ("amount_kes", "This field is required"),
    ],
)
def test_settling_without_evidence_is_refused(missing: str, words: str, stuck: MpesaTransaction) -> None:
    told = {**SETTLE, missing: ""}
    answer = at_desk("supervisor").post(f"{PAYMENTS}{stuck.pk}/settle/", told)
    assert answer.status_code == 400
    assert words in words_of(answer)
    assert HandSettlement.objects.count() == 0


def test_what_the_service_refuses_stands_on_the_form_with_what_was_typed(stuck: MpesaTransaction) -> None:
    answer = at_desk("supervisor").post(f"{PAYMENTS}{stuck.pk}/settle/", {**SETTLE, "amount_kes": "1400"})
    assert "the evidence says KES 1,400" in words_of(answer)
    assert "The customer read it to me." in words_of(answer)


def test_a_settlement_above_the_limit_is_confirmed_by_somebody_else(click: Click, clock: Clock) -> None:
    clock.now = timezone.now() - timedelta(minutes=10)
    attempt = click(amount=12_000)
    akinyi, kraph = at_desk("supervisor", "akinyi"), at_desk("supervisor", "kraph")
    page = akinyi.post(f"{PAYMENTS}{attempt.pk}/settle/", {**SETTLE, "amount_kes": "12000"}, follow=True)
    assert "a second one must confirm it" in words_of(page)
    assert "You proposed it" in words_of(page)
    decide = f"{PAYMENTS}{attempt.pk}/settlement/{HandSettlement.objects.get().pk}/"
    assert "somebody else" in words_of(page)
    assert "A second person must confirm" in words_of(akinyi.post(f"{decide}confirm/", follow=True))
    assert at_desk("cashier").post(f"{decide}confirm/").status_code == 403
    assert "the payment is settled" not in words_of(kraph.get(f"{decide}confirm/", follow=True))
    assert "the payment is settled" in words_of(kraph.post(f"{decide}confirm/", follow=True))
    attempt.refresh_from_db()
    assert attempt.pays_order


def test_declining_wants_a_reason(click: Click, clock: Clock) -> None:
    clock.now = timezone.now() - timedelta(minutes=10)
    attempt = click(amount=12_000)
    from dataclasses import replace

    waiting = manual.propose_settlement(
        attempt.pk, replace(SMS, amount_kes=12_000), by="akinyi", now=timezone.now()
    )
    kraph, decide = at_desk("supervisor", "kraph"), f"{PAYMENTS}{attempt.pk}/settlement/{waiting.pk}/decline/"
    assert "why it is declined" in words_of(kraph.post(decide, {"why": ""}, follow=True))
    assert "nothing was done" in words_of(kraph.post(decide, {"why": "It is forged."}, follow=True))
    waiting.refresh_from_db()
    assert waiting.decision == HandSettlement.Decision.DECLINED


@pytest.mark.parametrize("path", ["999999/change/", "x/change/", "9" * 30 + "/ask/", "1 OR 1/settle/"])
def test_a_payment_that_is_not_there_is_not_found(path: str, db: None) -> None:
    client = at_desk("supervisor")
    answer = client.post(PAYMENTS + path) if "change" not in path else client.get(PAYMENTS + path)
    assert answer.status_code == 404


# --- asking about many -----------------------------------------------------------------------------------


def test_the_chosen_are_asked_about_one_by_one_within_the_budget(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 60_000
    clock.now = timezone.now() - timedelta(minutes=10)
    chosen = [click(msisdn=f"25471234560{n}", reference=f"C{n}").pk for n in range(3)]
    safaricom.query_answer = paid_answer()
    cashier = at_desk("cashier")
    told = {"action": "ask_selected", "_selected_action": chosen}
    page = cashier.post(PAYMENTS, told, follow=True)
    assert "data-steps" in words_of(page)
    step, cursor, lines = f"{PAYMENTS}asking/step/?ids={','.join(map(str, chosen))}", "0@0", []
    for _ in range(10):
        answer = cashier.post(step, {"cursor": cursor}).json()
        lines += [answer["line"]["text"]] if "line" in answer else []
        cursor = answer["cursor"]
        if answer["finished"]:
            break
    assert len(safaricom.queries) == 3
    assert [line.split(": ", 1)[1] for line in lines] == ["Safaricom says: paid."] * 3
    assert PaymentEvent.objects.filter(kind="staff_asked", facts__by="cashier").count() == 3


def test_without_a_turn_the_step_says_how_long_to_wait(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 5
    clock.now = timezone.now() - timedelta(minutes=10)
    chosen = [click(msisdn=f"25471234560{n}", reference=f"C{n}").pk for n in range(2)]
    cashier, step = at_desk("cashier"), f"{PAYMENTS}asking/step/?ids={chosen[0]},{chosen[1]}"
    assert cashier.post(step, {"cursor": "0@0"}).json()["cursor"] == "1@0"
    waits = cashier.post(step, {"cursor": "1@0"}).json()
    assert waits["cursor"].startswith("1@")
    assert 1 <= waits["wait_seconds"] <= 15
    assert len(safaricom.queries) == 1


@pytest.mark.parametrize("answer", ["paid", "not_paid", "again_not_paid", "processing"])
def test_what_the_worker_hears_for_those_who_wait_is_their_answer_however_late_they_come_for_a_turn(
    answer: str, click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any, monkeypatch: Any
) -> None:
    """The worker takes each turn as it comes free: who asks once a second never meets a free one."""
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 5
    monkeypatch.setattr(gateway, "now", clock)
    other, stuck = (click(msisdn=f"25471234560{n}", reference=f"C{n}").pk for n in range(2))
    if answer == "again_not_paid":
        called_back(safaricom, clock, code=1032)
    clock.advance(minutes=10)
    cashier = at_desk("cashier")
    cashier.post(f"{PAYMENTS}asking/step/?ids={other}", {"cursor": "0@0"})
    waits = cashier.post(f"{PAYMENTS}{stuck}/ask/", follow=True)
    assert "data-steps" in words_of(waits)
    step = f"{PAYMENTS}asking/step/?ids={stuck}"
    waits = cashier.post(step, {"cursor": "0@0"}).json()
    assert not waits["finished"]
    clock.advance(seconds=12)
    safaricom.query_answer = {"paid": paid_answer, "processing": processing_answer}.get(
        answer, not_paid_answer
    )()
    assert enquiries.ask_next(clock=clock) is not Outcome.NOT_ASKED
    heard = cashier.post(step, {"cursor": waits["cursor"]}).json()
    if answer == "processing":
        assert not heard["finished"]
        assert len(safaricom.queries) == 2
        clock.advance(seconds=15)
        heard = cashier.post(step, {"cursor": heard["cursor"]}).json()
    assert heard["finished"]
    says = {"paid": "Safaricom says: paid.", "processing": "has no answer yet."}
    assert says.get(answer, "Safaricom says: not paid.") in words_of(cashier.get(heard["next"]))
    assert len(safaricom.queries) == 2
    assert PaymentEvent.objects.filter(kind="staff_asked", facts__by="cashier", attempt_id=stuck).count() == 1


@pytest.mark.parametrize("role", ["viewer", "auditor", "nobody"])
def test_who_may_not_ask_may_not_ask_about_many(
    role: str, stuck: MpesaTransaction, safaricom: FakeDaraja
) -> None:
    client = at_desk(role)
    assert client.post(f"{PAYMENTS}asking/step/?ids={stuck.pk}", {"cursor": "0@0"}).status_code == 403
    client.post(PAYMENTS, {"action": "ask_selected", "_selected_action": [stuck.pk]})
    assert safaricom.queries == []


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1", "1@", "@1", "9" * 20, f"1@{'9' * 20}"])
def test_a_step_with_a_broken_cursor_is_a_400_in_words(cursor: str, stuck: MpesaTransaction) -> None:
    answer = at_desk("cashier").post(f"{PAYMENTS}asking/step/?ids={stuck.pk},x,", {"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json()["message"] == "The page is out of date. Open it again."


# --- the list --------------------------------------------------------------------------------------------


def found(client: Client, **query: str) -> list[str]:
    answer = client.get(PAYMENTS, query)
    assert answer.status_code == 200
    return [attempt.account_reference for attempt in answer.context["cl"].result_list]


def test_the_list_is_filtered_by_what_needs_a_person(
    click: Click, safaricom: FakeDaraja, clock: Clock, paid: MpesaTransaction
) -> None:
    second = click(msisdn="254798765432", reference="CART2")
    called_back(safaricom, clock, code=1032)
    viewer = at_desk("viewer")
    assert found(viewer, needs="unpriced") == [paid.account_reference]
    assert found(viewer, needs="refund_due") == []
    assert found(viewer, state__exact="failed") == [second.account_reference]
    assert set(found(viewer, needs="nonsense")) == {paid.account_reference, second.account_reference}


def test_the_days_of_the_filter_are_nairobis_and_both_count(click: Click, clock: Clock) -> None:
    first = clock.now.replace(hour=20, minute=59)  # 23:59 in Nairobi
    clock.now = first
    late = click()
    clock.now = first + timedelta(minutes=2)
    next_day = click(msisdn="254798765432", reference="CART2")
    viewer = at_desk("viewer")
    one_day = {"created_at_from": "2026-11-23", "created_at_to": "2026-11-23"}
    assert found(viewer, **one_day) == [late.account_reference]
    assert found(viewer, created_at_from="2026-11-24") == [next_day.account_reference]
    assert len(found(viewer, created_at_from="soon", created_at_to="31-31")) == 2


def test_the_list_is_filtered_by_amount(click: Click, clock: Clock) -> None:
    small = click(amount=100)
    click(msisdn="254798765432", reference="CART2", amount=2000)
    assert found(at_desk("viewer"), amount_kes_from="50", amount_kes_to="500") == [small.account_reference]


@pytest.mark.parametrize("term", ["%", "'", "%00", "x" * 500, "0712", "٠٧١٢٣٤٥٦٧٨"])
def test_odd_searches_find_nothing_and_break_nothing(term: str, paid: MpesaTransaction) -> None:
    assert found(at_desk("viewer"), q=term) == []


def test_a_search_for_nul_is_no_error(paid: MpesaTransaction) -> None:
    assert at_desk("viewer").get(PAYMENTS, {"q": "\x00"}).status_code == 200


def _queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_the_lists_queries_do_not_grow_with_its_rows(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    viewer = at_desk("viewer")
    for n in range(3):
        pay(click, safaricom, clock, msisdn=f"2547123456{n:02}", reference=f"C{n}", receipt=f"UKN4AB12{n:02}")
    viewer.get(PAYMENTS)
    with_three = _queries(viewer, PAYMENTS)
    for n in range(3, 45):
        pay(click, safaricom, clock, msisdn=f"2547123456{n:02}", reference=f"C{n}", receipt=f"UKN4AB12{n:02}")
    assert _queries(viewer, PAYMENTS) == with_three <= 8


def test_a_pages_queries_do_not_grow_with_its_events(
    paid: MpesaTransaction, safaricom: FakeDaraja, clock: Clock
) -> None:
    supervisor, address = at_desk("supervisor"), f"{PAYMENTS}{paid.pk}/change/"
    supervisor.get(address)
    before = _queries(supervisor, address)
    for n in range(30):
        supervisor.post(f"{PAYMENTS}{paid.pk}/note/", {"text": f"Note number {n}"})
        called_back(safaricom, clock)
    supervisor.get(address)
    assert _queries(supervisor, address) == before <= 24
