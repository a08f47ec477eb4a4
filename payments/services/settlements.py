"""Settling a payment by hand: what a person says became of it, on what evidence; above a limit a second one confirms.

The only writer of HandSettlement. The money itself is written by the ledger, in the same transaction.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from orders.models import MAX_TOTAL_KES, Order
from payments import gateway
from payments.models import HandSettlement, MpesaTransaction, StatementLine
from payments.phones import blank_phones, masked_payer
from payments.services import ledger
from payments.services.ledger import Change, Happening, ReceiptTaken, Source, Unasked
from payments.services.prompts import PROMPT_LIFE
from payments.services.staff import NotPossible, Row, why_not_settle
from payments.states import Event, State

Decision = HandSettlement.Decision
RECEIPT = re.compile(r"[A-Z0-9]{8,12}")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the evidence says: this receipt, this many shillings."""

    receipt: str
    amount_kes: int
    evidence: str  # one of HandSettlement.Evidence
    reason: str
    accepts_amount: bool = False
    line_id: int | None = None  # the statement's line that says so
    paid_at: datetime | None = None


def propose(attempt_id: int, claim: Claim, *, by: str, now: datetime) -> HandSettlement:
    """Settles it, or, above the limit for one person, leaves it waiting for a second. Raises NotPossible."""
    row = MpesaTransaction.objects.values().get(id=attempt_id)
    receipt = claim.receipt.strip().upper()
    _refuse_nonsense(row, claim, receipt, now=now)
    settlement = _proposal(claim, row["amount_kes"], by=by, now=now)
    settlement.attempt_id = attempt_id
    if settlement.needs_second:
        _leave_waiting(settlement, row)
    else:
        settlement.decision, settlement.decided_by, settlement.decided_at = Decision.DONE, by, now
        _carry_out(settlement, row, by={"by": by}, together_with=settlement.save, now=now)
    return settlement


def propose_unasked(order: Order, claim: Claim, *, by: str, now: datetime) -> HandSettlement:
    """Money of a statement's line, for which no request of ours exists, becomes a payment of this order; above the
    limit for one person it waits for a second. Raises NotPossible."""
    _refuse_nonsense_amount(claim.amount_kes)
    _refuse_if_known_otherwise(0, claim, claim.receipt)
    settlement = _proposal(claim, order.total_kes, by=by, now=now)
    settlement.order = order
    if settlement.needs_second:
        try:
            with transaction.atomic(durable=True):
                settlement.save()
        except IntegrityError as second:
            raise NotPossible("This money waits for a second person already.") from second
    else:
        settlement.decision, settlement.decided_by, settlement.decided_at = Decision.DONE, by, now
        _carry_out_unasked(settlement, by={"by": by}, together_with=settlement.save, now=now)
    return settlement


def confirm(settlement_id: int, *, by: str, now: datetime) -> HandSettlement:
    """A second person has seen the evidence too: settles it. Raises NotPossible."""
    settlement = _waiting(settlement_id)
    if settlement.proposed_by == by:
        raise NotPossible("A second person must confirm it: you proposed it yourself.")
    people = {"by": settlement.proposed_by, "confirmed_by": by}

    def decided() -> None:
        _decide(settlement, Decision.DONE, by=by, now=now)

    if settlement.attempt_id is None:
        _carry_out_unasked(settlement, by=people, together_with=decided, now=now)
        return settlement
    row = MpesaTransaction.objects.values().get(id=settlement.attempt_id)
    _refuse(why_not_settle(row, now=now, patience=PROMPT_LIFE))
    _carry_out(settlement, row, by=people, together_with=decided, now=now)
    return settlement


def decline(settlement_id: int, *, why: str, by: str, now: datetime) -> HandSettlement:
    """Somebody (also who proposed it) takes it back or disagrees: nothing is settled. Raises NotPossible."""
    settlement = _waiting(settlement_id)
    settlement.declined_because = blank_phones(why.strip())
    facts = {"receipt": settlement.receipt, "reason": settlement.declined_because, "by": by}

    def decided() -> None:
        _decide(settlement, Decision.DECLINED, by=by, now=now)

    if settlement.attempt_id is None:  # there is no payment yet that could remember it
        with transaction.atomic(durable=True):
            decided()
        return settlement
    ledger.write(
        settlement.attempt_id,
        lambda seen: Change(kind="settlement_declined", to=State(seen["state"])),
        source=Source.STAFF,
        facts=facts,
        now=now,
        together_with=decided,
    )
    return settlement


