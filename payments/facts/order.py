"""What is true of an order as far as its payment goes. What it holds and how it is shown is the orders app's."""

from typing import Protocol

from django.db.models import F, Q

from orders.models import Order


class Payable(Protocol):
    @property
    def state(self) -> str: ...


def order_is_paid(order: Payable) -> bool:
    return order.state == Order.State.PAID


ORDER_IS_PAID = Q(state=str(Order.State.PAID))


def order_is_over(order: Payable) -> bool:
    """It was paid, and all of it went back: nothing is asked for it, and money that names it is nobody's yet."""
    return order.state == Order.State.REFUNDED


ORDER_IS_OVER = Q(state=str(Order.State.REFUNDED))


class PartPaid(Payable, Protocol):
    """`received_cents`, `returned_cents`: what came for it, and went back."""

    @property
    def received_cents(self) -> int: ...
    @property
    def returned_cents(self) -> int: ...


def is_part_paid(order: PartPaid) -> bool:
    """Some of its money is here, and not all."""
    return order.state == Order.State.OPEN and order.received_cents > order.returned_cents


IS_PART_PAID = Q(state=str(Order.State.OPEN), received_cents__gt=F("returned_cents"))
