"""What came with an attempt and what became of it: received, in doubt, booked, to be sent back. Nothing about asking.

As in asking.py: a function for a row in hand, its twin for a query beside it. Amounts are whole shillings.
"""

from datetime import datetime
from decimal import Decimal
from typing import Protocol

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from payments.facts.asking import IS_GIVEN_UP, GivenUp, HasState, is_given_up
from payments.states import State


class Named(Protocol):
    """The amount asked for, and what came as the callback, the statement or staff named it; None: nobody did."""

    @property
    def amount_kes(self) -> int: ...
    @property
    def received_kes(self) -> int | None: ...


class Told(Named, Protocol):
    """`amount_differs`: somebody named another amount than was asked for."""

    @property
    def amount_differs(self) -> bool: ...


class Booked(HasState, Protocol):
    """What was done with the money: the order paid, or due back, or nobody's, or sent back. `due_cents`: what is still
    to be sent back of it."""

    @property
    def unclaimed(self) -> bool: ...
    @property
    def due_cents(self) -> int: ...

    @property
    def pays_order(self) -> bool: ...
    @property
    def refund_due(self) -> bool: ...
    @property
    def refunded_at(self) -> datetime | None: ...


class Returned(Named, Protocol):
    """`refunded_kes`: what was sent back of it so far; None: nothing."""

    @property
    def refunded_kes(self) -> int | None: ...


class Doubtful(Booked, Protocol):
    @property
    def amount_differs(self) -> bool: ...


class Receipted(HasState, Protocol):
    @property
    def receipt(self) -> str | None: ...


class Reviewable(Doubtful, GivenUp, Protocol):
    """`unpriced`: its amount came from a browser. `came_late`: after it was taken for not paid."""

    @property
    def unpriced(self) -> bool: ...
    @property
    def came_late(self) -> bool: ...


def is_paid(attempt: HasState) -> bool:
    """Money came for it."""
    return attempt.state == State.COMPLETED


IS_PAID = Q(state=str(State.COMPLETED))


def amount_is_unknown(attempt: Told) -> bool:
    """Of a paid one: somebody named another amount than was asked for, and none is believed yet."""
    return attempt.amount_differs and attempt.received_kes is None


AMOUNT_IS_UNKNOWN = Q(amount_differs=True, received_kes=None)


def received_kes(attempt: Told) -> int | None:
    """What came with a paid attempt: as named by who told us of it, else what was asked. None: in doubt."""
    return None if amount_is_unknown(attempt) else held_kes(attempt)


def held_kes(attempt: Named) -> int:
    """What the ledger holds for it, doubt or none."""
    return attempt.amount_kes if attempt.received_kes is None else attempt.received_kes


def held_sql(prefix: str = "") -> Coalesce:
    """The twin of held_kes, of an attempt reached by this path; of one that is not in doubt, what was received."""
    return Coalesce(f"{prefix}received_kes", f"{prefix}amount_kes")


def agrees_with(attempt: Named, amount: Decimal) -> bool:
    """A statement's line of this amount says what was asked for, and nobody ever said anything else."""
    return amount == attempt.amount_kes and attempt.received_kes in (None, attempt.amount_kes)


def agrees_sql(amount: str, prefix: str = "") -> Q:
    """The twin of agrees_with: an amount in this column, and an attempt reached by this path."""
    asked, received = F(f"{prefix}amount_kes"), f"{prefix}received_kes"
    return Q(**{amount: asked}) & (Q(**{received: None}) | Q(**{received: asked}))


def is_booked(attempt: Booked) -> bool:
    """Its money has its place: it is the order's, or due back, or nobody's yet."""
    return attempt.pays_order or attempt.refund_due or attempt.unclaimed


IS_BOOKED = Q(pays_order=True) | Q(refund_due=True) | Q(unclaimed=True)


def left_kes(attempt: Returned) -> int:
    """What of its money was not sent back yet."""
    return held_kes(attempt) - (attempt.refunded_kes or 0)


def is_refunded(attempt: Booked) -> bool:
    """All of its money was sent back."""
    return attempt.refunded_at is not None


