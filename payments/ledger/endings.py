"""Which orders have ended unpaid: the fact (facts/order.py) asked of the rows as they are. Writes nothing."""

from datetime import datetime

from django.db.models import QuerySet

from orders.models import Order
from payments import gateway
from payments.facts import ended_at, has_outlived, keeps_open_at
from payments.models import MpesaTransaction


def is_kept_open(order_id: int, *, now: datetime) -> bool:
    """Money may be on its way by an attempt of this order, or is here and in doubt."""
    return MpesaTransaction.objects.filter(keeps_open_at(now), order_id=order_id).exists()


def has_ended(order: Order, *, now: datetime) -> bool:
    """facts.is_ended, asking the database only for orders old enough."""
    return has_outlived(order, life=gateway.order_life(), now=now) and not is_kept_open(order.id, now=now)


def ended_orders(*, now: datetime) -> QuerySet[Order]:
    every = MpesaTransaction.objects.all()
    return Order.objects.filter(ended_at(now, life=gateway.order_life(), attempts=every))
