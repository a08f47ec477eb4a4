"""Taking back what a person decided, or what a statement said, by the opposite entry. Nothing is rubbed out: the
history keeps both, with who and why."""

from collections.abc import Callable
from datetime import datetime

from payments import ledger
from payments.facts import is_paid
from payments.ledger import Change, EventKind, Snapshot, Source
from payments.manual.actions import ActionRefused, Row
from payments.models import Receipt, Refund
from payments.phones import blank_phones
from payments.states import State


def undo_decision(attempt_id: int, *, reason: str, by: str, now: datetime) -> None:
    """The last that a person decided about this payment's money is taken back. Raises ActionRefused."""
    _undo(attempt_id, by_whom=(Source.STAFF,), reason=reason, by=by, now=now)


def undo_statement(
    attempt_id: int, *, reason: str, by: str, now: datetime, first: Callable[[], None]
) -> None:
    """What only a statement said of this payment is taken back, since its line is not to be believed. `first` runs in
    the same transaction, before. Raises ActionRefused."""
    _undo(attempt_id, by_whom=(Source.STATEMENT,), reason=reason, by=by, now=now, first=first)


def undo_reversal(
    reversal: Receipt, *, reason: str, by: str, now: datetime, then: Callable[[], None]
) -> None:
    """A line that showed a reversal is not to be believed: the money counts as here. `then` runs in the same
    transaction."""
    facts = {"amount": ledger.said(reversal.amount_cents), "undone": reversal.code or "", **_why(reason, by)}
    ledger.void_reversal(reversal.pk, facts=facts, now=now, then=lambda _receipt_id: then())


def undo_refund(refund_id: int, *, reason: str, by: str, now: datetime) -> None:
    """A refund that was recorded never left: the money is here again. Raises ActionRefused."""
    refund = Refund.objects.get(pk=refund_id)
    _refuse(refusal_to_undo_refund(refund))
    if refund.attempt_id is None:
        _undo_beside(refund_id, now=now)
        return

    def decide_on(row: Snapshot) -> Change:
        return Change(kind=EventKind.REFUND_UNDONE, to=State(row.state))

    def failed() -> None:
        waiting = Refund.objects.filter(pk=refund_id, state=Refund.State.SENT)
        if not waiting.update(state=Refund.State.FAILED):
            raise ActionRefused("Meanwhile it was seen on the statement, or taken back.")

    facts = {"amount": ledger.said(refund.amount_cents), "undone": refund.reference, **_why(reason, by)}
    ledger.apply_change(
        refund.attempt_id, decide_on, source=Source.STAFF, facts=facts, now=now, in_same_transaction=failed
    )


def _undo_beside(refund_id: int, *, now: datetime) -> None:
    try:
        ledger.take_back_refund(refund_id, now=now)
    except ledger.NotThere as refused:
        raise ActionRefused(str(refused)) from refused


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


def _undo(
    attempt_id: int,
    *,
    by_whom: tuple[Source, ...],
    reason: str,
    by: str,
    now: datetime,
    first: Callable[[], None] = lambda: None,
) -> None:
    def decide_on(row: Snapshot) -> Change:
        first()
        return ledger.taking_back(row, said_by=by_whom, now=now)

    try:
        ledger.apply_change(attempt_id, decide_on, source=Source.STAFF, facts=_why(reason, by), now=now)
    except ledger.NothingToTakeBack as refused:
        raise ActionRefused(str(refused)) from refused


def _why(reason: str, by: str) -> dict[str, str]:
    return {"reason": blank_phones(reason.strip()), "by": by}


def _refuse(why: str) -> None:
    if why:
        raise ActionRefused(why)
