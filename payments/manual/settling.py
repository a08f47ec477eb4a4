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
from payments import gateway, ledger
from payments.facts import is_paid
from payments.ledger import Change, EventKind, ReceiptTaken, ReceiptWithoutPrompt, Snapshot, Source, Update
from payments.manual.actions import ActionRefused, Row, refusal_to_settle
from payments.models import HandSettlement, MpesaTransaction, StatementLine
from payments.phones import blank_phones, masked_payer
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
    """Settles it, or, above the limit for one person, leaves it waiting for a second. Raises ActionRefused."""
    row = MpesaTransaction.objects.get(id=attempt_id)
    receipt = wanted.receipt.strip().upper()
    _refuse_nonsense(row, wanted, receipt, now=now)
    settlement = _proposal(wanted, row.amount_kes, by=by, now=now)
    settlement.attempt_id = attempt_id
    if settlement.needs_second:
        _leave_waiting(settlement, row)
    else:
        settlement.decision, settlement.decided_by, settlement.decided_at = Decision.DONE, by, now
        _carry_out(settlement, row, by={"by": by}, in_same_transaction=settlement.save, now=now)
    return settlement


def propose_claim(order: Order, wanted: Settlement, *, by: str, now: datetime) -> HandSettlement:
    """Money of a statement's line, for which no request of ours exists, becomes a payment of this order; above the
    limit for one person it waits for a second. Raises ActionRefused."""
    _refuse_nonsense_amount(wanted.amount_kes)
    _refuse_if_known_otherwise(0, wanted, wanted.receipt)
    settlement = _proposal(wanted, order.total_kes, by=by, now=now)
    settlement.order = order
    if settlement.needs_second:
        try:
            with transaction.atomic(durable=True):
                settlement.save()
        except IntegrityError as second:
            raise ActionRefused("This money waits for a second person already.") from second
    else:
        settlement.decision, settlement.decided_by, settlement.decided_at = Decision.DONE, by, now
        _carry_out_claim(settlement, by={"by": by}, in_same_transaction=settlement.save, now=now)
    return settlement


def confirm_settlement(settlement_id: int, *, by: str, now: datetime) -> HandSettlement:
    """A second person has seen the evidence too: settles it. Raises ActionRefused."""
    settlement = _waiting(settlement_id)
    if settlement.proposed_by == by:
        raise ActionRefused("A second person must confirm it: you proposed it yourself.")
    people = {"by": settlement.proposed_by, "confirmed_by": by}

    def decided() -> None:
        _decide(settlement, Decision.DONE, by=by, now=now)

    if settlement.attempt_id is None:
        _carry_out_claim(settlement, by=people, in_same_transaction=decided, now=now)
        return settlement
    row = MpesaTransaction.objects.get(id=settlement.attempt_id)
    _refuse(refusal_to_settle(row, now=now))
    _carry_out(settlement, row, by=people, in_same_transaction=decided, now=now)
    return settlement


def decline_settlement(settlement_id: int, *, why: str, by: str, now: datetime) -> HandSettlement:
    """Somebody (also who proposed it) takes it back or disagrees: nothing is settled. Raises ActionRefused."""
    settlement = _waiting(settlement_id)
    settlement.declined_because = blank_phones(why.strip())
    facts = {"receipt": settlement.receipt, "reason": settlement.declined_because, "by": by}

    def decided() -> None:
        _decide(settlement, Decision.DECLINED, by=by, now=now)

    if settlement.attempt_id is None:  # there is no payment yet that could remember it
        with transaction.atomic(durable=True):
            decided()
        return settlement
    ledger.apply_change(
        settlement.attempt_id,
        lambda row: Change(kind=EventKind.SETTLEMENT_DECLINED, to=State(row.state)),
        source=Source.STAFF,
        facts=facts,
        now=now,
        in_same_transaction=decided,
    )
    return settlement


def waiting_settlement(attempt_id: int) -> HandSettlement | None:
    """The settlement of this payment that waits for a second person."""
    return HandSettlement.objects.filter(attempt_id=attempt_id, decision=Decision.WAITING).first()


def waiting_settlement_of_line(line_id: int) -> HandSettlement | None:
    """The settlement that waits for a second person, with this line of a statement as its evidence."""
    return HandSettlement.objects.filter(line_id=line_id, decision=Decision.WAITING).first()


def _proposal(wanted: Settlement, asked_kes: int, *, by: str, now: datetime) -> HandSettlement:
    return HandSettlement(
        line_id=wanted.line_id,
        receipt=wanted.receipt.strip().upper(),
        amount_kes=wanted.amount_kes,
        accepts_amount=wanted.accepts_amount,
        evidence=wanted.evidence,
        reason=blank_phones(wanted.reason.strip()),
        needs_second=max(wanted.amount_kes, asked_kes) > gateway.settled_alone_up_to(),
        proposed_by=by,
        proposed_at=now,
    )


