"""Recording money that a person sent back in the M-PESA portal: a payment's, or what came beside any request. Sends
nothing itself."""

from datetime import datetime

from django.db import IntegrityError

from payments import ledger, reversals
from payments.facts import REVERSAL_UNDER_WAY, amount_in_doubt, is_paid, is_refunded, left_kes
from payments.ledger import CENTS, Change, EventKind, NotThere, Snapshot, Source
from payments.manual import deciding
from payments.manual.actions import ActionRefused, Row
from payments.manual.deciding import Kept, People, What
from payments.manual.placing import waiting_kes
from payments.models import HandSettlement, MpesaTransaction, Receipt, Refund, Reversal
from payments.states import State

TWICE = "This reference was recorded for another refund already."


def record_refund(
    attempt_id: int, *, reference: str, amount_kes: int, reason: str, by: str, now: datetime
) -> HandSettlement:
    """Notes one refund; a payment may have several, never more than came with it. Raises ActionRefused."""
    row = MpesaTransaction.objects.get(id=attempt_id)
    wanted = HandSettlement(
        what=What.REFUND,
        attempt=row,
        receipt=row.receipt or "",
        reference=reference.strip().upper(),
        amount_kes=amount_kes,
        counts_kes=max(0, amount_kes),
        evidence=HandSettlement.Evidence.PORTAL,
        reason=reason,
    )
    return deciding.decide(wanted, WAY, by=by, now=now)


def refund_receipt(
    receipt_id: int, *, reference: str, amount_kes: int, reason: str, by: str, now: datetime
) -> HandSettlement:
    """Notes a refund of money that came beside any request; never more than is left of it. Raises ActionRefused."""
    receipt = Receipt.objects.get(pk=receipt_id)
    wanted = HandSettlement(
        what=What.REFUND,
        money=receipt,
        receipt=receipt.code or "",
        reference=reference.strip().upper(),
        amount_kes=amount_kes,
        counts_kes=max(0, amount_kes),
        evidence=HandSettlement.Evidence.PORTAL,
        reason=reason,
    )
    return deciding.decide(wanted, BESIDE, by=by, now=now)


def refusal_to_refund_receipt(receipt: Receipt) -> str:
    """Empty where money of it is here, is no request's, and can have been sent back."""
    if refusal := _refusal_as_it_is(receipt):
        return refusal
    return "All of it was sent back already." if ledger.left_of(receipt) < CENTS else ""


def _refusal_as_it_is(receipt: Receipt) -> str:
    if receipt.voided_at is not None or receipt.direction != Receipt.Direction.IN:
        return "No money has come with it, so there is none to send back."
    if receipt.attempt_id is not None:
        return "It belongs to a payment: record the refund on the payment's page."
    if receipt.happened_at is None:
        return "Only its reversal is known so far. Upload the statement that shows the payment itself."
    if reversals.the_one_under_way(receipt.pk) is not None:
        return reversals.UNDER_WAY
    return ""


def refusal_to_refund(row: Row) -> str:
    """Empty where money of it can have been sent back."""
    if not is_paid(row):
        return "No money has come with it, so there is none to send back."
    if is_refunded(row):
        return "Its refund is recorded already."
    if Reversal.objects.filter(REVERSAL_UNDER_WAY, receipt__attempt_id=row.id).exists():
        return reversals.UNDER_WAY
    return ""


def _refusal_of_amount(row: Row, amount_kes: int) -> str:
    if amount_kes <= left_kes(row):
        return ""
    if row.refunded_kes:
        return f"KES {row.refunded_kes:,} of it was sent back already: KES {left_kes(row):,} is left."
    return "More would be refunded than was received."


def _refusal(wanted: HandSettlement, _now: datetime) -> str:
    row = MpesaTransaction.objects.get(id=wanted.attempt_id or 0)
    if refusal := refusal_to_refund(row) or _refusal_of_amount(row, wanted.amount_kes):
        return refusal
    return TWICE if Refund.objects.filter(reference=wanted.reference).exists() else ""


def _carry_out(wanted: HandSettlement, people: People, kept: Kept, now: datetime) -> None:
    attempt_id, amount_kes = wanted.attempt_id or 0, wanted.amount_kes

    def decide_on(row: Snapshot) -> Change:
        deciding.refuse(refusal_to_refund(row) or _refusal_of_amount(row, amount_kes))
        # of money in doubt it is not known how much came: what is sent back was all of it
        is_all = amount_kes == left_kes(row) or amount_in_doubt(row)
        fields = {
            "refunded_kes": (row.refunded_kes or 0) + amount_kes,
            "refunded_at": now if is_all else None,
            "refund_reference": wanted.reference,
        }
        return Change(kind=EventKind.REFUND_RECORDED, to=State(row.state), fields=fields)

    def keep() -> None:
        receipt = ledger.valid_receipt(attempt_id)  # locked, since the book was written
        if receipt is not None:
            reversals.refuse_beside_one(receipt.pk)
        Refund.objects.create(
            receipt=receipt,
            attempt_id=attempt_id,
            amount_cents=CENTS * amount_kes,
            reference=wanted.reference,
            reason=wanted.reason,
            recorded_by=wanted.proposed_by,
            recorded_at=now,
        )
        kept()

    facts = {"reference": wanted.reference, "amount": str(amount_kes), "reason": wanted.reason, **people}
    try:
        ledger.apply_change(
            attempt_id, decide_on, source=Source.STAFF, facts=facts, now=now, in_same_transaction=keep
        )
    except IntegrityError as taken:
        raise ActionRefused(TWICE) from taken
    except reversals.Refusal as refused:
        raise ActionRefused(str(refused)) from refused


WAY = deciding.Way(refusal=_refusal, carry_out=_carry_out)


def _refusal_beside(wanted: HandSettlement, _now: datetime) -> str:
    receipt = _money(wanted)
    if refusal := _refusal_as_it_is(receipt):
        return refusal
    waits = waiting_kes(receipt, but=wanted)
    left = ledger.left_of(receipt)
    if not 0 < CENTS * wanted.amount_kes <= left - CENTS * waits:
        also = f", and KES {waits:,} of that waits for a second person" if waits else ""
        return f"KES {left / CENTS:,.2f} of this receipt is left to send back{also}."
    return TWICE if Refund.objects.filter(reference=wanted.reference).exists() else ""


def _carry_out_beside(wanted: HandSettlement, people: People, kept: Kept, now: datetime) -> None:
    def then() -> None:
        reversals.refuse_beside_one(wanted.money_id or 0)
        kept()

    try:
        ledger.send_back(
            _money(wanted).pk,
            cents=CENTS * wanted.amount_kes,
            now=now,
            then=then,
            reference=wanted.reference,
            reason=wanted.reason,
            recorded_by=people["by"],
        )
    except (NotThere, reversals.Refusal) as refused:
        raise ActionRefused(str(refused)) from refused
    except IntegrityError as taken:
        raise ActionRefused(TWICE) from taken


def _money(wanted: HandSettlement) -> Receipt:
    """As it is now."""
    return Receipt.objects.get(pk=wanted.money_id or 0)


BESIDE = deciding.Way(refusal=_refusal_beside, carry_out=_carry_out_beside)