IS_REFUNDED = Q(refunded_at__isnull=False)


def is_settled(attempt: Booked) -> bool:
    """Nothing is left to decide about its money: it is booked, or was sent back."""
    return is_booked(attempt) or is_refunded(attempt)


IS_SETTLED = IS_BOOKED | IS_REFUNDED


def amount_in_doubt(attempt: Doubtful) -> bool:
    """Money of another amount came and is still here: a person must say what it is for. Its buyer waits, and its order
    is not asked for again, so that nobody pays twice."""
    return is_paid(attempt) and attempt.amount_differs and not is_refunded(attempt) and not is_booked(attempt)


AMOUNT_IN_DOUBT = IS_PAID & Q(amount_differs=True, refunded_at=None) & ~IS_BOOKED


def came_and_went(attempt: Booked) -> bool:
    """Its money was sent back before it paid anything: the buyer may pay again."""
    return is_paid(attempt) and is_refunded(attempt) and not attempt.pays_order and not attempt.refund_due


CAME_AND_WENT = IS_PAID & IS_REFUNDED & Q(pays_order=False, refund_due=False)


def is_refund_due(attempt: Booked) -> bool:
    """More came than its order costs, and was not sent back yet."""
    return attempt.due_cents > 0


IS_REFUND_DUE = Q(due_cents__gt=0)


def receipt_awaited(attempt: Receipted) -> bool:
    """Safaricom says it is paid; the callback with the receipt has not come."""
    return is_paid(attempt) and attempt.receipt is None


RECEIPT_AWAITED = IS_PAID & Q(receipt=None)


def is_wrong_amount(attempt: Reviewable) -> bool:
    """Another amount than asked for came: it pays nothing yet, or it does and nobody has reviewed that."""
    is_reviewed = attempt.pays_order and attempt.reviewed_at is not None
    differs = is_paid(attempt) and attempt.amount_differs and not is_refunded(attempt)
    return differs and not attempt.refund_due and not is_reviewed


IS_WRONG_AMOUNT = (
    IS_PAID
    & Q(amount_differs=True, refund_due=False, refunded_at=None)
    & (Q(pays_order=False) | Q(reviewed_at=None))
)


def is_unpriced(attempt: Reviewable) -> bool:
    """It paid an order whose amount came from a web page, and nobody has reviewed that."""
    return is_paid(attempt) and attempt.unpriced and attempt.pays_order and attempt.reviewed_at is None


IS_UNPRICED = IS_PAID & Q(unpriced=True, pays_order=True, reviewed_at=None)


def is_late_success(attempt: Reviewable) -> bool:
    """It paid its order after its buyer was told that it had failed, and nobody has reviewed that."""
    return is_paid(attempt) and attempt.came_late and attempt.pays_order and attempt.reviewed_at is None


IS_LATE_SUCCESS = IS_PAID & Q(came_late=True, pays_order=True, reviewed_at=None)


def is_decided(attempt: Reviewable) -> bool:
    """A person has said what becomes of its money, or the ledger has: nothing about its amount is left open."""
    return (
        is_refunded(attempt) or attempt.refund_due or (attempt.pays_order and attempt.reviewed_at is not None)
    )


def is_decided_sql(prefix: str = "") -> Q:
    """The twin of is_decided, of an attempt reached by this path."""
    accepted = Q(**{f"{prefix}pays_order": True, f"{prefix}reviewed_at__isnull": False})
    return accepted | Q(**{f"{prefix}refunded_at__isnull": False}) | Q(**{f"{prefix}refund_due": True})


def has_open_question(attempt: Reviewable) -> bool:
    """Something about it was out of the ordinary, although it paid its order, or nobody knows how it ended: a person's
    look settles that."""
    odd = attempt.unpriced or attempt.amount_differs or attempt.came_late
    return (is_paid(attempt) and attempt.pays_order and odd) or is_given_up(attempt)


HAS_OPEN_QUESTION = (
    IS_PAID & Q(pays_order=True) & (Q(unpriced=True) | Q(amount_differs=True) | Q(came_late=True))
) | IS_GIVEN_UP
