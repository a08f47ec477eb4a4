"""What an attempt says of its money, and the few words that all movements of it share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from payments.ledger.book import CENTS, Because
from payments.ledger.updates import Change, Snapshot, Source
from payments.models import Receipt

Facts = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Booked:
    """Columns of the attempt and facts of its event that the booking adds."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)


NOTHING = Booked()

NO_ROLE: Mapping[str, Any] = {
    "pays_order": False,
    "refund_due": False,
    "unclaimed": False,
    "due_cents": 0,
    "reviewed_at": None,
}
# of an attempt whose money was never there, or was not its own
NO_MONEY: Mapping[str, Any] = {
    **NO_ROLE,
    "receipt": None,
    "received_kes": None,
    "paid_at": None,
    "amount_differs": False,
    "by_hand": False,
    "came_late": False,
}


ROLES = ("pays_order", "refund_due", "unclaimed")


def role(name: str, *, due_cents: int = 0) -> Booked:
    """What its money is from now on, and nothing any more of what it was."""
    fields = {**dict.fromkeys(ROLES, False), name: True, "due_cents": due_cents}
    return Booked(fields=fields, facts={"role": name})


def came_cents(row: Snapshot, change: Change) -> int:
    """What came with the attempt, as it stands once this change is made."""
    if change.came_cents is not None:
        return change.came_cents
    named = change.fields.get("received_kes", row.received_kes)
    return CENTS * (row.amount_kes if named is None else int(named))


def valid_receipt(attempt_id: int) -> Receipt | None:
    """What came with the attempt, as it is believed to be."""
    return Receipt.objects.filter(
        attempt_id=attempt_id, direction=Receipt.Direction.IN, voided_at=None
    ).first()


def of(receipt_id: int, because: Because) -> Because:
    """The same reason, of this receipt."""
    return Because(
        receipt_id=receipt_id,
        now=because.now,
        attempt_id=because.attempt_id,
        attempt=because.attempt,
        event_number=because.event_number,
    )


def receipt_values(
    row: Snapshot, fields: Mapping[str, Any], cents: int, *, source: Source, now: datetime
) -> dict[str, Any]:
    return {
        "code": fields.get("receipt", row.receipt),
        "direction": Receipt.Direction.IN,
        "kind": Receipt.Kind.PAYMENT,
        "amount_cents": cents,
        "happened_at": fields.get("paid_at") or row.paid_at,
        "short_code": row.short_code,
        "account_no": row.account_reference,
        "payer_masked": row.phone_masked,
        "attempt_id": row.id,
        "told_by": source,
        "told_at": now,
    }
