"""What came back over HTTP, before anyone says what it means. Pure; any bytes are survived."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from .plain import as_text, scrub

# Daraja's words for "this token is no good"; the HTTP status with them is 404, 401 or 400 (daraja.md, 1).
_TOKEN_CODES = frozenset({"404.001.03", "400.003.01", "401.002.01", "401.003.01", "401.001"})
_TOKEN_WORDS = ("invalid access token", "access token expired")
_NOT_A_NUMBER = Decimal("NaN")
_INTEGER_DIGITS = 40


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One HTTP answer. `retry_after`: seconds, from Retry-After. The text may hold a phone: no repr of it."""

    status: int
    text: str = field(repr=False)
    retry_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """What an error body says of itself. Both fields are "" where it says nothing."""

    code: str = ""
    words: str = ""

    @property
    def of_token(self) -> bool:
        lower = self.words.lower()
        return self.code in _TOKEN_CODES or any(words in lower for words in _TOKEN_WORDS)

    @property
    def of_quota(self) -> bool:
        """The quota (500.003.03, Apigee's QuotaViolation); not "System is busy", which promises nothing."""
        return self.code == "500.003.03" or "quotaviolation" in f"{self.code}{self.words}".lower().replace(
            " ", ""
        )


def read_json(text: str) -> object:
    """The value in `text`, or None where there is none.

    Fractions become Decimal; NaN, infinities and numbers beyond reason become Decimal("NaN").
    """
    try:
        return json.loads(
            text, parse_int=_integer, parse_float=_fraction, parse_constant=lambda _: _NOT_A_NUMBER
        )
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _INTEGER_DIGITS else _NOT_A_NUMBER


def _fraction(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent no computer holds
        return _NOT_A_NUMBER


def member(data: object, *names: str) -> object:
    """`data[name][name]…`, None as soon as there is no such thing."""
    for name in names:
        if not isinstance(data, Mapping):
            return None
        data = data.get(name)
    return data


def complaint_of(reply: Reply) -> Complaint:
    """Daraja's envelope, Apigee's `fault`, the SOAP-flavoured one, or plain words."""
    data = read_json(reply.text)
    if not isinstance(data, Mapping):
        return Complaint(words=_plain_words(reply.text))
    for code, words in (
        (data.get("errorCode"), data.get("errorMessage")),
        (member(data, "fault", "detail", "errorcode"), member(data, "fault", "faultstring")),
        (
            member(data, "Envelope", "Body", "Fault", "faultcode"),
            member(data, "Envelope", "Body", "Fault", "faultstring"),
        ),
    ):
        if as_text(code) or as_text(words):
            return Complaint(code=as_text(code) or "", words=as_text(words) or "")
    return Complaint()


def _plain_words(text: str) -> str:
    """The body itself where it is a line of prose; "" for HTML, JSON that isn't an object, and nothing."""
    start = text.strip()[:1]
    return "" if start in {"", "<", "[", "{", '"'} else text


def sentence(reply: Reply, complaint: Complaint) -> str:
    """Daraja's own words, or what we saw instead of words."""
    if words := scrub(complaint.words):
        return words
    if not reply.text.strip():
        return f"An empty answer (HTTP {reply.status})."
    if reply.text.lstrip().startswith("<"):
        return f"A web page instead of an answer (HTTP {reply.status})."
    return f"No usable answer (HTTP {reply.status})."
