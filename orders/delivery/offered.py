"""What a paid order's buyer may download."""

from dataclasses import dataclass
from datetime import datetime

from orders.delivery.links import archive_link, link_to
from orders.models import Mix, Order, OrderItem


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One mix. `link` is None as long as its file is not there; `size`: bytes."""

    slug: str
    title: str
    link: str | None
    size: int
    sha256: str


def offered(order: Order, items: list[OrderItem], *, now: datetime) -> list[Offer]:
    """Nothing until it is paid, and nothing any more once all of it went back."""
    return [_offer(order, item, now) for item in items] if order.state == Order.State.PAID else []


def archive_of(order: Order, offers: list[Offer], *, now: datetime) -> str | None:
    """One link for all of them."""
    return archive_link(order, now=now) if any(each.link for each in offers) else None


def has_file(mix: Mix) -> bool:
    return bool(mix.audio)


def _offer(order: Order, item: OrderItem, now: datetime) -> Offer:
    mix = item.mix
    return Offer(
        slug=mix.slug,
        title=item.title,
        link=link_to(order, mix.slug, now=now) if has_file(mix) else None,
        size=mix.audio_bytes,
        sha256=mix.audio_sha256,
    )
