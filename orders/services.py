"""The only writers of orders. Views, admin and payments call these; nothing here knows how money arrives."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from django.db import IntegrityError, transaction

from djkraph import sql
from orders.codes import new_code, new_token
from orders.models import MAX_TOTAL_KES, Mix, Order, OrderItem

CODES_DRAWN = 5


class OrderRefused(ValueError):
    """The order can't be placed as asked; the message says why, in the buyer's words."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


def place_order(*, mix_slugs: Sequence[str], now: datetime, email: str = "") -> Order:
    """An order for these mixes at today's prices from the database. Raises OrderRefused."""
    slugs = list(dict.fromkeys(mix_slugs))
    mixes = {mix.slug: mix for mix in Mix.objects.filter(slug__in=slugs, on_sale=True)}
    missing = [slug for slug in slugs if slug not in mixes]
    if not slugs:
        raise OrderRefused("The cart is empty.", code="empty_cart")
    if missing:
        raise OrderRefused(f"No longer sold: {', '.join(missing)}. Take it out of the cart.", code="not_sold")
    total = sum(mixes[slug].price_kes for slug in slugs)
    if total > MAX_TOTAL_KES:
        raise OrderRefused(
            f"One payment can be at most KES {MAX_TOTAL_KES:,}. Please order in two parts.",
            code="total_too_high",
        )
    for _ in range(CODES_DRAWN):
        with suppress(IntegrityError), transaction.atomic(durable=True):  # the code was taken: draw another
            return _insert_with_items(total, [mixes[slug] for slug in slugs], email=email, now=now)
    raise RuntimeError("No free order code was found.")


def place_unpriced_order(*, client_reference: str, amount_kes: int, now: datetime) -> Order:
    """The order under a reference that the merchant's own page made, at its first use, in the caller's transaction.

    One reference is one order, for good: that is what keeps a repeated request from being a second purchase.
    Raises IntegrityError where it stands for one already (the caller's transaction is over then: decide anew).
    """
    return _insert(
        total_kes=amount_kes, is_priced=False, client_reference=client_reference, email="", now=now
    )


def lock_order(order_id: int) -> Order:
    """The order as it is now, held until the caller's transaction ends. (SQLite has one writer anyway.)"""
    return Order.objects.select_for_update(no_key=True).get(id=order_id)


def receive(order_id: int, *, cents: int, at: datetime) -> bool:
    """Money came for the order. True: it is paid with it. False: it was paid already (this money is one too many).

    Runs inside the ledger's transaction, so that the order is paid together with the payment or not at all.
    """
    came = {"received_cents": cents}
    paid = {"state": Order.State.PAID, "paid_at": at}
    if sql.update(Order, paid, where={"id": order_id, "state": Order.State.OPEN}, add=came):
        return True
    sql.update(Order, {}, where={"id": order_id}, add=came)
    return False


def give_back(order_id: int, *, cents: int) -> None:
    """Money of the order is to be sent back: it is no longer the order's. Inside the ledger's transaction."""
    sql.update(Order, {}, where={"id": order_id}, add={"returned_cents": cents})


def correct_received(order_id: int, *, cents: int) -> None:
    """Less (cents < 0) or more had come than was booked. Inside the ledger's transaction."""
    sql.update(Order, {}, where={"id": order_id}, add={"received_cents": cents})


def _insert_with_items(total_kes: int, mixes: list[Mix], *, email: str, now: datetime) -> Order:
    order = _insert(total_kes=total_kes, is_priced=True, client_reference=None, email=email, now=now)
    OrderItem.objects.bulk_create(
        OrderItem(order=order, mix=mix, title=mix.title, price_kes=mix.price_kes) for mix in mixes
    )
    return order


def _insert(
    *, total_kes: int, is_priced: bool, client_reference: str | None, email: str, now: datetime
) -> Order:
    """An order row under a fresh code. Raises IntegrityError where the code (one of 24**8) is taken."""
    values = {
        "code": new_code(),
        "token": new_token(),
        "client_reference": client_reference,
        "total_kes": total_kes,
        "is_priced": is_priced,
        "email": email,
        "created_at": now,
    }
    return Order(id=sql.insert(Order, values), **values)
