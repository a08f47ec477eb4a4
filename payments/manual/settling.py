"""Settling a payment by hand: what a person says became of it, on what evidence. The money itself is written by the
ledger, in the same transaction as the decision (deciding.py).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from orders.models import MAX_TOTAL_KES, Order
from payments import gateway, ledger, lookups
from payments.facts import is_paid
from payments.ledger import Change, EventKind, ReceiptTaken, ReceiptWithoutPrompt, Snapshot, Source, Update
from payments.manual import deciding
from payments.manual.actions import ActionRefused, Row, refusal_to_settle
from payments.manual.deciding import Kept, People, What
from payments.models import HandSettlement, MpesaTransaction, StatementLine
from payments.phones import masked_payer
from payments.states import Event, State

Decision = HandSettlement.Decision
RECEIPT = re.compile(r"[A-Z0-9]{8,12}")


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What the evidence says: this receipt, this many shillings."""

    receipt: str
    amount_kes: int
    evidence: str  # one of HandSettlement.Evidence
    reason: str
    accepts_amount: bool = False
    line_id: int | None = None  # the statement's line that says so
    paid_at: datetime | None = None


def propose_settlement(attempt_id: int, wanted: Settlement, *, by: str, now: datetime) -> HandSettlement:
    """Settles it, or, above the limit for one person, leaves it waiting for a second; meanwhile Safaricom is asked,
    whose word needs none. Raises ActionRefused."""
    decided = deciding.decide(of_payment(attempt_id, wanted), WAY, by=by, now=now)
    if decided.decision == Decision.WAITING:
        lookups.name_by_person(attempt_id, decided.receipt, amount_kes=decided.amount_kes, now=now)
    return decided


def of_payment(attempt_id: int, wanted: Settlement) -> HandSettlement:
    """The decision that this money is this payment's."""
    row = MpesaTransaction.objects.get(id=attempt_id)
    return _decision(wanted, row.amount_kes, attempt=row)


def of_order(order: Order, wanted: Settlement) -> HandSettlement:
    """The decision that money of a statement's line, for which no request of ours exists, pays this order."""
    return _decision(wanted, order.total_kes, order=order)


def waiting_settlement(attempt_id: int) -> HandSettlement | None:
    """The settlement of this payment that waits for a second person."""
    return HandSettlement.objects.filter(attempt_id=attempt_id, decision=Decision.WAITING).first()


def waiting_settlement_of_line(line_id: int) -> HandSettlement | None:
    """The settlement that waits for a second person, with this line of a statement as its evidence."""
    return HandSettlement.objects.filter(line_id=line_id, decision=Decision.WAITING).first()


def _decision(wanted: Settlement, asked_kes: int, **about: Any) -> HandSettlement:
    return HandSettlement(
        what=What.SETTLE,
        line_id=wanted.line_id,
        receipt=wanted.receipt.strip().upper(),
        amount_kes=wanted.amount_kes,
        counts_kes=max(wanted.amount_kes, asked_kes),
        accepts_amount=wanted.accepts_amount,
        evidence=wanted.evidence,
        reason=wanted.reason,
        **about,
    )


def refusal(settlement: HandSettlement, now: datetime) -> str:
    """Empty where the money can be so, as far as is known by now."""
    if settlement.attempt_id is None:
        return _refusal_of_amount(settlement) or _refusal_as_known_otherwise(settlement)
    row = MpesaTransaction.objects.get(id=settlement.attempt_id)
    return (
        refusal_to_settle(row, now=now)
        or _refusal_of_receipt(row, settlement.receipt)
        or _refusal_of_amount(settlement)
        or _refusal_of_another_amount(row, settlement)
        or _refusal_as_known_otherwise(settlement)
    )


def _refusal_of_receipt(row: Row, receipt: str) -> str:
    if not RECEIPT.fullmatch(receipt):
        return "An M-PESA receipt is 10 letters and digits, like UKN4AB12CD."
    if row.receipt not in (None, receipt):
        return f"This payment's receipt is {row.receipt}, not {receipt}."
    return ""


def _refusal_of_amount(settlement: HandSettlement) -> str:
    if 1 <= settlement.amount_kes <= MAX_TOTAL_KES:
        return ""
    return f"The amount is from KES 1 to KES {MAX_TOTAL_KES:,}."


def _refusal_of_another_amount(row: Row, settlement: HandSettlement) -> str:
    if settlement.amount_kes == row.amount_kes or settlement.accepts_amount:
        return ""
    return (
        f"We asked for KES {row.amount_kes:,}, the evidence says KES {settlement.amount_kes:,}. "
        "Tick that the amount is accepted, or refund it."
    )


def _refusal_as_known_otherwise(settlement: HandSettlement) -> str:
    """The receipt must not be another payment's, nor stand on the statement with another amount."""
    receipt, its = settlement.receipt, settlement.attempt_id
    other = MpesaTransaction.objects.filter(receipt=receipt).exclude(id=its or 0).first()
    if other is not None:
        return f"Receipt {receipt} belongs to another payment, of order {other.account_reference}."
    line = StatementLine.objects.filter(
        receipt=receipt, kind=StatementLine.Kind.PAYMENT, voided_at=None
    ).first()
    if line is not None and line.paid_in != settlement.amount_kes:
        return f"On the M-PESA statement, receipt {receipt} is KES {line.paid_in:,}."
    if line is not None and line.attempt_id not in (None, its):
        return f"On the M-PESA statement, receipt {receipt} is another payment's."
    return ""