def _refuse_nonsense(row: Row, wanted: Settlement, receipt: str, *, now: datetime) -> None:
    _refuse(refusal_to_settle(row, now=now))
    if waiting_settlement(row.id) is not None:
        raise ActionRefused("A settlement of this payment waits for a second person already.")
    if not RECEIPT.fullmatch(receipt):
        raise ActionRefused("An M-PESA receipt is 10 letters and digits, like UKN4AB12CD.")
    if row.receipt not in (None, receipt):
        raise ActionRefused(f"This payment's receipt is {row.receipt}, not {receipt}.")
    _refuse_nonsense_amount(wanted.amount_kes)
    if wanted.amount_kes != row.amount_kes and not wanted.accepts_amount:
        raise ActionRefused(
            f"We asked for KES {row.amount_kes:,}, the evidence says KES {wanted.amount_kes:,}. "
            "Tick that the amount is accepted, or refund it."
        )
    _refuse_if_known_otherwise(row.id, wanted, receipt)


def _refuse_nonsense_amount(amount_kes: int) -> None:
    if not 1 <= amount_kes <= MAX_TOTAL_KES:
        raise ActionRefused(f"The amount is from KES 1 to KES {MAX_TOTAL_KES:,}.")


def _refuse_if_known_otherwise(attempt_id: int, wanted: Settlement, receipt: str) -> None:
    """The receipt must not be another payment's, nor stand on the statement with another amount."""
    other = MpesaTransaction.objects.filter(receipt=receipt).exclude(id=attempt_id).first()
    if other is not None:
        raise ActionRefused(
            f"Receipt {receipt} belongs to another payment, of order {other.account_reference}."
        )
    line = StatementLine.objects.filter(
        receipt=receipt, kind=StatementLine.Kind.PAYMENT, voided_at=None
    ).first()
    if line is not None and line.paid_in != wanted.amount_kes:
        raise ActionRefused(f"On the M-PESA statement, receipt {receipt} is KES {line.paid_in:,}.")
    if line is not None and line.attempt_id not in (None, attempt_id):
        raise ActionRefused(f"On the M-PESA statement, receipt {receipt} is another payment's.")


def _leave_waiting(settlement: HandSettlement, row: Row) -> None:
    facts = {
        "receipt": settlement.receipt,
        "amount": str(settlement.amount_kes),
        "evidence": settlement.get_evidence_display(),
        "reason": settlement.reason,
        "by": settlement.proposed_by,
    }
    try:
        ledger.apply_change(
            row.id,
            lambda row: Change(kind=EventKind.SETTLEMENT_PROPOSED, to=State(row.state)),
            source=Source.STAFF,
            facts=facts,
            now=settlement.proposed_at,
            in_same_transaction=settlement.save,
        )
    except IntegrityError as second:
        raise ActionRefused("A settlement of this payment waits for a second person already.") from second


def _carry_out(
    settlement: HandSettlement, row: Row, *, by: dict[str, str], in_same_transaction: Any, now: datetime
) -> None:
    """The money, with the settlement's row in the same transaction. Raises ActionRefused."""
    why = {"evidence": settlement.get_evidence_display(), "reason": settlement.reason, **by}
    if is_paid(row) and row.receipt is not None:
        _accept_amount(settlement, row, why, in_same_transaction, now=now)
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
        in_same_transaction()
        _join_line(settlement)

    try:
        recorded = ledger.record(row.id, update, now=now, in_same_transaction=and_no_other_receipt)
    except ReceiptTaken as taken:
        raise ActionRefused(str(taken)) from taken
    if not recorded.news:
        raise ActionRefused("Meanwhile it was settled: look at what happened.")


def _carry_out_claim(
    settlement: HandSettlement, *, by: dict[str, str], in_same_transaction: Callable[[], None], now: datetime
) -> None:
    """A payment of its own for the money, its line, the settlement's row: one transaction. Raises ActionRefused."""
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
        more={"evidence": settlement.get_evidence_display(), "reason": settlement.reason, **by},
    )

    def and_its_line(attempt_id: int) -> None:
        settlement.attempt_id = attempt_id
        in_same_transaction()
        _join_line(settlement)

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
    elif not lines.filter(id=settlement.line_id).update(
        attempt=settlement.attempt_id, match=StatementLine.Match.BY_HAND
    ):
        raise ActionRefused("Meanwhile this line of the statement became another payment's.")


def _accept_amount(
    settlement: HandSettlement, row: Row, why: dict[str, str], in_same_transaction: Any, *, now: datetime
) -> None:
    """Money of another amount than asked is there, with its receipt: from now on it pays the order."""

    def decide_on(row: Snapshot) -> Change:
        _refuse(refusal_to_settle(row, now=now))
        fields = {"by_hand": True, "received_kes": settlement.amount_kes, "reviewed_at": now}
        return Change(kind=EventKind.AMOUNT_ACCEPTED, to=State(row.state), fields=fields, pays=True)

    facts = {"amount": str(settlement.amount_kes), **why}
    ledger.apply_change(
        row.id, decide_on, source=Source.STAFF, facts=facts, now=now, in_same_transaction=in_same_transaction
    )


def _waiting(settlement_id: int) -> HandSettlement:
    settlement = HandSettlement.objects.filter(id=settlement_id, decision=Decision.WAITING).first()
    if settlement is None:
        raise ActionRefused("It is decided already.")
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
        raise ActionRefused("Somebody else decided it in this moment.")
    settlement.decision, settlement.decided_by, settlement.decided_at = decision, by, now


def _refuse(why: str) -> None:
    if why:
        raise ActionRefused(why)
