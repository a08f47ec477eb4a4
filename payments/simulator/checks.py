"""Is a request one Daraja would take? Pure: the fields, in the order of daraja.md Appendix A.2. No state."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from payments.simulator.accounts import Account

SHORT_CODE = re.compile(r"\d{5,6}", re.ASCII)
SHORT_CODE_OF_QUERY = re.compile(r"\d{5,7}", re.ASCII)
TIMESTAMP = re.compile(r"\d{14}", re.ASCII)
MSISDN = re.compile(r"254[17]\d{8}", re.ASCII)
PLAIN = re.compile(r"[A-Za-z0-9 -]*", re.ASCII)
TYPES = ("CustomerPayBillOnline", "CustomerBuyGoodsOnline")

MAX_AMOUNT = 250_000
DOCUMENTED_LENGTHS = {"AccountReference": 12, "TransactionDesc": 13}
"""Longer values are taken all the same (2.1), so they only give a warning."""


class BadFieldError(ValueError):
    """A field Daraja refuses; `field` is the name it uses, which for TransactionDesc is Remarks."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class PushOrder:
    """A push whose fields are in order; nothing is said yet about its merchant and password."""

    short_code: str
    password: str
    timestamp: str
    transaction_type: str
    amount: int
    party_a: str
    party_b: str
    phone: str
    callback_url: str
    reference: str
    description: str


@dataclass(frozen=True, kw_only=True)
class QueryOrder:
    short_code: str
    password: str
    timestamp: str
    checkout_request_id: str


def read_json(body: bytes) -> Mapping[str, Any] | None:
    """None when it isn't a JSON object."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def phone_in(body: bytes) -> str | None:
    """The phone a push is for, however broken the rest of it may be."""
    fields = read_json(body) or {}
    return text_of(fields.get("PhoneNumber"))


def text_of(value: object) -> str | None:
    """A string, or an integer as its digits: Daraja takes both in every numeric field. None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def read_push(fields: Mapping[str, Any]) -> PushOrder:
    """Raises BadFieldError for the first field that won't do. Unknown keys are ignored.

    PhoneNumber is looked at before PartyA: for a bad number in both Daraja names it (osenco/osen-wc-mpesa#65).
    """
    return PushOrder(
        short_code=take(fields, "BusinessShortCode", SHORT_CODE.fullmatch),
        password=take(fields, "Password", is_base64),
        timestamp=take(fields, "Timestamp", is_timestamp),
        transaction_type=take(fields, "TransactionType", TYPES.__contains__),
        amount=int(take(fields, "Amount", is_amount)),
        party_b=take(fields, "PartyB", SHORT_CODE_OF_QUERY.fullmatch),
        phone=take(fields, "PhoneNumber", MSISDN.fullmatch),
        party_a=take(fields, "PartyA", MSISDN.fullmatch),
        callback_url=take(fields, "CallBackURL", is_callback_url),
        reference=take(fields, "AccountReference", str.strip),
        description=take(fields, "TransactionDesc", str.strip, called="Remarks"),
    )


def read_query(fields: Mapping[str, Any]) -> QueryOrder:
    """Raises BadFieldError for the first field that won't do."""
    return QueryOrder(
        short_code=take(fields, "BusinessShortCode", SHORT_CODE_OF_QUERY.fullmatch),
        password=take(fields, "Password", is_base64),
        timestamp=take(fields, "Timestamp", is_timestamp),
        checkout_request_id=take(fields, "CheckoutRequestID", str.strip),
    )


def take(fields: Mapping[str, Any], name: str, good: Callable[[str], object], called: str = "") -> str:
    """The field's text. Raises BadFieldError, with the name `called`, where it is missing or not good."""
    text = text_of(fields.get(name))
    if not text or not good(text):
        raise BadFieldError(called or name)
    return text


def is_amount(text: str) -> bool:
    """Whole shillings from 1 to 250,000."""
    return text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_AMOUNT


def is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def is_timestamp(text: str) -> bool:
    return bool(TIMESTAMP.fullmatch(text)) and moment_of(text) is not None


def moment_of(timestamp: str) -> datetime | None:
    """`yyyyMMddHHmmss` as a naive clock reading (marked UTC only so that two can be compared)."""
    try:
        return datetime.strptime(timestamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def is_callback_url(text: str) -> bool:
    """Lexical, as Daraja's own check (2.5); plain http and localhost are taken here, since all this is loopback."""
    if not text.isascii() or re.search(r"[\s<>\"{}|\\^`\x00-\x1f\x7f]", text):
        return False
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    named = parts.netloc.rpartition("@")[2]
    return parts.scheme in ("http", "https") and bool(host) and named == named.lower()


def warnings_about(order: PushOrder, account: Account) -> list[str]:
    """What Daraja lets pass and a careful client doesn't send. No value of a field is repeated in it."""
    found = []
    for name, value in (("AccountReference", order.reference), ("TransactionDesc", order.description)):
        if len(value) > DOCUMENTED_LENGTHS[name]:
            found.append(f"{name} too long: {len(value)} characters, documented {DOCUMENTED_LENGTHS[name]}")
        if not PLAIN.fullmatch(value):
            found.append(f"{name} has characters other than letters, digits, space and hyphen")
    if not is_paired(order, account):
        found.append("TransactionType and PartyB are not this short code's pair")
    return found


def is_paired(order: PushOrder, account: Account) -> bool:
    return (order.party_b, order.transaction_type) == (account.party_b, account.transaction_type)
