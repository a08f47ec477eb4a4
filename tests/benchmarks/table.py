"""One line of the table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    what: str
    ours: str
    yardstick: str
    ratio: str
    must: str