def waiting_for(attempt_id: int) -> HandSettlement | None:
    """The settlement of this payment that waits for a second person."""
    return HandSettlement.objects.filter(attempt_id=attempt_id, decision=Decision.WAITING).first()


def waiting_for_line(line_id: int) -> HandSettlement | None:
    """The settlement that waits for a second person, with this line of a statement as its evidence."""
    return HandSettlement.objects.filter(line_id=line_id, decision=Decision.WAITING).first()


def _proposal(claim: Claim, asked_kes: int, *, by: str, now: datetime) -> HandSettlement:
    return HandSettlement(
        line_id=claim.line_id,
        receipt=claim.receipt.strip().upper(),
        amount_kes=claim.amount_kes,
        accepts_amount=claim.accepts_amount,
        evidence=claim.evidence,
        reason=blank_phones(claim.reason.strip()),
        needs_second=max(claim.amount_kes, asked_kes) > gateway.settled_alone_up_to(),
        proposed_by=by,
        proposed_at=now,
    )


def _refuse_nonsense(row: Row, claim: Claim, receipt: str, *, now: datetime) -> None:
    _refuse(why_not_settle(row, now=now, patience=PROMPT_LIFE))
    if waiting_for(row["id"]) is not None:
        raise NotPossible("A settlement of this payment waits for a second person already.")
    if not RECEIPT.fullmatch(receipt):
        raise NotPossible("An M-PESA receipt is 10 letters and digits, like UKN4AB12CD.")
    if row["receipt"] not in (None, receipt):
        raise NotPossible(f"This payment's receipt is {row['receipt']}, not {receipt}.")
    _refuse_nonsense_amount(claim.amount_kes)
    if claim.amount_kes != row["amount_kes"] and not claim.accepts_amount:
        raise NotPossible(
            f"We asked for KES {row['amount_kes']:,}, the evidence says KES {claim.amount_kes:,}. "
            "Tick that the amount is accepted, or refund it."
        )
    _refuse_if_known_otherwise(row["id"], claim, receipt)


def _refuse_nonsense_amount(amount_kes: int) -> None:
    if not 1 <= amount_kes <= MAX_TOTAL_KES:
        raise NotPossible(f"The amount is from KES 1 to KES {MAX_TOTAL_KES:,}.")


def _refuse_if_known_otherwise(attempt_id: int, claim: Claim, receipt: str) -> None:
    """The receipt must not be another payment's, nor stand on the statement with another amount."""
    other = MpesaTransaction.objects.filter(receipt=receipt).exclude(id=attempt_id).first()
    if other is not None:
        raise NotPossible(
            f"Receipt {receipt} belongs to another payment, of order {other.account_reference}."
        )
    line = StatementLine.objects.filter(receipt=receipt, kind=StatementLine.Kind.PAYMENT).first()
    if line is not None and line.paid_in != claim.amount_kes:
        raise NotPossible(f"On the M-PESA statement, receipt {receipt} is KES {line.paid_in:,}.")
    if line is not None and line.attempt_id not in (None, attempt_id):
        raise NotPossible(f"On the M-PESA statement, receipt {receipt} is another payment's.")


def _leave_waiting(settlement: HandSettlement, row: Row) -> None:
    facts = {
        "receipt": settlement.receipt,
        "amount": str(settlement.amount_kes),
        "evidence": settlement.get_evidence_display(),
        "reason": settlement.reason,
        "by": settlement.proposed_by,
    }
    try:
        ledger.write(
            row["id"],
            lambda seen: Change(kind="settlement_proposed", to=State(seen["state"])),
            source=Source.STAFF,
            facts=facts,
            now=settlement.proposed_at,
            together_with=settlement.save,
        )
    except IntegrityError as second:
        raise NotPossible("A settlement of this payment waits for a second person already.") from second


