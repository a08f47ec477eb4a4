"""What a statement says, as plain values. No reading in here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """What a line is to the shop."""

    PAYMENT = "payment"  # a customer's money came in; also whatever came in under a name nobody knows
    CHARGE = "charge"  # M-PESA's fee
    SWEEP = "sweep"  # the shop's own money, moved to or from its settlement account
    REVERSAL = "reversal"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One movement. Times are Nairobi's, amounts never negative; text that was absent is ""."""

    row: int
    receipt: str
    completed_at: datetime | None  # never None on a line that counts
    initiated_at: datetime | None
    details: str
    status: str
    paid_in: Decimal
    withdrawn: Decimal
    balance: Decimal | None
    reason_type: str
    other_party: str
    linked_receipt: str
    account_no: str
    currency: str
    kind: Kind

    @property
    def counts(self) -> bool:
        """Did the money move? A line that is not Completed is kept to be seen, never to be added up."""
        return self.status.casefold() == "completed"

    @property
    def key(self) -> tuple[str, str, str]:
        """Receipt, reason type and direction: a receipt stands on its payment's line and on its charge's."""
        direction = "in" if self.paid_in else "out" if self.withdrawn else ""
        return self.receipt, self.reason_type.casefold(), direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A whole statement. What its head doesn't say, or not readably, is "" or None.

    `warnings` are sentences for the person who uploaded it: the lines can be used, but something should be
    looked at (totals that disagree, rows left out).
    """

    short_code: str
    account_holder: str
    account_name: str
    period_from: datetime | None
    period_to: datetime | None
    reported_at: datetime | None  # when the portal made it
    opening_balance: Decimal | None
    closing_balance: Decimal | None
    total_paid_in: Decimal | None
    total_withdrawn: Decimal | None
    lines: tuple[Line, ...]
    warnings: tuple[str, ...]
