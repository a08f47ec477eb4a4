"""What is true of one line of a statement: whether its money has an owner in the book. As in money.py: a function for a
row in hand, its twin for a query."""

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


def line_is_booked(line: Line) -> bool:
    """A payment's line that is its order's without any request of ours: by its receipt in the book."""
    return line.kind == "payment" and line.match != "" and line.attempt_id is None


LINE_IS_BOOKED = Q(kind="payment", attempt=None) & ~Q(match="")
