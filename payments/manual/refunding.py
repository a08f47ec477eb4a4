"""Recording money that a person sent back in the M-PESA portal. Sends nothing itself."""

from datetime import datetime

from django.db import IntegrityError

from payments import ledger
from payments.facts import amount_in_doubt, is_paid, is_refunded, left_kes
from payments.ledger import CENTS, Change, EventKind, NotThere, Snapshot, Source
from payments.manual.actions import ActionRefused, Row
from payments.models import Receipt, Refund
from payments.phones import blank_phones
from payments.states import State

TAKEN = "This reference was recorded for another refund already."


def record_refund(
    attempt_id: int, *, reference: str, amount_kes: int, reason: str, by: str, now: datetime
) -> None:
    """Notes one refund; a payment may have several, never more than came with it. Raises ActionRefused."""
    reference, reason = reference.strip().upper(), blank_phones(reason.strip())

    def decide_on(row: Snapshot) -> Change:
        if refusal := refusal_to_refund(row) or _refusal_of_amount(row, amount_kes):
            raise ActionRefused(refusal)
        # of money in doubt it is not known how much came: what is sent back was all of it
        is_all = amount_kes == left_kes(row) or amount_in_doubt(row)
        fields = {
            "refunded_kes": (row.refunded_kes or 0) + amount_kes,
            "refunded_at": now if is_all else None,
            "refund_reference": reference,
        }
        return Change(kind=EventKind.REFUND_RECORDED, to=State(row.state), fields=fields)

    def keep() -> None:
        Refund.objects.create(
            receipt=ledger.valid_receipt(attempt_id),
            attempt_id=attempt_id,
            amount_cents=CENTS * amount_kes,
            reference=reference,
            reason=reason,
            recorded_by=by,
            recorded_at=now,
        )

    facts = {"reference": reference, "amount": str(amount_kes), "reason": reason, "by": by}
    try:
        ledger.apply_change(
            attempt_id, decide_on, source=Source.STAFF, facts=facts, now=now, in_same_transaction=keep
        )
    except IntegrityError as taken:
        raise ActionRefused(TAKEN) from taken


def refund_receipt(
    receipt_id: int, *, reference: str, amount_kes: int, reason: str, by: str, now: datetime
) -> None:
    """Notes a refund of money that came beside any request; never more than is left of it. Raises ActionRefused."""
    try:
        ledger.send_back(
            receipt_id,
            cents=CENTS * amount_kes,
            reference=reference.strip().upper(),
            reason=blank_phones(reason.strip()),
            recorded_by=by,
            now=now,
        )
    except NotThere as refused:
        raise ActionRefused(str(refused)) from refused
    except IntegrityError as taken:
        raise ActionRefused(TAKEN) from taken


def refusal_to_refund_receipt(receipt: Receipt) -> str:
    """Empty where money of it is here, is no request's, and can have been sent back."""
    if receipt.voided_at is not None or receipt.direction != Receipt.Direction.IN:
        return "No money has come with it, so there is none to send back."
    if receipt.attempt_id is not None:
        return "It belongs to a payment: record the refund on the payment's page."
    if ledger.left_of(receipt) < CENTS:
        return "All of it was sent back already."
    return ""


def refusal_to_refund(row: Row) -> str:
    """Empty where money of it can have been sent back."""
    if not is_paid(row):
        return "No money has come with it, so there is none to send back."
    if is_refunded(row):
        return "Its refund is recorded already."
    return ""


def _refusal_of_amount(row: Row, amount_kes: int) -> str:
    if amount_kes <= left_kes(row):
        return ""
    if row.refunded_kes:
        return f"KES {row.refunded_kes:,} of it was sent back already: KES {left_kes(row):,} is left."
    return "More would be refunded than was received."
