"""Text out of foreign values: bounded, printable, without phones or tokens. Nothing here raises."""

from __future__ import annotations

import re
from decimal import Decimal

MESSAGE_CHARACTERS = 300
_CODE_CHARACTERS = 40
_NUMBER_DIGITS = 40

_PRIVATE = (
    (re.compile(r"(?i)\b(bearer|basic)\s+\S+"), r"\1 […]"),
    (re.compile(r"(?i)(access token\s*[-:=]\s*)\S+"), r"\1[…]"),  # 401.002.01 echoes the token
    (re.compile(r"ws_CO_\S*"), "[…]"),  # a CheckoutRequestID ends in the payer's number
    (re.compile(r"[A-Za-z0-9+/_=.%-]{20,}"), "[…]"),  # tokens, keys, passwords, callback addresses
    (re.compile(r"\+?\d(?:[ ().-]?\d){8,}"), "[…]"),  # phones, however they are spaced
    (re.compile(r"\d{3,}\s?[*•xX#]{2,}\s?\d+"), "[…]"),  # masked phones
)


# Daraja's error codes (500.001.1001), Apigee's (policies.ratelimit.SpikeArrestViolation), result codes (SFC_IC0003).
_CODE = re.compile(
    r"[0-9]{3}(\.[0-9]{2,4}){1,2}|[A-Za-z]{1,20}([.:][A-Za-z]{1,60}){1,4}|[A-Z_]{0,8}[0-9]{1,8}"
)


def clean(text: str) -> str:
    """One line of printable characters: no NUL (databases refuse it), no lone surrogate, no line break."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def scrub(text: str) -> str:
    """Safaricom's words, fit for logs and staff: no phone, no token, at most 300 characters."""
    text = clean(text)
    for pattern, instead in _PRIVATE:
        text = pattern.sub(instead, text)
    return text[:MESSAGE_CHARACTERS].rstrip()


def scrub_code(text: str) -> str:
    """A code as it is where it looks like one, however like a phone its digits are; anything else scrubbed."""
    text = text.strip()
    return text if _CODE.fullmatch(text) else scrub(text)[:_CODE_CHARACTERS]


def as_text(value: object) -> str | None:
    """How a code or an id reads as text: `1032`, `"1032 "` and `1032.0` are all "1032".

    None for whatever is neither text nor a number of sane size (bool, null, NaN, list …): a caller can
    never mistake it for "0".
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int):
        return str(int(value)) if abs(value) < 10**_NUMBER_DIGITS else None
    if isinstance(value, float):
        value = Decimal(value)
    if isinstance(value, Decimal):
        return _number_text(value)
    return None


def _number_text(number: Decimal) -> str | None:
    if not number.is_finite() or abs(number.adjusted()) >= _NUMBER_DIGITS:
        return None
    return str(int(number)) if number == number.to_integral_value() else str(number)


def id_text(value: object) -> str | None:
    """An id of Daraja's: opaque, 1 to 128 visible ASCII characters. None for anything else."""
    text = as_text(value)
    return text if text is not None and re.fullmatch(r"[\x21-\x7e]{1,128}", text) else None
