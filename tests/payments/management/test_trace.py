"""`manage.py trace`: everything about one order's money, whatever it is asked by."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orders.models import Order
from payments import ledger, manual
from payments.models import MpesaTransaction, Receipt
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import Click, paid_twice
from tests.support.payments.stating import charge, reversal, row, state


def trace(*asked: str) -> str:
    out = StringIO()
    call_command("trace", *asked, stdout=out)
    return out.getvalue()


@pytest.fixture
def second(click: Click, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    """An order of 1,500 paid twice, a part of the second money sent back."""
    attempt = paid_twice(click, safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKP7RF00AA", amount_kes=500, reason="Twice.", by="akinyi", now=clock()
    )
    attempt.refresh_from_db()
    return attempt


def test_an_orders_money_is_told_whole(second: MpesaTransaction) -> None:
    told = json.loads(trace(second.account_reference, "--json"))
    assert told["order"] == {
        "code": second.account_reference,
        "total_kes": 1500,
        "received_kes": 3000,
        "returned_kes": 1500,
        "to_pay_kes": 0,
        "state": "paid",
    }
    assert [attempt["receipt"] for attempt in told["attempts"]] == ["UKN4AB12CD", "UKN4AB12ZZ"]
    assert [(each["code"], each["amount_kes"], each["of"]) for each in told["receipts"]] == [
        ("UKN4AB12ZZ", 1500, second.account_reference),
        ("UKN4AB12CD", 1500, second.account_reference),
    ]
    assert [(each["code"], each["amount_kes"]) for each in told["postings"]] == [
        ("paid", 1500), ("paid", 1500), ("overpaid", 1500), ("refund_sent", 500),
    ]  # fmt: skip
    assert [(each["reference"], each["amount_kes"]) for each in told["refunds"]] == [("UKP7RF00AA", 500)]
    assert {"created", "accepted", "confirmed", "refund_recorded"} <= {
        each["kind"] for each in told["events"]
    }


def test_it_is_found_by_whatever_names_it(second: MpesaTransaction) -> None:
    names = (
        second.account_reference.lower(),
        "UKN4AB12ZZ",
        "ukn4ab12cd ",
        second.public_id,
        second.checkout_request_id or "",
        "CART1",
    )
    assert len({trace(name, "--json") for name in names}) == 1


# --- money beside requests ------------------------------------------------------------------------------


@pytest.fixture
def parts(clock: Clock, db: None) -> Order:
    """An order of 1,000, paid by 400 and 700 of a statement; the 400 reversed, 100 too much of the other."""
    order, at = place(clock), clock.advance(minutes=1)
    rows = [
        row("UKN8AB12CA", at, 400, order.code),
        row("UKN8AB12CB", at, 700, order.code),
        charge(at, "UKN8AB12CA"),
    ]
    state([*rows, reversal(at, "UKN8AB12CA", 400, receipt="UKN8RV12CA")], clock)
    return order


def test_parts_without_a_request_and_their_reversal_are_their_orders(parts: Order) -> None:
    told = json.loads(trace(parts.code, "--json"))
    assert (told["attempts"], told["events"]) == ([], [])
    assert (told["order"]["received_kes"], told["order"]["returned_kes"]) == (1100, 500)
    assert [(each["code"], each["kind"], each["amount_kes"], each["of"]) for each in told["receipts"]] == [
        ("UKN8AB12CA", "payment", 400, parts.code),
        ("UKN8AB12CB", "payment", 700, parts.code),
        ("UKN8RV12CA", "reversal", 400, parts.code),
    ]
    assert [(each["code"], each["receipt"], each["amount_kes"]) for each in told["postings"]] == [
        ("paid", "UKN8AB12CA", 400),
        ("paid", "UKN8AB12CB", 700),
        ("overpaid", "UKN8AB12CB", 100),
        ("reversed", "UKN8AB12CA", 400),
    ]


def test_an_order_is_found_by_a_parts_code_and_by_a_reversals(parts: Order) -> None:
    names = (parts.code, "UKN8AB12CA", "ukn8ab12cb", "UKN8RV12CA")
    assert len({trace(name, "--json") for name in names}) == 1


def test_an_order_is_found_by_its_refunds_reference(second: MpesaTransaction) -> None:
    told = json.loads(trace("ukp7rf00aa", "--json"))
    assert told["order"]["code"] == second.account_reference
    assert (told["refunds"][0]["receipt"], told["refunds"][0]["state"]) == ("UKN4AB12CD", "sent")


def test_a_receipt_that_is_no_orders_is_told_alone_until_it_is_claimed(clock: Clock, db: None) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 1500, "WANJIRU")], clock)
    told = json.loads(trace("UKN8AB12CD", "--json"))
    assert (told["order"], told["attempts"]) == (None, [])
    assert (told["receipts"][0]["of"], told["receipts"][0]["unclaimed_kes"]) == (None, 1500)
    assert [each["code"] for each in told["postings"]] == ["unclaimed"]
    assert trace("UKN8AB12CD").startswith("It is no order's.\n")
    receipt = Receipt.objects.get()
    ledger.claim(receipt.pk, order_id=order.pk, order_code=order.code, cents=100_000, now=clock())
    told = json.loads(trace("UKN8AB12CD", "--json"))
    assert (told["order"]["code"], told["receipts"][0]["unclaimed_kes"]) == (order.code, 500)


def test_people_read_it_too(second: MpesaTransaction) -> None:
    told = trace(second.account_reference)
    assert told.startswith(
        f"Order {second.account_reference}: paid, KES 1,500. Received KES 3,000, gave back KES 1,500, to pay KES 0.\n"
    )
    assert "debit order:" in told


@pytest.mark.parametrize("nonsense", ["", " ", "UKN0000000", "ws_CO_999", "\x00", "-1" * 200])
def test_what_nobody_knows_is_said_in_a_sentence(nonsense: str, db: None) -> None:
    with pytest.raises(CommandError, match="Nothing is known under"):
        call_command("trace", "--", nonsense)