def _carry_out(
    settlement: HandSettlement, row: Row, *, by: dict[str, str], together_with: Any, now: datetime
) -> None:
    """The money, with the settlement's row in the same transaction. Raises NotPossible."""
    why = {"evidence": settlement.get_evidence_display(), "reason": settlement.reason, **by}
    if row["state"] == State.COMPLETED and row["receipt"] is not None:
        _accept_amount(settlement, row, why, together_with, now=now)
        return
    told = Happening(
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
        if not MpesaTransaction.objects.filter(id=row["id"], receipt=settlement.receipt).exists():
            raise NotPossible("Meanwhile it was paid with another receipt: look at what happened.")
        together_with()
        _join_line(settlement)

    try:
        recorded = ledger.record(row["id"], told, now=now, together_with=and_no_other_receipt)
    except ReceiptTaken as taken:
        raise NotPossible(str(taken)) from taken
    if not recorded.news:
        raise NotPossible("Meanwhile it was settled: look at what happened.")


def _carry_out_unasked(
    settlement: HandSettlement, *, by: dict[str, str], together_with: Callable[[], None], now: datetime
) -> None:
    """A payment of its own for the money, its line and the settlement's row, in one transaction. Raises NotPossible."""
    order, line = settlement.order, settlement.line
    if order is None or line is None:
        raise RuntimeError("Money without a request has an order and a statement's line.")
    paid_to = gateway.merchant()
    money = Unasked(
        order_id=order.pk,
        amount_kes=order.total_kes,
        payer_masked=masked_payer(line.other_party),
        channel=str(paid_to.transaction_type),
        short_code=paid_to.short_code,
        account_reference=order.code,
        unpriced=not order.is_priced,
    )
    told = Happening(
        event=Event.CONFIRMED,
        source=Source.STAFF,
        description="Attached by hand.",
        receipt=settlement.receipt,
        amount=Decimal(settlement.amount_kes),
        accepts_amount=settlement.accepts_amount,
        paid_at=line.completed_at,
        more={"evidence": settlement.get_evidence_display(), "reason": settlement.reason, **by},
    )

    def and_its_line(attempt_id: int) -> None:
        settlement.attempt_id = attempt_id
        together_with()
        _join_line(settlement)

    try:
        ledger.insert_paid(money, told, now=now, together_with=and_its_line)
    except ReceiptTaken as taken:
        raise NotPossible(f"Meanwhile receipt {settlement.receipt} became another payment's.") from taken


def _time_of(settlement: HandSettlement) -> datetime | None:
    return settlement.line.completed_at if settlement.line is not None else None


def _join_line(settlement: HandSettlement) -> None:
    """The statement's line with this receipt is this payment's from now on. Inside the ledger's transaction."""
    lines = StatementLine.objects.filter(kind=StatementLine.Kind.PAYMENT, attempt=None)
    if settlement.line_id is None:
        known = lines.filter(receipt=settlement.receipt).order_by("id").values("id")[:1]
        lines.filter(id__in=list(known.values_list("id", flat=True))).update(
            attempt=settlement.attempt_id, match=StatementLine.Match.BY_HAND
        )
    elif not lines.filter(id=settlement.line_id).update(
        attempt=settlement.attempt_id, match=StatementLine.Match.BY_HAND
    ):
        raise NotPossible("Meanwhile this line of the statement became another payment's.")


def _accept_amount(
    settlement: HandSettlement, row: Row, why: dict[str, str], together_with: Any, *, now: datetime
) -> None:
    """Money of another amount than asked is there, with its receipt: from now on it pays the order."""

    def decide(seen: Row) -> Change:
        _refuse(why_not_settle(seen, now=now, patience=PROMPT_LIFE))
        fields = {"by_hand": True, "received_kes": settlement.amount_kes, "looked_at": now}
        return Change(kind="amount_accepted", to=State(seen["state"]), fields=fields, pays=True)

    facts = {"amount": str(settlement.amount_kes), **why}
    ledger.write(row["id"], decide, source=Source.STAFF, facts=facts, now=now, together_with=together_with)


def _waiting(settlement_id: int) -> HandSettlement:
    settlement = HandSettlement.objects.filter(id=settlement_id, decision=Decision.WAITING).first()
    if settlement is None:
        raise NotPossible("It is decided already.")
    return settlement


def _decide(settlement: HandSettlement, decision: Decision, *, by: str, now: datetime) -> None:
    """Inside the ledger's transaction: one of two who decide at once is refused, and all of his is undone."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A settlement is decided together with its money.")
    still_waiting = HandSettlement.objects.filter(id=settlement.pk, decision=Decision.WAITING)
    decided = {
        "decision": decision,
        "decided_by": by,
        "decided_at": now,
        "attempt_id": settlement.attempt_id,
        "declined_because": settlement.declined_because,
    }
    if not still_waiting.update(**decided):
        raise NotPossible("Somebody else decided it in this moment.")
    settlement.decision, settlement.decided_by, settlement.decided_at = decision, by, now


def _refuse(why: str) -> None:
    if why:
        raise NotPossible(why)
