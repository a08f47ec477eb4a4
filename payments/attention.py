"""Why a payment needs a person: each reason with its condition, and in words what it is and what to do. Pure.

The conditions name columns of MpesaTransaction only, so that each has a small index of its own (models.py). Each
condition stands twice, for the database and for a row in hand; a test keeps the two equal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from payments.states import State


@dataclass(frozen=True, kw_only=True)
class Reason:
    """`label` for a badge, `what` and `to_do` are sentences for staff. `is_so` takes an attempt's columns by name."""

    key: str
    label: str
    what: str
    to_do: str
    applies: Q
    is_so: Callable[[Mapping[str, Any]], bool]


_PAID = Q(state=str(State.COMPLETED))


def _paid(row: Mapping[str, Any]) -> bool:
    return bool(row["state"] == State.COMPLETED)


REFUND_DUE = Reason(
    key="refund_due",
    label="Refund due",
    what="Money came for an order that was paid already.",
    to_do="Send it back in the M-PESA portal, then record the refund here with its reference.",
    applies=_PAID & Q(refund_due=True, refunded_at=None),
    is_so=lambda row: _paid(row) and row["refund_due"] and row["refunded_at"] is None,
)
WRONG_AMOUNT = Reason(
    key="wrong_amount",
    label="Wrong amount",
    what="Another amount came than we asked for.",
    to_do="Look it up in the M-PESA portal. Settle by hand to accept the amount, or refund it and record that.",
    applies=_PAID
    & Q(amount_differs=True, refund_due=False, refunded_at=None)
    & (Q(pays_order=False) | Q(looked_at=None)),
    is_so=lambda row: (
        _paid(row)
        and row["amount_differs"]
        and not row["refund_due"]
        and row["refunded_at"] is None
        and (not row["pays_order"] or row["looked_at"] is None)
    ),
)
RECEIPT_AWAITED = Reason(
    key="receipt_awaited",
    label="Receipt awaited",
    what="Safaricom says it is paid, but the callback with the receipt has not come.",
    to_do="Upload the M-PESA statement, or read the receipt from the customer's message and settle by hand.",
    applies=_PAID & Q(receipt=None),
    is_so=lambda row: _paid(row) and row["receipt"] is None,
)
UNKNOWN = Reason(
    key="unknown",
    label="No answer",
    what="Safaricom's answer to our request was lost: the phone may have been asked, or not.",
    to_do="Wait for the callback or upload the statement. With the customer's M-PESA message, settle by hand.",
    applies=Q(state=str(State.UNKNOWN)),
    is_so=lambda row: bool(row["state"] == State.UNKNOWN),
)
UNPRICED = Reason(
    key="unpriced",
    label="Unpriced",
    what="Paid, but the amount came from a web page and not from our own prices.",
    to_do="Check that the amount is right for what was bought, then mark it as looked at.",
    applies=_PAID & Q(unpriced=True, pays_order=True, looked_at=None),
    is_so=lambda row: _paid(row) and row["unpriced"] and row["pays_order"] and row["looked_at"] is None,
)

REASONS = (REFUND_DUE, WRONG_AMOUNT, RECEIPT_AWAITED, UNKNOWN, UNPRICED)
