"""What can be reported about an attempt, and what is known of it when that is decided upon. Types only: nothing is
decided or written here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from payments.ledger.kinds import EventKind
from payments.models import MpesaTransaction, PaymentEvent
from payments.states import Event, State

Source = PaymentEvent.Source


class AnotherReceipt(ValueError):
    """Safaricom names a second receipt for an attempt that has one: money of its own (doors.insert_paid)."""


class ReceiptTaken(ValueError):
    """This receipt belongs to another payment: what brought it is no evidence for this one."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """What an outside source (Safaricom, a statement, a person) reports of an attempt. Amounts in whole shillings."""

    event: Event
    source: Source
    code: str = ""  # Daraja's ResultCode or errorCode
    description: str = ""  # Safaricom's own words
    receipt: str | None = None
    amount: Decimal | None = None
    paid_at: datetime | None = None
    merchant_request_id: str = ""
    checkout_request_id: str | None = None
    accepts_amount: bool = False  # staff: it pays the order although the amount is another
    more: Mapping[str, str] = field(
        default_factory=dict
    )  # who, why, on what evidence, where a person says it

    def facts(self) -> dict[str, str]:
        """What the event keeps. CheckoutRequestID ends in a phone number and stays out."""
        facts = {
            "code": self.code,
            "description": self.description,
            "receipt": self.receipt or "",
            "amount": str(self.amount) if self.amount is not None else "",
            "paid_at": self.paid_at.isoformat() if self.paid_at else "",
            **self.more,
        }
        return {name: value for name, value in facts.items() if value}


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """An attempt as it was when somebody read it: what a decision needs of it (COLUMNS).

    Should it be outdated when the decision is written, the compare-and-set finds out.
    """

    id: int
    public_id: str
    order_id: int
    state: str
    amount_kes: int
    created_at: datetime
    merchant_request_id: str
    checkout_request_id: str | None
    result_code: str
    receipt: str | None
    pays_order: bool
    refund_due: bool
    unclaimed: bool
    due_cents: int
    refunded_at: datetime | None
    amount_differs: bool
    next_check_at: datetime | None
    events_count: int
    chain_head: str
    # what the book needs besides
    short_code: str
    account_reference: str  # its order's code
    phone_masked: str
    paid_at: datetime | None
    # what people's decisions need besides
    received_kes: int | None
    reviewed_at: datetime | None
    unpriced: bool
    came_late: bool
    given_up_at: datetime | None
    by_hand: bool
    refunded_kes: int | None


COLUMNS = tuple(column.name for column in fields(Snapshot))


def snapshot(attempt: MpesaTransaction) -> Snapshot:
    """Of an attempt that the caller has just read or written."""
    return Snapshot(**{name: getattr(attempt, name) for name in COLUMNS})


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an event does to the attempt's row. `pays`: its money is booked, for its order or as one too many.

    `came_cents`: how much, where it was named. `waives_rest`: the order costs no more than this. `unless_repeated`: it
    is written only where the last event of its kind said something else.
    """

    kind: EventKind
    to: State
    fields: Mapping[str, Any] = field(default_factory=dict)
    pays: bool = False
    came_cents: int | None = None
    waives_rest: bool = False
    unless_repeated: bool = False


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What became of an update."""

    before: State
    after: State
    news: bool  # False: the ledger knew all of it already

    @property
    def moved(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, kw_only=True)
class ReceiptWithoutPrompt:
    """Money for which no request of ours exists, or none of its own, and the order it is for."""

    order_id: int
    amount_kes: int  # what the order asks for
    payer_masked: str
    channel: str
    short_code: str
    account_reference: str
    unpriced: bool
    description: str = "By hand"
