"""Money and times in templates, as the desk says them (payments/desk/words.py): `{{ amount|kes }}`."""

from datetime import datetime, timedelta
from decimal import Decimal

from django import template

from payments.desk import words

register = template.Library()


@register.filter
def kes(amount: int | Decimal | None) -> str:
    """As words.kes; a dash for none."""
    return "—" if amount is None else words.kes(amount)


@register.filter
def moment(at: datetime | None) -> str:
    return words.moment(at) if at else "—"


@register.filter
def seconds(length: float) -> str:
    """`9 seconds`, `4 minutes`."""
    return words.span(timedelta(seconds=round(length)))


@register.filter
def thousands(count: int) -> str:
    return f"{count:,}"
