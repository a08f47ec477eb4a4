"""Money, times, numbers and phones in templates, as the desk says them (payments/desk/words.py), and the pieces that a
page is made of: `{{ amount|kes }}`, `{% fact "Receipt" receipt "code" %}`."""

from datetime import timedelta

from django import template
from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString

from payments import gateway
from payments.desk import addresses, words
from payments.desk.refunds.figures import badge as refunded
from payments.desk.reversals.figures import badge as ordered_back
from payments.models import Refund, Reversal

register = template.Library()

register.filter("kes", words.kes)
register.filter("kes_of", words.kes_of)
register.filter("moment", words.moment)


@register.filter
def seconds(length: float) -> str:
    """`9 seconds`, `4 minutes`."""
    return words.span(timedelta(seconds=round(length)))


@register.filter
def thousands(count: int | None) -> str:
    """`2,000`; nothing for none."""
    return "" if count is None else f"{count:,}"


@register.filter
def counted(number: int, noun: str) -> str:
    """`{{ days|counted:"day" }}`; `{{ mixes|counted:"mix,mixes" }}`."""
    return words.counted(number, *noun.split(","))


@register.filter
def noun(number: int, noun: str) -> str:
    return words.noun(number, *noun.split(","))


@register.filter
def phone(masked: str) -> SafeString:
    """A masked phone, never broken into lines."""
    return format_html('<span class="dk-code dk-phone">{}</span>', masked)


@register.filter
def page(row: Model) -> str:
    """The address of this row's page in the desk."""
    return addresses.page_of(row)


@register.simple_tag
def badge(text: str, tone: str = "") -> SafeString:
    kind = f"dk-badge dk-badge--{tone}" if tone else "dk-badge"
    return format_html('<span class="{}">{}</span>', kind, text)


@register.simple_tag
def how_far(refund: Refund) -> SafeString:
    """A refund's badge: sent, seen, or not seen for days."""
    return badge(*refunded(refund, now=gateway.now()))


@register.simple_tag
def how_far_back(row: Reversal) -> SafeString:
    """The badge of an order to send money back."""
    return badge(*ordered_back(row, now=gateway.now()))


@register.simple_tag
def fact(name: str, value: object, look: str = "", note: str = "") -> SafeString:
    """One of a list of facts; a dash where it is not known. `look`: money | sum | code | soft. `note` stands beside."""
    known = words.NONE if value in (None, "") else value
    strong = format_html("<strong>{}</strong>", known) if look == "sum" else known
    beside = format_html(' <span class="dk-soft">{}</span>', note) if note else ""
    looks = format_html(' class="dk-{}"', "money" if look == "sum" else look) if look else ""
    return format_html("<dt>{}</dt><dd{}>{}{}</dd>", name, looks, strong, beside)
