"""How much of what only a file says may be paid on its uploader's word alone: the limit of one person's day. What is
above it waits for a second person. Finds no payment (candidates.py), and asks nobody (manual/)."""

import math
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from payments import limits
from payments.models import StatementLine


class OfAFile(Protocol):
    """A line, with who brought it and who believed it (empty: nobody so far). `waits_since`: it was above the limit
    before."""

    @property
    def id(self) -> int: ...
    @property
    def uploaded_by(self) -> str: ...
    @property
    def believed_by(self) -> str: ...
    @property
    def waits_since(self) -> datetime | None: ...


class Allowance:
    """Of every uploader, as far as one step of matching knows; what is spent is counted anew."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now
        self._left: dict[str, int] = {}

    def covers(self, line: OfAFile, amount: Decimal) -> bool:
        """Whether the line may pay so much that nobody but its file says."""
        if amount <= 0 or line.believed_by:
            return True
        if line.waits_since is not None:
            return False
        by = line.uploaded_by
        if by not in self._left:
            self._left[by] = limits.left_kes(by, now=self._now)
        return math.ceil(amount) <= self._left[by]

    def spend(self, line: OfAFile, amount: Decimal) -> None:
        """In the transaction that pays, last of its locks: nothing else that this person brings is counted without it.
        Raises AboveLimit."""
        if amount <= 0 or line.believed_by:
            return
        kes = math.ceil(amount)
        limits.hold(line.uploaded_by, kes=kes, now=self._now)
        StatementLine.objects.filter(id=line.id).update(alone_at=self._now, alone_kes=kes)
        self._left.pop(line.uploaded_by, None)  # should this be undone, it is counted anew
