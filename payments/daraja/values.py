"""Amounts, receipts and times as Safaricom writes them; None for whatever is none. Pure, nothing raises."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from .plain import as_text

NAIROBI = timezone(timedelta(hours=3), "EAT")  # no summer time since 1960
_ABSURD_AMOUNT = 10**9  # KES


def amount_of(value: object) -> Decimal | None:
    """Shillings as Decimal: `450`, `450.00` and "450.00" alike. None for what is no sane, unsigned amount."""
    text = f"{value:f}" if isinstance(value, Decimal) and abs(value.adjusted()) < 20 else as_text(value)
    if text is None or not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,6})?", text):
        return None
    amount = Decimal(text)
    return amount if amount < _ABSURD_AMOUNT else None


def receipt_of(value: object) -> str | None:
    """The receipt as given, 1 to 30 letters and digits; its form is never checked further (daraja.md, 4)."""
    text = value.strip() if isinstance(value, str) else ""
    return text if re.fullmatch(r"[A-Za-z0-9]{1,30}", text) else None


def moment_of(value: object) -> datetime | None:
    """`yyyyMMddHHmmss` as number or text, or "YYYY-MM-DD HH:MM:SS": Nairobi's clock."""
    digits = re.sub(r"[-: T]", "", as_text(value) or "")
    if not re.fullmatch(r"20[0-9]{12}", digits):
        return None
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=NAIROBI)
    except ValueError:
        return None
