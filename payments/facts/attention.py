"""Why a payment needs a person: each reason with its fact, and in words what it is and what to do.

The conditions name columns of MpesaTransaction only, so that each has a small index of its own (models/attempt.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from django.db.models import Q

from payments.facts import asking, money


class NeedsPerson(money.Reviewable, money.Receipted, Protocol):
    """What of an attempt is looked at to tell whether it needs a person."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """`label` for a badge; `what` and `to_do` are sentences. `is_so` is of a row in hand, `applies` of a query."""

    key: str
    label: str
    what: str
    to_do: str
    applies: Q
    is_so: Callable[[NeedsPerson], bool]


REFUND_DUE = Reason(
    key="refund_due",
    label="Refund due",
    what="Money came for an order that was paid already.",
    to_do="Send it back in the M-PESA portal, then record the refund here with its reference.",
    applies=money.IS_REFUND_DUE,
    is_so=money.is_refund_due,
)
WRONG_AMOUNT = Reason(
    key="wrong_amount",
    label="Wrong amount",
    what="Another amount came than we asked for.",
    to_do="Look it up in the M-PESA portal. Settle by hand to accept the amount, or refund it and record that.",
    applies=money.IS_WRONG_AMOUNT,
    is_so=money.is_wrong_amount,
)
RECEIPT_AWAITED = Reason(
    key="receipt_awaited",
    label="Receipt awaited",
    what="Safaricom says it is paid, but the callback with the receipt has not come.",
    to_do="Upload the M-PESA statement, or read the receipt from the customer's message and settle by hand.",
    applies=money.RECEIPT_AWAITED,
    is_so=money.receipt_awaited,
)
UNKNOWN = Reason(
    key="unknown",
    label="No answer",
    what="Safaricom's answer to our request was lost: the phone may have been asked, or not.",
    to_do="Wait for the callback or upload the statement. With the customer's M-PESA message, settle by hand.",
    applies=asking.IS_UNKNOWN,
    is_so=asking.is_unknown,
)
UNPRICED = Reason(
    key="unpriced",
    label="Unpriced",
    what="Paid, but the amount came from a web page and not from our own prices.",
    to_do="Check that the amount is right for what was bought, then mark it as looked at.",
    applies=money.IS_UNPRICED,
    is_so=money.is_unpriced,
)

REASONS = (REFUND_DUE, WRONG_AMOUNT, RECEIPT_AWAITED, UNKNOWN, UNPRICED)


def reasons_of(attempt: NeedsPerson) -> list[Reason]:
    """Why this payment needs a person, as the database would say it, without asking it."""
    return [reason for reason in REASONS if reason.is_so(attempt)]
