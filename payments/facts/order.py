"""What is true of an order as far as its payment goes. What it holds and how it is shown is the orders app's."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from orders.models import Order
from payments.facts.asking import IS_LIVE, Watched, is_live, is_unasked, unasked_at
from payments.facts.money import AMOUNT_IN_DOUBT, Doubtful, amount_in_doubt


class Payable(Protocol):
    @property
    def state(self) -> str: ...


class Lasting(Protocol):
    """Sums in cents."""

    @property
    def state(self) -> str: ...
    @property
    def received_cents(self) -> int: ...
    @property
    def returned_cents(self) -> int: ...
    @property
    def created_at(self) -> datetime: ...


class Holding(Watched, Doubtful, Protocol):
    """An attempt, as far as its order must wait for it."""


def order_is_paid(order: Payable) -> bool:
    return order.state == Order.State.PAID


ORDER_IS_PAID = Q(state=str(Order.State.PAID))


def order_is_over(order: Payable) -> bool:
    """It was paid, and all of it went back: nothing is asked for it, and money that names it is nobody's yet."""
    return order.state == Order.State.REFUNDED


ORDER_IS_OVER = Q(state=str(Order.State.REFUNDED))


def is_part_paid(order: Lasting) -> bool:
    """Some of its money is here, and not all."""
    return order.state == Order.State.OPEN and order.received_cents > order.returned_cents


IS_PART_PAID = Q(state=str(Order.State.OPEN), received_cents__gt=F("returned_cents"))


def got_nothing(order: Lasting) -> bool:
    """It is open, and none of its buyer's money is here."""
    return order.state == Order.State.OPEN and order.received_cents <= order.returned_cents


GOT_NOTHING = Q(state=str(Order.State.OPEN), received_cents__lte=F("returned_cents"))


def keeps_order_open(attempt: Holding, *, now: datetime) -> bool:
    """Money may be on its way by this attempt, or is here and in doubt: until that is known its order doesn't end."""
    return is_live(attempt) or is_unasked(attempt, now=now) or amount_in_doubt(attempt)


def keeps_open_at(now: datetime) -> Q:
    return IS_LIVE | unasked_at(now) | AMOUNT_IN_DOUBT


def has_outlived(order: Lasting, *, life: timedelta, now: datetime) -> bool:
    """It got nothing in all its life. (It ends unless one of its attempts keeps it open.)"""
    return got_nothing(order) and order.created_at <= now - life


def outlived_at(now: datetime, *, life: timedelta) -> Q:
    return GOT_NOTHING & Q(created_at__lte=now - life)


def is_ended(order: Lasting, attempts: Iterable[Holding], *, life: timedelta, now: datetime) -> bool:
    """Too old to be asked for: nothing came for it in all its life, and by none of its attempts can any be on its way.

    A fact of the clock, not a state that somebody must write: it holds at the moment of asking, worker or none. Of
    money that moved at a time of its own (a statement's), `now` is that time.
    """
    return has_outlived(order, life=life, now=now) and not any(
        keeps_order_open(attempt, now=now) for attempt in attempts
    )


def ended_at(now: datetime, *, life: timedelta, attempts: QuerySet[Any]) -> Q:
    """The twin of is_ended, of orders. `attempts`: all there are."""
    keeping = attempts.filter(keeps_open_at(now), order_id=OuterRef("pk"))
    return outlived_at(now, life=life) & ~Q(Exists(keeping))
