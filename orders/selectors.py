"""Reads of the shop. Nothing here writes."""

from collections.abc import Iterable

from django.db.models import QuerySet

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


def order_by_code(code: str) -> Order | None:
    """An order by the code people read aloud: case and blanks don't matter."""
    spelt = code.strip().upper()
    return Order.objects.filter(code=spelt).first() if is_code(spelt) else None


def order_by_client_reference(reference: str) -> Order | None:
    """The unpriced order that the merchant's own page opened under this reference."""
    return Order.objects.filter(client_reference=reference).first() if reference else None


def items_of(order: Order) -> list[OrderItem]:
    return list(order.items.select_related("mix"))
