"""Links that open one mix of one order until a day. Every character of their addresses is signed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from orders.models import Order

ALL = ""  # in place of a mix's slug: all of them
DAY = 86_400  # seconds


@dataclass(frozen=True, kw_only=True)
class Link:
    """As an address has it."""

    code: str
    slug: str
    until: str
    signature: str


class Says(Enum):
    OPENS = "opens"
    OUT_OF_DATE = "out of date"
    IS_NOT_OURS = "is not ours"


def link_days() -> int:
    days: int = settings.DOWNLOAD_LINK_DAYS
    return days


def link_to(order: Order, slug: str, *, now: datetime) -> str:
    """The same all day, so that a download that was cut goes on from a page that was opened again."""
    until = _until(now)
    signature = _sign(order, slug, until)
    return reverse(
        "download", kwargs={"code": order.code, "until": until, "signature": signature, "slug": slug}
    )


def archive_link(order: Order, *, now: datetime) -> str:
    until = _until(now)
    return reverse(
        "archive", kwargs={"code": order.code, "until": until, "signature": _sign(order, ALL, until)}
    )


def what_it_says(link: Link, order: Order, *, now: datetime) -> Says:
    if not constant_time_compare(link.signature, _sign(order, link.slug, link.until)):
        return Says.IS_NOT_OURS
    return Says.OPENS if now.timestamp() < int(link.until) else Says.OUT_OF_DATE


def _until(now: datetime) -> str:
    """Seconds since 1970 in UTC, at the end of a day."""
    last = (now + timedelta(days=link_days())).astimezone(UTC)
    return str((int(last.timestamp()) // DAY + 1) * DAY)


def _sign(order: Order, slug: str, until: str) -> str:
    told = f"{order.code}/{order.token}/{order.link_round}/{slug}/{until}"
    return salted_hmac("orders.delivery", told, algorithm="sha256").hexdigest()[:40]
