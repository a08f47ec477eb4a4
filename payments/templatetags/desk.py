"""Money and times in templates, as the desk says them (payments/desk/words.py): `{{ amount|kes }}`."""

from datetime import datetime, timedelta
from decimal import Decimal

from django import template

from payments.desk import words

register = template.Library()


@register.filter
def kes(amount: int | Decimal | None) -> str:
    """`KES 1,500`; `KES 30.50` where a statement has cents; a dash for none."""
    if amount is None:
        return "—"
    whole = int(amount)
    return words.kes(whole) if whole == amount else f"KES {amount:,.2f}"


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
