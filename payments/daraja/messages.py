"""What we say to Daraja for a push and its query. Pure: no clock, no network, no settings.

How its answers are read is in push_reply, query_reply and callback; their names can be had from here too.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from .callback import CallbackUnreadable, StkCallback, read_callback
from .push_reply import PushAccepted, read_push
from .query_reply import QueryAnswer, Verdict, read_query
from .replies import Reply
from .values import NAIROBI

__all__ = [
    "NAIROBI",
    "CallbackUnreadable",
    "Merchant",
    "PushAccepted",
    "PushRequest",
    "QueryAnswer",
    "Reply",
    "StkCallback",
    "TransactionType",
    "Verdict",
    "account_reference",
    "nairobi_timestamp",
    "password",
    "push_body",
    "query_body",
    "read_callback",
    "read_push",
    "read_query",
    "transaction_description",
]

LARGEST_AMOUNT = 250_000  # KES in one transaction (daraja.md, 6.7)
REFERENCE_CHARACTERS = 12
DESCRIPTION_CHARACTERS = 13


class TransactionType(Enum):
    """Which kind of account is paid: a paybill, or a till ("buy goods")."""

    PAYBILL = "CustomerPayBillOnline"
    TILL = "CustomerBuyGoodsOnline"


@dataclass(frozen=True, kw_only=True)
class Merchant:
    """Who is paid. For a till, short code and passkey are the head office's or store's, not the till's."""

    short_code: str
    passkey: str = field(repr=False)
    transaction_type: TransactionType = TransactionType.PAYBILL
    till_number: str | None = None

    def __post_init__(self) -> None:
        if self.transaction_type is TransactionType.TILL and not self.till_number:
            raise ValueError(
                "A till needs its till number: Daraja would accept the push and fail it later (2028)."
            )

    @property
    def party_b(self) -> str:
        """Where the money goes: the till, or the paybill itself."""
        if self.transaction_type is TransactionType.TILL and self.till_number:
            return self.till_number
        return self.short_code


@dataclass(frozen=True, kw_only=True)
class PushRequest:
    """One prompt: `phone` as 2547XXXXXXXX or 2541XXXXXXXX, `amount` in whole shillings.

    Raises ValueError, without the phone in it, for what Daraja would refuse anyway. Neither the phone nor the
    callback address (it holds the attempt's secret) is in the repr.
    """

    phone: str = field(repr=False)
    amount: int
    account_reference: str
    description: str
    callback_url: str = field(repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"254[0-9]{9}", self.phone):
            raise ValueError("The phone must be 12 digits that begin with 254.")
        if isinstance(self.amount, bool) or not isinstance(self.amount, int):
            raise ValueError("The amount must be a whole number of shillings.")  # noqa: TRY004
        if not 1 <= self.amount <= LARGEST_AMOUNT:
            raise ValueError(f"The amount must be from 1 to {LARGEST_AMOUNT} shillings.")
        if not 1 <= len(self.account_reference) <= REFERENCE_CHARACTERS:
            raise ValueError(f"The account reference must be 1 to {REFERENCE_CHARACTERS} characters.")
        if not 1 <= len(self.description) <= DESCRIPTION_CHARACTERS:
            raise ValueError(f"The description must be 1 to {DESCRIPTION_CHARACTERS} characters.")


def nairobi_timestamp(now: datetime) -> str:
    """`yyyyMMddHHmmss` on Nairobi's clock. A naive `now` is refused: nobody knows whose clock it is."""
    if now.utcoffset() is None:
        raise ValueError("The time must carry its zone.")
    return now.astimezone(NAIROBI).strftime("%Y%m%d%H%M%S")


def password(short_code: str, passkey: str, timestamp: str) -> str:
    """base64(shortcode + passkey + timestamp); the timestamp must be the one sent beside it."""
    return base64.b64encode(f"{short_code}{passkey}{timestamp}".encode()).decode("ascii")


def account_reference(text: str, fallback: str = "DJ Kraph") -> str:
    """At most 12 characters of `[A-Za-z0-9 -]`: on the prompt, in the payer's SMS and on the statement."""
    return _fitted(text, REFERENCE_CHARACTERS) or _fitted(fallback, REFERENCE_CHARACTERS) or "Payment"


def transaction_description(text: str, fallback: str = "DJ Kraph") -> str:
    """At most 13 characters of `[A-Za-z0-9 -]`, never empty: an absent one is "Invalid Remarks"."""
    return _fitted(text, DESCRIPTION_CHARACTERS) or _fitted(fallback, DESCRIPTION_CHARACTERS) or "Payment"


def _fitted(text: str, limit: int) -> str:
    """`text` in Daraja's alphabet, cut between words unless that would lose more than half of the room."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").replace("'", "")
    words = " ".join(re.sub(r"[^A-Za-z0-9 -]", " ", letters).split()).strip(" -")
    if len(words) <= limit:
        return words
    gap = max(words.rfind(" ", 0, limit + 1), words.rfind("-", 0, limit + 1))
    return words[: gap if gap >= limit // 2 else limit].strip(" -")


def push_body(request: PushRequest, merchant: Merchant, now: datetime) -> dict[str, str | int]:
    """The JSON of `POST /mpesa/stkpush/v1/processrequest` (daraja.md, 2.1)."""
    timestamp = nairobi_timestamp(now)
    return {
        "BusinessShortCode": merchant.short_code,
        "Password": password(merchant.short_code, merchant.passkey, timestamp),
        "Timestamp": timestamp,
        "TransactionType": merchant.transaction_type.value,
        "Amount": request.amount,
        "PartyA": request.phone,
        "PartyB": merchant.party_b,
        "PhoneNumber": request.phone,
        "CallBackURL": request.callback_url,
        "AccountReference": request.account_reference,
        "TransactionDesc": request.description,
    }


def query_body(checkout_request_id: str, merchant: Merchant, now: datetime) -> dict[str, str]:
    """The JSON of `POST /mpesa/stkpushquery/v1/query`, with a password of its own (daraja.md, 3)."""
    timestamp = nairobi_timestamp(now)
    return {
        "BusinessShortCode": merchant.short_code,
        "Password": password(merchant.short_code, merchant.passkey, timestamp),
        "Timestamp": timestamp,
        "CheckoutRequestID": checkout_request_id,
    }