def carry_out(settlement: HandSettlement, people: People, kept: Kept, now: datetime) -> None:
    """The money, its line, and the decision in the same transaction. Raises ActionRefused."""
    if settlement.attempt_id is None:
        _carry_out_claim(settlement, people, kept, now)
    else:
        _carry_out_settlement(
            settlement, MpesaTransaction.objects.get(id=settlement.attempt_id), people, kept, now
        )


def _carry_out_settlement(
    settlement: HandSettlement, row: Row, people: People, kept: Kept, now: datetime
) -> None:
    why = {"evidence": settlement.get_evidence_display(), "reason": settlement.reason, **people}
    if is_paid(row) and row.receipt is not None:
        _accept_amount(settlement, row, why, kept, now=now)
        return
    update = Update(
        event=Event.CONFIRMED,
        source=Source.STAFF,
        description="Settled by hand.",
        receipt=settlement.receipt,
        amount=Decimal(settlement.amount_kes),
        accepts_amount=settlement.accepts_amount,
        paid_at=_time_of(settlement),
        more=why,
    )

    def and_no_other_receipt() -> None:
        if not MpesaTransaction.objects.filter(id=row.id, receipt=settlement.receipt).exists():
            raise ActionRefused("Meanwhile it was paid with another receipt: look at what happened.")
        _join_line(settlement)
        kept()

    try:
        recorded = ledger.record(row.id, update, now=now, in_same_transaction=and_no_other_receipt)
    except ReceiptTaken as taken:
        raise ActionRefused(str(taken)) from taken
    if not recorded.news:
        raise ActionRefused("Meanwhile it was settled: look at what happened.")


def _carry_out_claim(settlement: HandSettlement, people: People, kept: Kept, now: datetime) -> None:
    """A payment of its own for the money, its line, the decision: one transaction. Raises ActionRefused."""
    order, line = settlement.order, settlement.line
    if order is None or line is None:
        raise RuntimeError("Money without a request has an order and a statement's line.")
    paid_to = gateway.merchant()
    money = ReceiptWithoutPrompt(
        order_id=order.pk,
        amount_kes=order.total_kes,
        payer_masked=masked_payer(line.other_party),
        channel=paid_to.transaction_type.value,
        short_code=paid_to.short_code,
        account_reference=order.code,
        unpriced=not order.is_priced,
    )
    update = Update(
        event=Event.CONFIRMED,
        source=Source.STAFF,
        description="Attached by hand.",
        receipt=settlement.receipt,
        amount=Decimal(settlement.amount_kes),
        accepts_amount=settlement.accepts_amount,
        paid_at=line.completed_at,
        more={"evidence": settlement.get_evidence_display(), "reason": settlement.reason, **people},
    )

    def and_its_line(attempt_id: int) -> None:
        settlement.attempt_id = attempt_id
        _join_line(settlement)
        kept()

    try:
        ledger.insert_paid(money, update, now=now, in_same_transaction=and_its_line)
    except ReceiptTaken as taken:
        raise ActionRefused(f"Meanwhile receipt {settlement.receipt} became another payment's.") from taken


def _time_of(settlement: HandSettlement) -> datetime | None:
    return settlement.line.completed_at if settlement.line is not None else None


def _join_line(settlement: HandSettlement) -> None:
    """The statement's line with this receipt is this payment's from now on. Inside the ledger's transaction."""
    lines = StatementLine.objects.filter(kind=StatementLine.Kind.PAYMENT, match=StatementLine.Match.NONE)
    if settlement.line_id is None:
        known = lines.filter(receipt=settlement.receipt).order_by("id").values("id")[:1]
        lines.filter(id__in=list(known.values_list("id", flat=True))).update(
            attempt=settlement.attempt_id, match=StatementLine.Match.BY_HAND
        )
        return
    if _was_placed(settlement.receipt):
        raise ActionRefused("Meanwhile some of this money was given to an order, kept, or sent back.")
    if not lines.filter(id=settlement.line_id).update(
        attempt=settlement.attempt_id, match=StatementLine.Match.BY_HAND
    ):
        raise ActionRefused("Meanwhile this line of the statement became another payment's.")


def _was_placed(receipt: str) -> bool:
    """Whether people have decided about a part of it. Whoever does holds the receipt, as this transaction does."""
    parts = HandSettlement.objects.filter(
        money__code=receipt,
        money__voided_at=None,
        what__in=(What.CLAIM, What.KEEP, What.REFUND),
        decision=Decision.DONE,
    )
    return parts.exists()


def _accept_amount(
    settlement: HandSettlement, row: Row, why: dict[str, str], kept: Kept, *, now: datetime
) -> None:
    """Money of another amount than asked is there, with its receipt: from now on it pays the order."""

    def decide_on(row: Snapshot) -> Change:
        deciding.refuse(refusal_to_settle(row, now=now))
        fields = {"by_hand": True, "received_kes": settlement.amount_kes, "reviewed_at": now}
        return Change(kind=EventKind.AMOUNT_ACCEPTED, to=State(row.state), fields=fields, pays=True)

    facts = {"amount": str(settlement.amount_kes), **why}
    ledger.apply_change(
        row.id, decide_on, source=Source.STAFF, facts=facts, now=now, in_same_transaction=kept
    )


WAY = deciding.Way(refusal=refusal, carry_out=carry_out)
