"""What is true of one line of a statement: whether its money has an owner in the book, and whether it waits for a
second person. As in money.py: a function for a row in hand, its twin for a query."""

from datetime import datetime
from typing import Protocol

from django.db.models import Q


class Line(Protocol):
    """`match`: how it was told whose it is; empty: nobody has. `attempt_id`: the payment of ours that it is."""

    @property
    def kind(self) -> str: ...
    @property
    def match(self) -> str: ...
    @property
    def attempt_id(self) -> int | None: ...


def line_is_nobodys(line: Line) -> bool:
    """Money that came and that nothing of ours explains: no payment, and no order in the book."""
    return line.kind == "payment" and line.match == "" and line.attempt_id is None


LINE_IS_NOBODYS = Q(kind="payment", match="", attempt=None)


UNBOOKED = ("", "void")  # nobody has told whose it is; nobody's, since it is not to be believed


def line_is_booked(line: Line) -> bool:
    """A payment's line that is its order's without any request of ours: by its receipt in the book."""
    return line.kind == "payment" and line.match not in UNBOOKED and line.attempt_id is None


LINE_IS_BOOKED = Q(kind="payment", attempt=None) & ~Q(match__in=UNBOOKED)


class Held(Protocol):
    """Its receipt in the book."""

    @property
    def attempt_id(self) -> int | None: ...
    @property
    def unclaimed_cents(self) -> int: ...


class Waiting(Protocol):
    """`waits_since`: it would have paid an order above the limit of one person's day. `believed_at`: when a second
    person believed it."""

    @property
    def match(self) -> str: ...
    @property
    def waits_since(self) -> datetime | None: ...
    @property
    def believed_at(self) -> datetime | None: ...
    @property
    def booked_as(self) -> Held | None: ...


def line_waits(line: Waiting) -> bool:
    """Only a file says it, and a second person must believe that file. Not any more where Safaricom has named its
    receipt, or people have placed its money."""
    held = line.booked_as
    is_still_nobodys = held is None or (held.attempt_id is None and held.unclaimed_cents > 0)
    return line.waits_since is not None and line.believed_at is None and line.match == "" and is_still_nobodys


LINE_WAITS = Q(waits_since__isnull=False, believed_at=None, match="") & (
    Q(booked_as=None) | Q(booked_as__attempt=None, booked_as__unclaimed_cents__gt=0)
)
