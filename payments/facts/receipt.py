"""What is true of a receipt: what of it waits for a person. As in money.py, a function for a row in hand, its twin for
a query beside it; the small indexes of models/receipt.py are drawn to them."""

from datetime import datetime
from typing import Protocol

from django.db.models import Q


class Movement(Protocol):
    """One M-PESA transaction at our short code. `reviewed_at`: when staff marked it as looked at."""

    @property
    def direction(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def unclaimed_cents(self) -> int: ...
    @property
    def due_cents(self) -> int: ...
    @property
    def reviewed_at(self) -> datetime | None: ...


def is_unclaimed(receipt: Movement) -> bool:
    """Some of it is nobody's yet."""
    return receipt.unclaimed_cents > 0


IS_UNCLAIMED = Q(unclaimed_cents__gt=0)


def is_to_send_back(receipt: Movement) -> bool:
    """Some of it was decided to go back, and has not left."""
    return receipt.due_cents > 0


IS_TO_SEND_BACK = Q(due_cents__gt=0)


def is_reversal(receipt: Movement) -> bool:
    """Safaricom gave money back, and nobody has looked at what that means."""
    return receipt.direction == "out" and receipt.kind == "reversal" and receipt.reviewed_at is None


IS_REVERSAL = Q(direction="out", kind="reversal", reviewed_at=None)


def left_undecided(receipt: Movement) -> bool:
    """Money left, and nobody here decided that."""
    return receipt.direction == "out" and receipt.kind == "other" and receipt.reviewed_at is None


LEFT_UNDECIDED = Q(direction="out", kind="other", reviewed_at=None)
