"""Why a person is needed: each reason with its fact, and in words what it is and what to do.

The conditions of attempts name columns of MpesaTransaction only, so that each has a small index of its own
(models/attempt.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Q

from payments.facts import asking, money, order, receipt


class NeedsPerson(money.Reviewable, money.Receipted, Protocol):
    """What of an attempt is looked at to tell whether it needs a person."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """`label` for a badge; `what` and `to_do` are sentences."""

    key: str
    label: str
    what: str
    to_do: str


@dataclass(frozen=True, kw_only=True)
class Reason(Words):
    """`is_so` is of a row in hand, `applies` of a query."""

    applies: Q
    is_so: Callable[[Any], bool]


REFUND_DUE = Reason(
    key="refund_due",
    label="Refund due",
    what="Money came for an order that was paid already.",
    to_do="Open it and have Safaricom send it back. Where that is not offered, send it back in the M-PESA portal and "
    "record the refund with its reference.",
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

GIVEN_UP = Reason(
    key="given_up",
    label="Given up",
    what="Nobody knows how it ended: Safaricom gave no answer for three days, or its receipt is another payment's.",
    to_do="Look for it in the M-PESA statement and at its order. If it is not there, mark it as looked at.",
    applies=asking.IS_GIVEN_UP,
    is_so=asking.is_given_up,
)
LATE_SUCCESS = Reason(
    key="late_success",
    label="Paid late",
    what="It was taken for not paid, and its buyer was told so; then the money came.",
    to_do="See that the buyer has what was bought and did not pay twice, then mark it as looked at.",
    applies=money.IS_LATE_SUCCESS,
    is_so=money.is_late_success,
)

# of attempts
REASONS = (REFUND_DUE, WRONG_AMOUNT, RECEIPT_AWAITED, UNKNOWN, UNPRICED, GIVEN_UP, LATE_SUCCESS)

UNCLAIMED = Reason(
    key="unclaimed",
    label="Nobody's yet",
    what="Money came that no order explains.",
    to_do="Find out which order it is for and claim it for that; else send it back, or keep it with a reason.",
    applies=receipt.IS_UNCLAIMED,
    is_so=receipt.is_unclaimed,
)
REFUND_DUE_BESIDE = Reason(
    key="refund_due",
    label="Refund due, paid beside a request",
    what="More money came for an order than it costs, without a request of ours.",
    to_do="Send it back in the M-PESA portal, then record the refund on the receipt's page with its reference.",
    applies=receipt.IS_DUE_WITHOUT_REQUEST,
    is_so=receipt.is_due_without_request,
)
REVERSED = Reason(
    key="reversed",
    label="Reversed",
    what="Safaricom gave money back to its payer.",
    to_do="See what became of the order and tell its buyer, then mark the receipt as looked at.",
    applies=receipt.WAS_REVERSED_UNSEEN,
    is_so=receipt.was_reversed_unseen,
)
REFUND_UNDECIDED = Reason(
    key="refund_undecided",
    label="Left undecided",
    what="Money left the short code, and nobody had decided that here.",
    to_do="Find out in the M-PESA portal who sent it and for what, then mark the receipt as looked at.",
    applies=receipt.LEFT_UNDECIDED,
    is_so=receipt.left_undecided,
)

OF_RECEIPTS = (UNCLAIMED, REFUND_DUE_BESIDE, REVERSED, REFUND_UNDECIDED)

PART_PAID = Reason(
    key="part_paid",
    label="Part paid",
    what="Some of an order's money came, and not all.",
    to_do="Ask the buyer for the rest: the order's own checkout page asks for it. Else send back what came.",
    applies=order.IS_PART_PAID,
    is_so=order.is_part_paid,
)

# for programs it is as given_up: what a person had entered, and Safaricom's word took away
PART_TAKEN_BACK = Words(
    key="given_up",
    label="Placed, and another's",
    what="Staff had given a part of this money to an order, or kept it; then Safaricom said whose payment it is.",
    to_do="Open the order that had it: it has that part no more. See what its buyer has, then mark the receipt as "
    "looked at.",
)

# for programs they are as refund_unseen and refund_due: money that Safaricom was to send back by our order
REVERSAL_STUCK = Words(
    key="refund_unseen",
    label="No word of a reversal",
    what="Safaricom was to send money back, and has not said for an hour whether it went.",
    to_do="Upload the M-PESA statement of that day. Don't send it back another way before it is known.",
)
REVERSAL_DID_NOT_GO = Words(
    key="refund_due",
    label="Not sent back",
    what="Safaricom did not send money back that it was ordered to.",
    to_do="Open it: it says why. Send it back anew, or in the M-PESA portal, then mark it as looked at.",
)

# what is neither an attempt's, a receipt's nor an order's; the facts stand with who lists them (attention/)
_OTHERS = (
    Words(
        key="refund_unseen",
        label="Refund not seen",
        what="A refund was recorded more than three days ago, and no M-PESA statement shows it.",
        to_do="Upload the statement of that day. If it is not on it, look in the M-PESA portal whether it ever left.",
    ),
    Words(
        key="proposal",
        label="Waits for a second person",
        what="Somebody decided about money above the limit of their day.",
        to_do="Look at the evidence, then confirm or decline it, wherever it is shown.",
    ),
    Words(
        key="belief",
        label="Statement to be believed",
        what="Only a statement's file says that this money came, and it is above what its uploader may pay alone.",
        to_do="Open the file as it came, look whether the portal says the same, then believe its lines or void it. "
        "Whoever uploaded it can't.",
    ),
    Words(
        key="inbox",
        label="Callback problems",
        what="A callback came that was not believed or could not be read.",
        to_do="Look at it and at its payment, then mark it as looked at.",
    ),
    Words(
        key="spool",
        label="Callbacks on disk",
        what="Callbacks from Safaricom wait on disk, because the database was away when they came.",
        to_do="See that the database and the worker run: they are read by themselves then. A file that can't be read "
        "ends in .bad: whoever runs the server looks at it and moves it away.",
    ),
    Words(
        key="unsealed",
        label="Not sealed",
        what="The ledger has not been sealed as it should be.",
        to_do="See that the worker runs, or run python manage.py seal_ledger.",
    ),
    Words(
        key="statement_differs",
        label="Statement differs",
        what="What moved by our book does not lead from a statement's opening balance to its closing one.",
        to_do="Open the statement: its comparison shows which money is missing, here or there.",
    ),
)

WORDS: Mapping[str, Words] = {each.key: each for each in (*_OTHERS, PART_PAID, *OF_RECEIPTS, *REASONS)}


def reasons_of(attempt: NeedsPerson) -> list[Reason]:
    """Why this payment needs a person, as the database would say it, without asking it."""
    return [reason for reason in REASONS if reason.is_so(attempt)]
