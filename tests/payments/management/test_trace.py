"""`manage.py trace`: everything about one order's money, whatever it is asked by."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from payments import manual
from payments.models import MpesaTransaction
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click, paid_twice


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
