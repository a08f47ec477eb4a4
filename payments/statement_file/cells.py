"""What one cell says: a text, an amount, a time. Knows no columns and no rows."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

NAIROBI = ZoneInfo("Africa/Nairobi")
ZERO = Decimal("0.00")
TOO_MUCH = 10**12

_AMOUNT = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d{1,2}0*)?", re.ASCII)
_SHILLINGS = r"(?:kes|kshs?|shs?)\.?"
_DRESSED = re.compile(
    rf"(?:{_SHILLINGS} ?)?([+-]?[\d,.]+)(?: ?{_SHILLINGS}|/[=-])?", re.ASCII | re.IGNORECASE
)
_SHILLING_NAMES = {
    "kes",
    "ksh",
    "kshs",
    "kenyashilling",
    "kenyashillings",
    "kenyanshilling",
    "kenyanshillings",
}
_TIME = r"(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)"
_DAY_FIRST = re.compile(rf"(\d{{1,2}})-(\d{{1,2}})-(\d{{4}}){_TIME}?", re.ASCII)
_YEAR_FIRST = re.compile(rf"(\d{{4}})-(\d{{1,2}})-(\d{{1,2}}){_TIME}?", re.ASCII)
_SLASHES = re.compile(rf"(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}){_TIME}?", re.ASCII)
_MPESA_BEGAN = 2007
_RECEIPT = re.compile(r"[A-Z][A-Z0-9]{7,19}", re.ASCII)


def clean(text: str) -> str:
    """One line of printable characters: databases refuse NUL, and a hidden character would part equal texts."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split()) if "  " in text else text.strip(" ")


def plain_name(text: str) -> str:
    """`Receipt No.`, `RECEIPT NO` and `Receipt  No:` are one name."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def amount(text: str) -> Decimal | None:
    """An amount with at most two decimals; zero where the cell is empty. None: this is no amount.

    `KES 1,500.00`, `1,500/=` and `(1,500.00)`, which is less than zero, are amounts too. A comma parts thousands and
    nothing else, so "450,00" is refused and never read as 45,000.
    """
    if text in ("", "-"):
        return ZERO
    if len(text) > 40:
        return None
    if _AMOUNT.fullmatch(text):
        read = Decimal(text.replace(",", ""))
        return read.quantize(ZERO) if abs(read) < TOO_MUCH else None
    return _dressed(text)


def _dressed(text: str) -> Decimal | None:
    """An amount with a currency's word about it, or in the brackets that stand for a minus."""
    inner = text[1:-1].strip(" ") if text.startswith("(") and text.endswith(")") else ""
    if inner:
        bare = amount(inner)
        return None if bare is None or bare < 0 or inner.startswith(("(", "+", "-")) else -bare
    found = _DRESSED.fullmatch(text)
    return amount(found[1]) if found and found[1] != text else None


def is_shillings(text: str) -> bool:
    """Whether this names the one currency that the shop takes, by its code or in words."""
    return plain_name(text) in _SHILLING_NAMES


def moment(text: str) -> datetime | None:
    """Nairobi's wall clock. None: this is no date with a time.

    Day first, with dashes or with slashes as the portal writes it, or year first. Slashes that a spreadsheet may have
    written month first (`5/11/2026 18:00`) are refused.
    """
    found = _read_moment(text)
    return found if found and ":" in text else None


def day_or_moment(text: str, *, end: bool) -> datetime | None:
    """As `moment`; a day alone is its first second, or with `end` its last."""
    found = _read_moment(text)
    if found and ":" not in text and end:
        return found.replace(hour=23, minute=59, second=59)
    return found


def _read_moment(text: str) -> datetime | None:
    if found := _DAY_FIRST.fullmatch(text):
        day, month, year, *clock = found.groups()
    elif found := _YEAR_FIRST.fullmatch(text):
        year, month, day, *clock = found.groups()
    elif (found := _SLASHES.fullmatch(text)) and _is_day_first(*found.groups()):
        day, month, year, *clock = found.groups()
    else:
        return None
    hour, minute, second = clock
    try:
        read = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=NAIROBI,
        )
    except ValueError:
        return None
    return read if _MPESA_BEGAN <= read.year < 2100 else None


def _is_day_first(
    day: str, month: str, _year: str, hour: str | None, _minute: str | None, second: str | None
) -> bool:
    """No month has such a number; or it is spelt in full, as the portal does and a spreadsheet doesn't."""
    return int(day) > 12 or (len(day) == len(month) == 2 and (hour is None or second is not None))


def is_receipt(text: str) -> bool:
    """A receipt begins with a letter: ten digits would be somebody's phone."""
    return _RECEIPT.fullmatch(text) is not None
