"""verify_ledger: clean where nothing was touched, and it finds every edit, insertion and deletion."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from orders.models import Mix, Order, OrderItem
from orders.services import place_order
from payments import ledger
from payments.ledger import Source, Update
from payments.models import MpesaTransaction, PaymentEvent
from payments.signing import key_id
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


def to_another_order(paid: MpesaTransaction) -> None:
    another = Order.objects.get(pk=paid.order_id)
    another.pk, another.code, another.token, another.client_reference = None, "DKANOTHER", "another", "CART9"
    another.save(force_insert=True)
    MpesaTransaction.objects.filter(pk=paid.pk).update(order=another, account_reference=another.code)


def phone_of(attempt: MpesaTransaction, phone_hash: str) -> None:
    MpesaTransaction.objects.filter(pk=attempt.pk).update(phone_hash=phone_hash)


FIRST_WORDS: dict[str, tuple[Callable[[MpesaTransaction], Any], str]] = {
    "its amount": (lambda paid: MpesaTransaction.objects.update(amount_kes=1), "it asks for KES 1, its first"),
    "its order": (to_another_order, "it is linked to order DKANOTHER, its first event says"),
    "its order's total": (lambda paid: Order.objects.update(total_kes=1), "its order costs KES 1, its first"),
    "amount and total": (
        lambda paid: (MpesaTransaction.objects.update(amount_kes=1), Order.objects.update(total_kes=1)),
        "its order costs KES 1, its first",
    ),
    "its short code": (lambda paid: MpesaTransaction.objects.update(short_code="1"), "asked for short code 1, its"),
    "its phone": (lambda paid: phone_of(paid, "a" * 64), "its phone is not the one"),
    "its phone gone, its salt kept": (lambda paid: phone_of(paid, ""), "its phone is not the one"),
    "its salt": (lambda paid: MpesaTransaction.objects.update(phone_salt="ab"), "its phone is not the one"),
    "its salt gone, its phone kept": (
        lambda paid: MpesaTransaction.objects.update(phone_salt=None),
        "its phone is not the one",
    ),
    "its phone joined to another's by hand": (
        lambda paid: MpesaTransaction.objects.update(
            phone_joined=f"{paid.phone_hash}:{key_id('tests-only-ledger-key')}:AAAAAAAAAAAAAAAA", phone_hash="a" * 64
        ),
        "its phone is not the one",
    ),
    "its phone joined by nobody": (
        lambda paid: MpesaTransaction.objects.update(phone_joined=paid.phone_hash, phone_hash="a" * 64),
        "its phone is not the one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", FIRST_WORDS)
def test_what_a_payment_was_begun_with_is_held_against_its_first_event(
    edit: str, paid: MpesaTransaction
) -> None:
    do, what = FIRST_WORDS[edit]
    do(paid)
    assert any(fault.startswith(f"{paid.public_id}: ") and what in fault for fault in found()), found()


def test_money_that_came_by_itself_is_bound_to_its_order_too(paid: MpesaTransaction, clock: Clock) -> None:
    money = ledger.ReceiptWithoutPrompt(
        order_id=paid.order_id, amount_kes=1500, payer_masked="—", channel="CustomerPayBillOnline",
        short_code="174379", account_reference=paid.account_reference, unpriced=True,
    )  # fmt: skip
    told = Update(event=Event.CONFIRMED, source=Source.STAFF, receipt="UKN4AB12ZZ")
    second = MpesaTransaction.objects.get(pk=ledger.insert_paid(money, told, now=clock()))
    first = second.events.get(number=1).facts
    assert (first["order"], first["order_total"], first["short_code"]) == (
        paid.account_reference,
        "1500",
        "174379",
    )
    assert found() == []


def test_when_personal_data_is_erased_the_history_stays_valid(paid: MpesaTransaction) -> None:
    MpesaTransaction.objects.update(phone_hash="", phone_salt=None, phone_joined=None)
    assert found() == []


def test_a_phone_that_was_joined_after_each_rotation_is_still_its_own(
    paid: MpesaTransaction, click: Click, clock: Clock, settings: Any
) -> None:
    at_first = paid.phone_hash
    for number in range(2):
        settings.LEDGER_KEY = [f"new {number}", *settings.LEDGER_KEY]
        clock.advance(minutes=3)
        click(reference=f"LATER{number}", amount=700 + number)
    paid.refresh_from_db()
    assert paid.phone_hash == MpesaTransaction.objects.latest("id").phone_hash != at_first
    assert found() == []
    MpesaTransaction.objects.filter(pk=paid.pk).update(phone_hash=at_first)
    assert f"{paid.public_id}: its phone is not the one that its first event is bound to" in found()


def test_an_order_costs_what_its_items_cost(db: None, clock: Clock) -> None:
    mix = Mix.objects.create(slug="sunset", title="Sunset", minutes=60, price_kes=1500)
    order = place_order(mix_slugs=[mix.slug], now=clock())
    assert found() == []
    Order.objects.update(total_kes=1)
    assert found() == [f"order {order.code}: it costs KES 1, its items KES 1,500"]
    Order.objects.update(total_kes=1500)
    OrderItem.objects.update(price_kes=1)
    assert found() == [f"order {order.code}: it costs KES 1,500, its items KES 1"]


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
