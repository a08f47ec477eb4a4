"""The auditor's pages: the trail of every event, and the check of the whole ledger."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payments import ledger
from payments.ledger import verify
from payments.manual import actions
from payments.models import MpesaTransaction, PaymentEvent
from payments.states import State
from tests.support.payments.clock import Clock
from tests.support.payments.desk import ROLES, at_desk, words_of
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import pay

Click = Callable[..., MpesaTransaction]

TRAIL = "/admin/payments/paymentevent/"
CHECK = "/admin/ledger-check/"
STEP = "/admin/ledger-check/step/"
START = {"cursor": "0-0-0-0"}


@pytest.fixture
def paid(click: Click, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    return pay(click, safaricom, clock)


def to_the_end(client: Client) -> tuple[str, list[dict[str, str]]]:
    """Steps until it is finished: the verdict, and all lines."""
    told: dict[str, Any] = {"cursor": START["cursor"], "finished": False}
    lines: list[dict[str, str]] = []
    while not told["finished"]:
        answer = client.post(STEP, {"cursor": told["cursor"]})
        assert answer.status_code == 200
        told = answer.json()
        assert told["done"] <= told["total"]
        lines += told["lines"]
    return told["says"], lines


# --- who -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_only_an_auditor_sees_the_trail_and_checks_the_ledger(role: str, paid: MpesaTransaction) -> None:
    client, may = at_desk(role), role == "auditor"
    expected = 200 if may else 403
    asked = [client.get(TRAIL), client.get(CHECK), client.post(STEP, START)]
    assert [answer.status_code for answer in asked] == [expected] * 3
    home = words_of(client.get("/admin/"))
    assert [f'href="{page}"' in home for page in (TRAIL, CHECK)] == [may, may]


def test_a_stranger_is_asked_to_log_in() -> None:
    for page in (TRAIL, CHECK, STEP):
        assert "/login/" in Client().get(page).headers["Location"]


def test_nobody_changes_an_event(paid: MpesaTransaction, admin_client: Client) -> None:
    event = PaymentEvent.objects.latest("id")
    page = reverse("admin:payments_paymentevent_change", args=[event.pk])
    assert admin_client.post(page, {"kind": "note"}).status_code == 403
    assert admin_client.post(f"{TRAIL}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get(f"{TRAIL}add/").status_code == 403


def test_an_event_leads_to_its_payment(paid: MpesaTransaction) -> None:
    event, page = PaymentEvent.objects.latest("id"), f"{TRAIL}{{}}/change/"
    answer = at_desk("auditor").get(page.format(event.pk))
    assert answer.headers["Location"] == reverse(
        "admin:payments_mpesatransaction_change", args=[event.attempt_id]
    )
    assert at_desk("viewer").get(page.format(event.pk)).status_code == 403
    assert Client().get(page.format(event.pk)).headers["Location"].startswith("/admin/login/")
    assert at_desk("auditor", "second").get(page.format(10**9)).status_code == 404


# --- the trail -------------------------------------------------------------------------------------------


def test_the_trail_tells_who_did_what_newest_first(paid: MpesaTransaction, clock: Clock) -> None:
    actions.write_note(paid.pk, text="She called.", by="akinyi", now=clock())
    page = words_of(at_desk("auditor").get(TRAIL))
    assert page.index("She called.") < page.index("Safaricom took the request")
    assert "akinyi" in page
    assert paid.account_reference in page
    assert "2547••••" in page


def test_the_trail_is_filtered_by_person_kind_and_source_and_searched(
    paid: MpesaTransaction, clock: Clock
) -> None:
    actions.write_note(paid.pk, text="She called.", by="auditor", now=clock())
    client = at_desk("auditor")
    ledger.apply_change(
        paid.pk,
        lambda row: ledger.Change(kind=ledger.EventKind.AMOUNT_ACCEPTED, to=State(row.state)),
        source=PaymentEvent.Source.STAFF,
        facts={"reason": "Both saw it.", "by": "akinyi", "confirmed_by": "auditor"},
        now=clock(),
    )
    assert "Both saw it." in words_of(client.get(f"{TRAIL}?by=auditor"))
    for query in ("by=auditor", "kind=note", "source__exact=staff"):
        page = words_of(client.get(f"{TRAIL}?{query}"))
        assert "She called." in page, query
        assert "Safaricom took the request" not in page, query
    assert "She called." in words_of(client.get(f"{TRAIL}?q={paid.account_reference}"))
    assert "She called." not in words_of(client.get(f"{TRAIL}?q=DKNOTHERE1"))
    assert "She called." not in words_of(client.get(f"{TRAIL}?by=somebody"))


def test_the_trail_asks_the_database_no_more_when_it_is_longer(
    click: Click, clock: Clock, safaricom: FakeDaraja
) -> None:
    client, asked = at_desk("auditor"), []
    attempt = pay(click, safaricom, clock)
    for notes in (1, 40):
        for number in range(notes):
            actions.write_note(attempt.pk, text=f"Note {number}", by="akinyi", now=clock())
        client.get(TRAIL)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(TRAIL)
        asked.append(len(queries))
    assert asked[0] == asked[1]
    assert asked[0] <= 12


# --- the check -------------------------------------------------------------------------------------------


def test_a_whole_ledger_is_said_to_be_whole(
    click: Click, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    for number in range(5):
        click(f"25471234567{number}", reference=f"CART{number}")
    monkeypatch.setattr(verify, "BATCH", 2)
    says, lines = to_the_end(at_desk("auditor"))
    assert says.startswith("All 5 payments are whole")
    assert lines == []


def test_each_fault_is_told_with_a_link_to_its_payment(
    click: Click, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    touched = [click(f"25471234567{number}", reference=f"CART{number}") for number in range(3)]
    for attempt in touched[:2]:
        MpesaTransaction.objects.filter(pk=attempt.pk).update(receipt=f"UKN4AB12C{attempt.pk}")
    monkeypatch.setattr(verify, "BATCH", 2)
    says, lines = to_the_end(at_desk("auditor"))
    assert says.startswith("3 payments checked, 2 faults found.")
    assert [line["href"] for line in lines] == [
        reverse("admin:payments_mpesatransaction_change", args=[attempt.pk]) for attempt in touched[:2]
    ]
    assert all("its receipt is not the one its events name" in line["text"] for line in lines)


def test_a_payment_that_moves_while_it_is_checked_is_no_fault(
    paid: MpesaTransaction, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, moved = verify._events_of, []

    def moves(attempt_ids: list[int]) -> Any:
        if not moved:
            actions.write_note(paid.pk, text="Just now.", by="akinyi", now=clock())
            moved.append(1)
        return read(attempt_ids)

    monkeypatch.setattr(verify, "_events_of", moves)
    assert list(ledger.faults()) == []
    assert moved


def test_a_fault_of_an_order_leads_to_it(paid: MpesaTransaction) -> None:
    type(paid.order).objects.filter(pk=paid.order.pk).update(state="open", paid_at=None)
    _, lines = to_the_end(at_desk("auditor"))
    assert lines == [
        {
            "text": f"order {paid.order.code}: it is open, costs KES 1,500, got KES 1,500.00 and "
            "gave back KES 0.00, so it is paid",
            "href": f"/admin/orders/order/?q={paid.order.code}",
        }
    ]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "1-2", "0-1-2", "0--1-0-0", "4-0-0-0", "0-" + "9" * 40 + "-0-0", "0-1-0-0;", "0-١-0-0"],
)
def test_a_strange_cursor_is_refused_in_words(cursor: str, db: None) -> None:
    answer = at_desk("auditor").post(STEP, {"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json() == {"message": "The page is out of date. Open it again."}


def test_a_step_is_no_get(db: None) -> None:
    assert at_desk("auditor").get(STEP).status_code == 405
