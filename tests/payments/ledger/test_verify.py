"""verify_ledger: clean where nothing was touched, and it finds every edit, insertion and deletion."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from orders.models import Order
from payments import ledger
from payments.ledger import Source, Update
from payments.models import MpesaTransaction, PaymentEvent
from payments.states import Event
from tests.support.payments.clock import Clock
from tests.support.tampering import tampering

Click = Callable[..., MpesaTransaction]


@pytest.fixture
def paid(click: Click, clock: Clock) -> MpesaTransaction:
    """A payment with four events: created, accepted, asked, confirmed."""
    attempt = click()
    ledger.note(attempt.id, "asked", source=Source.QUERY, now=clock(), facts={"code": "4999"})
    told = Update(event=Event.CONFIRMED, source=Source.CALLBACK, code="0", receipt="UKN4AB12CD")
    ledger.record(attempt.id, told, now=clock())
    return MpesaTransaction.objects.get(id=attempt.id)


def found() -> list[str]:
    return [str(fault) for fault in ledger.faults()]


def verify(exit_code: int) -> str:
    out = StringIO()
    if exit_code:
        with pytest.raises(SystemExit) as ended:
            call_command("verify_ledger", stdout=out)
        assert ended.value.code == exit_code
    else:
        call_command("verify_ledger", stdout=out)
    return out.getvalue()


def test_an_untouched_ledger_is_clean(paid: MpesaTransaction) -> None:
    assert verify(0) == (
        "1 payments checked: all is as their events say.\n"
        "Nothing is sealed yet: start the worker, or run seal_ledger.\n"
    )


def test_what_is_wrong_is_printed_and_the_exit_code_is_1(paid: MpesaTransaction) -> None:
    MpesaTransaction.objects.update(state="failed", pays_order=False)
    told = verify(1)
    assert f"{paid.public_id}: its state is failed, its events say completed" in told
    assert "Nothing was changed." in told


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_no_event_can_be_taken_out(number: int, paid: MpesaTransaction) -> None:
    with tampering():
        PaymentEvent.objects.filter(number=number).delete()
    assert found()


def test_the_tail_cannot_be_cut_even_with_the_count_mended(paid: MpesaTransaction) -> None:
    with tampering():
        PaymentEvent.objects.filter(number=4).delete()
    MpesaTransaction.objects.update(events_count=3)
    assert found()


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "edit",
    [
        {"facts": {"receipt": "FORGED0001"}}, {"kind": "declined"}, {"source": "staff"}, {"to_state": "failed"},
        {"from_state": "unknown"}, {"previous_hash": "ab"}, {"hash": "ab"}, {"key_id": "00000000"},
        {"at": "2026-01-01T00:00:00Z"},
    ],
    ids=lambda edit: next(iter(edit)),
)  # fmt: skip
def test_no_event_can_be_edited(edit: dict[str, Any], number: int, paid: MpesaTransaction) -> None:
    with tampering():
        PaymentEvent.objects.filter(number=number).update(**edit)
    assert found()


def test_no_event_can_be_slipped_in(paid: MpesaTransaction) -> None:
    last = PaymentEvent.objects.get(number=4)
    last.pk, last.number = None, 5
    last.save(force_insert=True)
    MpesaTransaction.objects.update(events_count=5)
    assert found()


@pytest.mark.parametrize(
    "edit",
    [
        {"state": "failed", "pays_order": False}, {"receipt": "FORGED0001"}, {"receipt": None},
        {"pays_order": False}, {"pays_order": False, "refund_due": True}, {"chain_head": "ab"}, {"events_count": 9},
    ],
    ids=str,
)  # fmt: skip
def test_a_payment_that_is_not_what_its_events_say_is_found(
    edit: dict[str, Any], paid: MpesaTransaction
) -> None:
    MpesaTransaction.objects.update(**edit)
    assert any(fault.startswith(paid.public_id) for fault in found())


def test_a_paid_order_has_got_what_it_costs(paid: MpesaTransaction, clock: Clock) -> None:
    Order.objects.update(state="open", paid_at=None)
    where = f"order {paid.order.code}"
    assert (
        f"{where}: it is open, costs KES 1,500, got KES 1,500.00 and gave back KES 0.00, so it is paid"
        in found()
    )
    Order.objects.update(state="paid", paid_at=clock())
    assert found() == []
    Order.objects.update(total_kes=1501)
    assert any("so it is open" in fault for fault in found())
    Order.objects.update(total_kes=1500)
    MpesaTransaction.objects.update(pays_order=False)
    assert any(fault.startswith(paid.public_id) for fault in found())


def test_it_verifies_while_a_key_is_rotated_and_not_after_the_old_one_is_gone(
    paid: MpesaTransaction, click: Click, settings: Any
) -> None:
    old = settings.LEDGER_KEY[0]
    settings.LEDGER_KEY = ["new", old]
    click(reference="CART2", amount=700)
    assert found() == []
    settings.LEDGER_KEY = ["new"]
    told = [fault for fault in found() if "LEDGER_KEY" in fault]
    assert len([fault for fault in told if ": event " in fault]) == 4
    assert len([fault for fault in told if ": posting " in fault]) == 1
