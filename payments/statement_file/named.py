"""What the portal's newer export says only in its name: the short code and the days. Reads no bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from .cells import day_or_moment

_DAY = r"(\d{2}-\d{2}-\d{4}|\d{4}-\d{2}-\d{2})"
# a browser adds " (1)", a shared folder writes _ for the blanks
_NAME = re.compile(
    rf"statements?[ _]for[ _](\d{{5,7}})[ _]from[ _]{_DAY}[ _]to[ _]{_DAY}(?!\d)", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Named:
    """What a name said; "" and None where it says nothing of the kind."""

    short_code: str = ""
    period: tuple[datetime | None, datetime | None] = (None, None)


def read_name(filename: str) -> Named:
    """`Statements for 174379 from 2026-11-25 to 2026-11-25.csv`."""
    found = _NAME.search(filename)
    if found is None:
        return Named()
    start, end = day_or_moment(found[2], end=False), day_or_moment(found[3], end=True)
    return Named(short_code=found[1], period=(start, end))
