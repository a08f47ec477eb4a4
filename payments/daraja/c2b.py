"""C2B: telling Safaricom where payments made by hand are to be told of, and reading what it tells (daraja.md, 6.4).
Pure. A notice is unsigned: a claim, until its receipt was looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from .plain import as_text
from .refusals import failure_of
from .replies import Reply, complaint_of, member, read_json
from .values import amount_of, moment_of, receipt_of

REGISTER_PATH = "/mpesa/c2b/v2/registerurl"
LARGEST_BODY = 64 * 1024  # bytes
ACCOUNT_CHARACTERS = 60

_ALREADY = ("already registered", "duplicate notification info")


class NoticeUnreadable(ValueError):
    """The body is no C2B notice. Its text is a sentence for staff and quotes nothing of the body."""


@dataclass(frozen=True, kw_only=True)
class UrlsRegistered:
    """`new` False: there are some already; only the portal's self-service deletes them."""

    new: bool


@dataclass(frozen=True, kw_only=True)
class C2bNotice:
    """One payment by hand, as Safaricom tells of it. The payer is left where he is."""

    receipt: str
    short_code: str
    amount: Decimal | None
    account: str = field(repr=False)
    paid_at: datetime | None = None


def c2b_registration_body(
    short_code: str, *, confirmation_url: str, validation_url: str, goes_on: bool = True
) -> dict[str, str]:
    """`goes_on`: what becomes of a payment whose validation gets no answer."""
    return {
        "ShortCode": short_code,
        "ResponseType": "Completed" if goes_on else "Cancelled",
        "ConfirmationURL": confirmation_url,
        "ValidationURL": validation_url,
    }


def read_c2b_registration(reply: Reply) -> UrlsRegistered:
    """Raises Refused or OutcomeUnknown."""
    data = read_json(reply.text) if reply.status == 200 else None
    if as_text(member(data, "ResponseCode")) in ("0", "00000000"):
        return UrlsRegistered(new=True)
    if any(words in complaint_of(reply).words.casefold() for words in _ALREADY):
        return UrlsRegistered(new=False)
    raise failure_of(reply)


def read_notice(body: bytes | str) -> C2bNotice:
    """Raises NoticeUnreadable."""
    if len(body) > LARGEST_BODY:
        raise NoticeUnreadable("The body is too long for a notice of a payment.")
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    told = read_json(text.removeprefix("\ufeff"))
    receipt = receipt_of(member(told, "TransID"))
    short_code = as_text(member(told, "BusinessShortCode"))
    if not isinstance(told, Mapping) or receipt is None or not short_code or len(short_code) > 8:
        raise NoticeUnreadable("The body is not JSON with TransID and BusinessShortCode in it.")
    return C2bNotice(
        receipt=receipt,
        short_code=short_code,
        amount=amount_of(told.get("TransAmount")),
        account=(as_text(told.get("BillRefNumber")) or "")[:ACCOUNT_CHARACTERS],
        paid_at=moment_of(told.get("TransTime")),
    )
