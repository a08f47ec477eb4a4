"""Reads of the shop. Nothing here writes."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import F, Q, QuerySet

from djkraph import sql
from orders.codes import is_code
from orders.models import Mix, Order, OrderItem


def mixes_on_sale() -> QuerySet[Mix]:
    return Mix.objects.filter(on_sale=True)


def mixes_in_cart(slugs: Iterable[str]) -> list[Mix]:
    """Those still sold, in the cart's order, each once."""
    wanted = [slug for slug in dict.fromkeys(slugs) if "\x00" not in slug]
    found = {mix.slug: mix for mix in mixes_on_sale().filter(slug__in=wanted)}
    return [found[slug] for slug in wanted if slug in found]


def order_by_token(token: str) -> Order | None:
    return None if "\x00" in token else Order.objects.filter(token=token).first()


def id_of_order(reference: str) -> int | None:
    """Which order this names: by the code people read aloud (case and blanks don't matter), or as the reference
    under which the merchant's own page opened an unpriced one."""
    spelt = reference.strip().upper()
    found = sql.select_id(Order, {"code": spelt}) if is_code(spelt) else None
    if found is None and reference:
        found = sql.select_id(Order, {"client_reference": reference})
    return found


def codes_known(codes: Collection[str]) -> set[str]:
    """Those that are an order's."""
    return set(Order.objects.filter(code__in=codes).values_list("code", flat=True)) if codes else set()


def items_of(order: Order) -> list[OrderItem]:
    return list(order.items.select_related("mix"))


def titles_of(order_ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """What each of these orders has in it: the titles by the ids of the mixes."""
    found: dict[int, dict[int, str]] = {order_id: {} for order_id in order_ids}
    items = OrderItem.objects.filter(order_id__in=list(found)).values_list("order_id", "mix_id", "title")
    for order_id, mix_id, title in items:
        found[order_id][mix_id] = title
    return found


def order_of_cart(token: str, *, slugs: Iterable[str], born_after: datetime) -> Order | None:
    """The open order that this browser placed for just these mixes, at today's prices: the same cart is one order.
    `born_after`: an older one has outlived itself, unless a part of it is paid."""
    order = order_by_token(token) if token else None
    if order is None or not order.is_priced or order.state != Order.State.OPEN:
        return None
    is_alive = order.created_at > born_after or order.received_cents > order.returned_cents
    items = items_of(order)
    is_same = {item.mix.slug for item in items} == set(slugs) and not any(map(has_other_price_now, items))
    return order if is_alive and is_same else None


def has_other_price_now(item: OrderItem) -> bool:
    """Its mix costs something else today, or is no longer sold."""
    return item.price_kes != item.mix.price_kes or not item.mix.on_sale


def changed_items(order: Order) -> list[OrderItem]:
    """Those of its items that can't be had today at the order's price."""
    changed = ~Q(price_kes=F("mix__price_kes")) | Q(mix__on_sale=False)
    return list(order.items.filter(changed).select_related("mix"))
