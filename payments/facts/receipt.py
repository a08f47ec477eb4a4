"""What is true of a receipt as far as a person is needed: nobody's money, money to be sent back, and money that left.
Amounts are cents."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from django.db.models import Q


class Standing(Protocol):
    """Where its shillings stand. `attempt_id`: the request it answers; its money is told there."""

    @property
    def unclaimed_cents(self) -> int: ...
    @property
    def due_cents(self) -> int: ...
    @property
    def attempt_id(self) -> int | None: ...


class Posted(Protocol):
    @property
    def debit(self) -> str: ...


class Postings(Protocol):
    def all(self) -> Iterable[Posted]: ...


class Went(Protocol):
    """`reviewed_at`: when staff marked it as looked at."""

    @property
    def direction(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def reviewed_at(self) -> datetime | None: ...
    @property
    def voided_at(self) -> datetime | None: ...
    @property
    def postings(self) -> Postings: ...


def is_unclaimed(receipt: Standing) -> bool:
    """Some of it is nobody's yet."""
    return receipt.unclaimed_cents > 0


IS_UNCLAIMED = Q(unclaimed_cents__gt=0)


def is_to_send_back(receipt: Standing) -> bool:
    """Some of it was decided to go back, and has not left."""
    return receipt.due_cents > 0


IS_TO_SEND_BACK = Q(due_cents__gt=0)


def is_due_without_request(receipt: Standing) -> bool:
    """Some of it must be sent back, and no request of ours says so."""
    return receipt.due_cents > 0 and receipt.attempt_id is None


IS_DUE_WITHOUT_REQUEST = Q(due_cents__gt=0, attempt=None)


def was_reversed_unseen(receipt: Went) -> bool:
    """Safaricom gave money back, and nobody has looked at that."""
    return _left_unseen(receipt) and receipt.kind == "reversal"


WAS_REVERSED_UNSEEN = Q(direction="out", kind="reversal", reviewed_at=None, voided_at=None)


def left_undecided(receipt: Went) -> bool:
    """Money left that nobody decided to send, and nobody has looked at that."""
    of_a_kind = receipt.kind == "other" or (receipt.kind == "reversal" and _is_undecided(receipt))
    return _left_unseen(receipt) and of_a_kind


LEFT_UNDECIDED = Q(direction="out", kind__in=("reversal", "other"), reviewed_at=None, voided_at=None) & (
    Q(kind="other") | Q(postings__debit="undecided")
)


def _left_unseen(receipt: Went) -> bool:
    return receipt.direction == "out" and receipt.reviewed_at is None and receipt.voided_at is None


def _is_undecided(receipt: Went) -> bool:
    return any(posting.debit == "undecided" for posting in receipt.postings.all())
