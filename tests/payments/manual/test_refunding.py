"""Money that went back: in parts, never more than came, and an order that is free again once it is gone."""

import pytest

from orders.models import Order
from payments import ledger, manual
from payments.checkout import payment_status
from payments.desk.needs import count_payments_in_need
from payments.manual import ActionRefused
from payments.models import MpesaTransaction, Refund
from payments.states import Public, State
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click, called_back, paid_twice, pay
from tests.support.payments.paying import doubted as doubt


def refund(attempt: MpesaTransaction, amount: int, clock: Clock, reference: str = "UKP7RF00AA") -> None:
    manual.record_refund(
        attempt.pk, reference=reference, amount_kes=amount, reason="Too much came.", by="akinyi", now=clock()
    )
    attempt.refresh_from_db()


def test_a_refund_of_one_shilling_closes_no_debt_of_thousands(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Case 19: both prompts of an order of 5,000 are paid, and KES 1 of it is sent back."""
    second = paid_twice(click, safaricom, clock, amount=5000)
    refund(second, 1, clock)
    assert count_payments_in_need()["refund_due"] == 1
    with pytest.raises(ActionRefused, match="KES 1 of it was sent back already: KES 4,999 is left"):
        refund(second, 5000, clock, "UKP7RF00AB")
    refund(second, 4999, clock, "UKP7RF00AB")
    assert count_payments_in_need()["refund_due"] == 0
    assert (second.refunded_kes, Refund.objects.filter(attempt=second).count()) == (5000, 2)
    with pytest.raises(ActionRefused, match="recorded already"):
        refund(second, 1, clock, "UKP7RF00AC")
    assert list(ledger.faults()) == []


@pytest.mark.parametrize("parts", [[1500], [1, 1499], [500, 500, 500], [1499, 1]], ids=str)
def test_a_payment_is_refunded_once_all_of_it_went_back(
    parts: list[int], click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    second = paid_twice(click, safaricom, clock)
    for number, part in enumerate(parts):
        assert second.refunded_at is None
        refund(second, part, clock, f"UKP7RF00A{number}")
    assert second.refunded_at == clock()
    assert list(ledger.faults()) == []


def test_an_order_whose_wrong_amount_went_back_can_be_paid(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Case 20: 900 came for an order of 1,000, and were sent back."""
    wrong = doubt(click, safaricom, clock, asked=1000, named=900)
    refund(wrong, 900, clock)
    told = payment_status(wrong.public_id, now=clock())
    assert told is not None
    assert told.status == Public.FAILED
    assert told.message == "Your money was sent back to you, and the order is not paid. You can pay again."
    clock.advance(minutes=3)
    again = click(amount=1000)
    assert (again.pk != wrong.pk, again.order_id, again.state) == (True, wrong.order_id, State.PENDING)
    called_back(safaricom, clock, receipt="UKN4AB12ZZ", amount=1000)
    again.refresh_from_db()
    assert (again.pays_order, Order.objects.get().state) == (True, "paid")
    assert list(ledger.faults()) == []


def test_money_in_doubt_that_is_still_here_keeps_its_order_closed(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    doubt(click, safaricom, clock, asked=1000, named=900)
    clock.advance(minutes=3)
    with pytest.raises(Exception, match="Do not pay again"):
        click(amount=1000)


def test_the_buyer_whose_other_prompt_paid_is_told_so_although_this_money_went_back(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid = pay(click, safaricom, clock)
    refund(paid, 500, clock)
    told = payment_status(paid.public_id, now=clock())
    assert told is not None
    assert told.status == Public.COMPLETED  # a gift takes no mix away
