"""Reading Daraja's callback: any bytes in, a StkCallback or CallbackUnreadable out. Pure.

A callback is unsigned: a claim, until its token, id and amount have been compared (daraja.md, 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from .plain import as_text, id_text, scrub
from .replies import member, read_json
from .results import Result, lookup
from .values import amount_of, moment_of, receipt_of

LARGEST_BODY = 64 * 1024  # bytes (or characters); a real one has about 700
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
        amount=amount_of(items.get("Amount")),
        receipt=receipt_of(items.get("MpesaReceiptNumber")),
        paid_at=moment_of(items.get("TransactionDate")),
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
