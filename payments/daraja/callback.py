"""Reading Daraja's callback: any bytes in, a StkCallback or CallbackUnreadable out. Pure.

A callback is unsigned: a claim, until its token, id and amount have been compared (daraja.md, 4).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from .plain import as_text, id_text, scrub
from .replies import member, read_json
from .results import Result, lookup

LARGEST_BODY = 64 * 1024  # bytes (or characters); a real one has about 700
NAIROBI = timezone(timedelta(hours=3), "EAT")  # no summer time since 1960
_ABSURD_AMOUNT = 10**9  # KES
_KEPT = ("Amount", "MpesaReceiptNumber", "TransactionDate")  # PhoneNumber and Balance are left where they are


class CallbackUnreadable(ValueError):
    """The body is not an STK callback. Its text is a sentence for staff and quotes nothing of the body."""


@dataclass(frozen=True, kw_only=True)
class StkCallback:
    """What a callback claims. `amount` in KES, `paid_at` aware (EAT); None: not said, or said unusably.

    `checkout_request_id` ends in the payer's number: personal, so not in the repr. No phone is kept.
    """

    merchant_request_id: str
    checkout_request_id: str = field(repr=False)
    code: str
    result: Result
    description: str
    amount: Decimal | None = None
    receipt: str | None = None
    paid_at: datetime | None = None

    @property
    def paid(self) -> bool:
        return self.result.paid


def read_callback(body: bytes | str) -> StkCallback:
    """The claim in `body`; raises CallbackUnreadable where there is none."""
    if len(body) > LARGEST_BODY:
        raise CallbackUnreadable("The body is too long for a callback.")
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    claim = member(read_json(text.removeprefix("\ufeff")), "Body", "stkCallback")
    if not isinstance(claim, Mapping):
        raise CallbackUnreadable("The body is not JSON with Body.stkCallback in it.")
    checkout_request_id = id_text(claim.get("CheckoutRequestID"))
    if checkout_request_id is None:
        raise CallbackUnreadable("The callback has no usable CheckoutRequestID.")
    if not as_text(claim.get("ResultCode")):
        raise CallbackUnreadable("The callback has no usable ResultCode.")
    result = lookup(claim.get("ResultCode"))
    items = _items(claim)
    return StkCallback(
        merchant_request_id=id_text(claim.get("MerchantRequestID")) or "",
        checkout_request_id=checkout_request_id,
        code=result.code,
        result=result,
        description=scrub(as_text(claim.get("ResultDesc")) or ""),
        amount=_amount(items.get("Amount")),
        receipt=_receipt(items.get("MpesaReceiptNumber")),
        paid_at=_moment(items.get("TransactionDate")),
    )


def _items(claim: Mapping[str, object]) -> dict[str, object]:
    """The metadata by Name, in whatever order it came. A Name said twice with two values says nothing."""
    found: dict[str, object] = {}
    for name, value in _named_values(member(claim, "CallbackMetadata", "Item")):
        if name in found and found[name] != value:
            value = None
        found[name] = value
    return found


def _named_values(items: object) -> Iterator[tuple[str, object]]:
    for item in items if isinstance(items, list) else [items]:
        name = member(item, "Name")
        if isinstance(name, str) and name in _KEPT:
            value = member(item, "Value")
            yield name, value if isinstance(value, str | int | Decimal) else None


def _amount(value: object) -> Decimal | None:
    """Shillings as Decimal: `450`, `450.00` and "450.00" alike. None for what is no sane, unsigned amount."""
    text = f"{value:f}" if isinstance(value, Decimal) and abs(value.adjusted()) < 20 else as_text(value)
    if text is None or not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,6})?", text):
        return None
    amount = Decimal(text)
    return amount if amount < _ABSURD_AMOUNT else None


def _receipt(value: object) -> str | None:
    """The receipt as given, 1 to 30 letters and digits; its form is never checked further (daraja.md, 4)."""
    text = value.strip() if isinstance(value, str) else ""
    return text if re.fullmatch(r"[A-Za-z0-9]{1,30}", text) else None


def _moment(value: object) -> datetime | None:
    """`yyyyMMddHHmmss` as number or text, or "YYYY-MM-DD HH:MM:SS": Nairobi's clock."""
    digits = re.sub(r"[-: T]", "", as_text(value) or "")
    if not re.fullmatch(r"20[0-9]{12}", digits):
        return None
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=NAIROBI)
    except ValueError:
        return None
