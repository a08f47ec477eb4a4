"""Reads of the shop. Nothing here writes."""

from collections.abc import Collection, Iterable

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


def has_other_price_now(item: OrderItem) -> bool:
    """Its mix costs something else today, or is no longer sold."""
    return item.price_kes != item.mix.price_kes or not item.mix.on_sale


def changed_items(order: Order) -> list[OrderItem]:
    """Those of its items that can't be had today at the order's price."""
    changed = ~Q(price_kes=F("mix__price_kes")) | Q(mix__on_sale=False)
    return list(order.items.filter(changed).select_related("mix"))
