"""What is true of an order as far as its payment goes. What it holds and how it is shown is the orders app's."""

from typing import Protocol

from django.db.models import Q

from orders.models import Order


class Payable(Protocol):
    """Whole shillings."""

    @property
    def state(self) -> str: ...
    @property
    def total_kes(self) -> int: ...


def order_is_paid(order: Payable) -> bool:
    return order.state == Order.State.PAID


ORDER_IS_PAID = Q(state=str(Order.State.PAID))


def to_pay_kes(order: Payable) -> int:
    """What is still to pay. Part payments can't be told apart yet: it is all or nothing."""
    return 0 if order_is_paid(order) else order.total_kes
