"""`{{ amount|kes }}` and `{{ at|moment }}`: money and times as the desk says them (payments/desk/words.py)."""

from datetime import datetime
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
