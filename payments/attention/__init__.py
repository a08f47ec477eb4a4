"""Everything that needs a person, counted and listed from one source: for the desk, the command and whoever else must
know. Decides nothing, writes nothing, and knows no page where it is worked off (desk/needs.py)."""

from payments.attention.rows import Row, rows
from payments.attention.work import (
    ALL,
    COUNTED_UP_TO,
    PART_TAKEN_BACK,
    UNCLAIMED_OTHERWISE,
    WAITS_FOR_BELIEF,
    Work,
    count_payments_in_need,
)

__all__ = (
    "ALL",
    "COUNTED_UP_TO",
    "PART_TAKEN_BACK",
    "UNCLAIMED_OTHERWISE",
    "WAITS_FOR_BELIEF",
    "Row",
    "Work",
    "count_payments_in_need",
    "rows",
)
