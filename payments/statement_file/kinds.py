"""Which kind of movement a Reason Type names. Only names in here: no amounts, no other columns."""

from __future__ import annotations

import re
from functools import lru_cache

from .records import Kind

# In this order: "Reversal of Pay merchant Charge" gives money back, "Reversal Charge" is a fee.
_NAMED = (
    (re.compile(r"\brevers(al|ed|e)s?\b(?!\s+charges?\b)"), Kind.REVERSAL),
    (re.compile(r"\bcharges?\b"), Kind.CHARGE),
    (re.compile(r"\borgani[sz]ation settlement account\b"), Kind.SWEEP),
)


@lru_cache(maxsize=1024)  # few names on many lines
def kind_of(reason_type: str, *, paid_in: bool) -> Kind:
    """Money that came in under any other name is a payment: better one question too many than a buyer missed."""
    reason = reason_type.casefold()
    for pattern, kind in _NAMED:
        if pattern.search(reason):
            return kind
    return Kind.PAYMENT if paid_in else Kind.OTHER
