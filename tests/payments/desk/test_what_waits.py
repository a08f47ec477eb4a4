"""What waits for a second person is shown wherever one looks for its money."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from payments import manual
from payments.models import HandSettlement, Receipt, Statement
from tests.support.payments.clock import Clock
from tests.support.payments.desk import at_desk
from tests.support.payments.ordering import place
from tests.support.payments.stating import row, state

REASON = "The portal shows another amount."


@pytest.fixture(autouse=True)
def _nobody_alone(db: None, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 0


@pytest.fixture
def desk(db: None) -> Client:
    return at_desk("supervisor", "reader")


def page(desk: Client, of: Any) -> str:
    answer = desk.get(f"/admin/{of._meta.app_label}/{of._meta.model_name}/{of.pk}/change/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_statement_that_is_to_be_void_says_so(desk: Client, clock: Clock) -> None:
    state([row("UKN8AB12CD", clock(), 900, "?")], clock)
    stated = Statement.objects.get()
    assert REASON not in page(desk, stated)
    waits = manual.void_statement(stated.pk, reason=REASON, by="akinyi", now=clock()).decision
    assert waits.decision == HandSettlement.Decision.WAITING
    assert REASON in page(desk, stated)


def test_money_of_an_order_that_is_to_be_sent_back_says_so_there(
    desk: Client, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 5000
    order = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 2500, order.code)], clock)
    of = Receipt.objects.get(code="UKN8AB12CD")
    assert of.due_cents == 150_000
    settings.SETTLED_ALONE_UP_TO_KES = 0
    manual.refund_receipt(
        of.pk, reference="UKP7RF00AB", amount_kes=1000, reason="Came too much", by="akinyi", now=clock()
    )
    assert "Came too much" in page(desk, order)
    assert "Came too much" in page(desk, of)


def test_money_that_only_a_file_tells_of_is_to_be_believed_and_not_placed(desk: Client, clock: Clock) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), order.total_kes, order.code)], clock)
    of = Receipt.objects.get(code="UKN8AB12CD")
    told = page(desk, of)
    assert "Only a statement&#x27;s file says that this money came." in told
    listed = desk.get("/admin/payments/receipt/").content.decode()
    assert "To be believed" in listed
    stated = Statement.objects.get()
    seen = manual.what_waits(stated).seen
    manual.believe(stated.pk, seen=seen, by="otieno", now=clock() + timedelta(minutes=1))
    assert "To be believed" not in page(desk, of)
