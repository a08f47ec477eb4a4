"""Taking back what a person decided, or what a statement said, by the opposite entry. Nothing is rubbed out: the
history keeps both, with who and why."""

from collections.abc import Callable
from datetime import datetime

from payments import ledger
from payments.facts import is_paid, received_kes
from payments.ledger import CENTS, Change, EventKind, Snapshot, Source
from payments.manual import deciding
from payments.manual.actions import ActionRefused, Row
from payments.manual.deciding import Kept, People, What
from payments.models import HandSettlement, MpesaTransaction, Receipt, Refund
from payments.states import State

MEANWHILE = "Meanwhile it stands otherwise: look at what happened."


def undo_decision(attempt_id: int, *, reason: str, by: str, now: datetime) -> HandSettlement:
    """The last that a person decided about this payment's money is taken back. Raises ActionRefused."""
    row = MpesaTransaction.objects.get(id=attempt_id)
    last = ledger.last_of_its_money(attempt_id)
    kes = received_kes(row)
    wanted = _decision(What.UNDO, row, kes or row.amount_kes, reason)
    wanted.of_event = last.number if last else None
    return deciding.decide(wanted, UNDO, by=by, now=now)


def undo_refund(refund_id: int, *, reason: str, by: str, now: datetime) -> HandSettlement:
    """A refund that was recorded never left: the money is here again. Raises ActionRefused."""
    refund = Refund.objects.select_related("attempt", "receipt").get(pk=refund_id)
    wanted = _decision(What.UNDO_REFUND, refund.attempt, -(-refund.amount_cents // CENTS), reason)
    wanted.refund, wanted.reference = refund, refund.reference
    wanted.receipt = (refund.receipt and refund.receipt.code) or wanted.receipt
    return deciding.decide(wanted, UNDO_REFUND, by=by, now=now)


def undo_statement(
    attempt_id: int, *, reason: str, people: People, now: datetime, first: Callable[[], None], kept: Kept
) -> None:
    """What only a statement said of this payment is taken back, since its line is not to be believed. `first` and
    `kept` run in the same transaction, before and after. Raises ActionRefused."""

    def decide_on(row: Snapshot) -> Change:
        first()
        return ledger.taking_back(row, said_by=(Source.STATEMENT,), now=now)

    _take_back(attempt_id, decide_on, {"reason": reason, **people}, kept, now=now)


def undo_reversal(reversal: Receipt, *, reason: str, people: People, now: datetime, then: Kept) -> None:
    """A line that showed a reversal is not to be believed: the money counts as here. `then` runs in the same
    transaction."""
    said = {"amount": ledger.said(reversal.amount_cents), "undone": reversal.code or ""}
    facts = {**said, "reason": reason, **people}
    ledger.void_reversal(reversal.pk, facts=facts, now=now, then=lambda _receipt_id: then())


def refusal_to_undo(row: Row) -> str:
    """Empty where a person's decision about its money can be taken back."""
    if not is_paid(row) or ledger.kind_that_takes_back(row.id, said_by=(Source.STAFF,)) is None:
        return "Nobody has decided anything about its money that could be taken back."
    if row.refunded_kes:
        return "Some of its money is recorded as sent back. Take that back first, where it never left."
    return ""


def refusal_to_undo_refund(refund: Refund) -> str:
    if refund.state == Refund.State.SEEN:
        return "The M-PESA statement shows that it left: it can't be taken back."
    if refund.state == Refund.State.FAILED:
        return "It is taken back already."
    return ""


def _decision(
    what: HandSettlement.What, attempt: MpesaTransaction | None, kes: int, reason: str
) -> HandSettlement:
    return HandSettlement(
        what=what,
        attempt=attempt,
        receipt=(attempt and attempt.receipt) or "",
        amount_kes=kes,
        counts_kes=kes,
        evidence=HandSettlement.Evidence.REASON,
        reason=reason,
    )


def _refusal(wanted: HandSettlement, _now: datetime) -> str:
    row = MpesaTransaction.objects.get(id=wanted.attempt_id or 0)
    return refusal_to_undo(row) or _refusal_as_overtaken(wanted)


def _refusal_as_overtaken(wanted: HandSettlement) -> str:
    last = ledger.last_of_its_money(wanted.attempt_id or 0)
    return "" if last is not None and last.number == wanted.of_event else MEANWHILE


def _undo(wanted: HandSettlement, people: People, kept: Kept, now: datetime) -> None:
    def decide_on(row: Snapshot) -> Change:
        deciding.refuse(_refusal_as_overtaken(wanted))
        return ledger.taking_back(row, said_by=(Source.STAFF,), now=now)

    _take_back(wanted.attempt_id or 0, decide_on, {"reason": wanted.reason, **people}, kept, now=now)


def _take_back(
    attempt_id: int,
    decide_on: Callable[[Snapshot], Change],
    facts: dict[str, str],
    kept: Kept,
    *,
    now: datetime,
) -> None:
    try:
        ledger.apply_change(
            attempt_id, decide_on, source=Source.STAFF, facts=facts, now=now, in_same_transaction=kept
        )
    except ledger.NothingToTakeBack as refused:
        raise ActionRefused(str(refused)) from refused


def _refusal_of_refund(wanted: HandSettlement, _now: datetime) -> str:
    return refusal_to_undo_refund(Refund.objects.get(pk=wanted.refund_id or 0))


def _undo_refund(wanted: HandSettlement, people: People, kept: Kept, now: datetime) -> None:
    if wanted.attempt_id is None:
        _undo_refund_beside(wanted, kept, now=now)
        return

    def failed() -> None:
        waiting = Refund.objects.filter(pk=wanted.refund_id or 0, state=Refund.State.SENT)
        if not waiting.update(state=Refund.State.FAILED):
            raise ActionRefused("Meanwhile it was seen on the statement, or taken back.")
        kept()

    refund = Refund.objects.get(pk=wanted.refund_id or 0)
    facts = {
        "amount": ledger.said(refund.amount_cents),
        "undone": refund.reference,
        "reason": wanted.reason,
        **people,
    }
    ledger.apply_change(
        wanted.attempt_id,
        lambda row: Change(kind=EventKind.REFUND_UNDONE, to=State(row.state)),
        source=Source.STAFF,
        facts=facts,
        now=now,
        in_same_transaction=failed,
    )


def _undo_refund_beside(wanted: HandSettlement, kept: Kept, *, now: datetime) -> None:
    """Of money that came beside any request."""
    try:
        ledger.take_back_refund(wanted.refund_id or 0, now=now, then=kept)
    except ledger.NotThere as refused:
        raise ActionRefused(str(refused)) from refused


UNDO = deciding.Way(refusal=_refusal, carry_out=_undo)
UNDO_REFUND = deciding.Way(refusal=_refusal_of_refund, carry_out=_undo_refund)
