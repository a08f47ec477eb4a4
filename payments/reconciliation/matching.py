"""Which payment each line of a statement is: by receipt, else by order code, amount and time; where a till's line names
no account, by amount, time and masked payer. Guesses nothing.

Goes through a statement's time period in batches and notes how far it came, so that it can stop and go on anywhere.
What changes a payment is one transaction for each, together with its line. Doing it again, when callbacks have come
meanwhile, looks only at lines that are nobody's yet. Reversals, sweeps and charges are never a payment.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError
from django.db.models import OuterRef, Q, QuerySet, Subquery

from djkraph import sql
from orders.selectors import codes_known
from payments import ledger
from payments.facts import held_kes, is_settled
from payments.ledger import Change, EventKind, ReceiptTaken, Snapshot, Source, Update
from payments.limits import AboveLimit
from payments.models import MpesaTransaction, Posting, Receipt, Statement, StatementLine
from payments.reconciliation.allowance import Allowance
from payments.reconciliation.beside import Meanwhile, book_beside, book_nobodys, book_others, order_to_pay
from payments.reconciliation.candidates import (
    Candidate,
    Candidates,
    Line,
    by_payer,
    candidates_of,
    lines_of,
    only_the_file_says,
    receipt_is_known,
    spelt_as_coded,
    the_doubted_one,
    the_only_one,
    without_receipt,
)
from payments.reconciliation.importing import MANY
from payments.states import Event, State

Kind, Match = StatementLine.Kind, StatementLine.Match

BATCH = 500  # lines
AT_ITS_DESK = timedelta(minutes=2)  # who uploads a statement sees it matched; later the worker goes on
FOUND = "Found on the M-PESA statement."


@dataclass(kw_only=True)
class Matched:
    """What one stretch of matching came to, in lines."""

    by_receipt: int = 0
    receipts_learned: int = 0  # payments that were known to be paid, without a receipt
    found_paid: int = 0  # payments that were open, or taken for not paid
    booked: int = 0  # lines for which there was no request: parts of an order, sweeps, charges, reversals
    differ: int = 0  # of these, where the statement names another amount than we held
    nobodys: int = 0  # lines that are left for a person
    waiting: int = 0  # of these, what only a file says: a second person must believe it
    lines: int = 0  # gone through
    finished: bool = False

    def add(self, more: "Matched") -> None:
        for name in (
            "lines",
            "by_receipt",
            "receipts_learned",
            "found_paid",
            "booked",
            "differ",
            "nobodys",
            "waiting",
        ):
            setattr(self, name, getattr(self, name) + getattr(more, name))
        self.finished = more.finished


def nobodys_lines(statement: Statement) -> QuerySet[StatementLine]:
    """The money in this statement's time period that is no payment of ours yet, whichever file brought it; and what
    this one brought beside its period."""
    in_period = Q(completed_at__range=(statement.period_from, statement.period_to))
    return _nobodys().filter(in_period | Q(statement=statement))


def match_some(statement_id: int, *, now: datetime, limit: int = BATCH) -> Matched:
    """The next lines of the statement. Call it until it is finished."""
    statement = Statement.objects.get(id=statement_id)
    # by id alone, as the index of nobody's lines is: a period would be sorted at each step
    ahead = _nobodys().filter(id__gt=statement.matched_up_to).order_by("id")
    step = lines_of(ahead[:limit])
    lines = [line for line in step if line.statement_id == statement_id or _in_period(line, statement)]
    matched = _match(lines, now=now)
    matched.lines, matched.finished = len(lines), len(step) < limit
    if matched.finished:  # payments before what gives them back
        matched.booked += (others := book_others(statement, now=now, limit=limit))
        matched.finished = others < limit
    ours = Statement.objects.filter(id=statement_id)
    if step:
        up_to = step[-1].id
        ours.filter(matched_up_to__lt=up_to).update(matched_up_to=up_to)
    if matched.finished:
        ours.filter(matched_at=None).update(matched_at=now)
        if statement.lines_in_file > MANY:  # whoever opens the comparison reads the lines with their receipts
            sql.refresh_statistics(Receipt)
            sql.refresh_statistics(Posting)
    return matched


def _in_period(line: Line, statement: Statement) -> bool:
    return bool(statement.period_from <= line.completed_at <= statement.period_to)


def count_ahead(statement: Statement) -> int:
    """How many lines lie ahead of where it stopped."""
    return nobodys_lines(statement).filter(id__gt=statement.matched_up_to).count()


def _nobodys() -> QuerySet[StatementLine]:
    return StatementLine.objects.filter(kind=Kind.PAYMENT, match=Match.NONE)


def match_all(
    statement_id: int, *, clock: Callable[[], datetime], progress: Callable[[Matched], None]
) -> Matched:
    """From where it stopped to the end."""
    whole = Matched()
    while not whole.finished:
        whole.add(match_some(statement_id, now=clock()))
        progress(whole)
    return whole


def unfinished(*, now: datetime) -> list[int]:
    """Statements whose matching stopped before its end, whoever had begun it, the oldest first."""
    stopped = Statement.objects.filter(matched_at=None, voided_at=None, uploaded_at__lte=now - AT_ITS_DESK)
    return list(stopped.order_by("id").values_list("id", flat=True))


def begin_again(statement_id: int) -> None:
    """The next `match_some` starts at its first line: callbacks may have come meanwhile."""
    Statement.objects.filter(id=statement_id).exclude(matched_at=None).update(
        matched_up_to=0, matched_at=None
    )


def matchable(statement: Statement) -> int:
    """How many of its lines have become a known payment's since they were matched."""
    return nobodys_lines(statement).filter(receipt_is_known()).count()


def match_believed(line_ids: Sequence[int], *, now: datetime) -> Matched:
    """Lines that a second person has just believed: they pay what they are for, as things stand now."""
    lines = lines_of(_nobodys().filter(id__in=line_ids).order_by("id"))
    matched = _match(lines, now=now)
    matched.lines = len(lines)
    return matched


def _match(lines: list[Line], *, now: datetime) -> Matched:
    step = _Step(now=now, allowance=Allowance(now=now))
    left = spelt_as_coded(_by_receipt(lines, step))
    candidates, payers = without_receipt(left), by_payer(left)
    beside = [line for line in left if not _by_reference(line, candidates, payers.get(line.id), step)]
    known = codes_known({line.account_no for line in beside} - {""})
    for line in beside:
        if line.account_no in known:
            _beside(line, step)
        else:
            step.nobodys.append(line.id)
    book_nobodys(step.nobodys, now=now)
    step.matched.nobodys += len(step.nobodys)
    return step.matched


@dataclass(kw_only=True)
class _Step:
    """What is gathered while some lines are matched. `nobodys`: lines that will be booked as that."""

    now: datetime
    allowance: Allowance
    matched: Matched = field(default_factory=Matched)
    nobodys: list[int] = field(default_factory=list)

    def leave_waiting(self, line: Line, *, order_id: int | None, booked: bool = True) -> None:
        """What only its file says, above what its uploader may pay alone, is nobody's until somebody else believes it.
        `booked`: the rest of its receipt is in the book already."""
        waits = StatementLine.objects.filter(id=line.id, match=Match.NONE, waits_since=None)
        waits.update(waits_since=self.now, waits_for=order_id)
        self.matched.waiting += 1
        if booked:
            self.nobodys.append(line.id)


# --- by receipt -----------------------------------------------------------------------------------------


def _by_receipt(lines: list[Line], step: _Step) -> list[Line]:
    """Gives the lines whose receipt no payment of ours has."""
    receipts = [line.receipt for line in lines]
    attempts = {
        row.receipt: row for row in candidates_of(MpesaTransaction.objects.filter(receipt__in=receipts))
    }
    taken = _with_a_line(row.id for row in attempts.values())
    agreeing: list[int] = []
    left: list[Line] = []
    for line in lines:
        attempt = attempts.get(line.receipt)
        if attempt is None:
            left.append(line)
        elif attempt.id in taken:
            step.matched.nobodys += 1  # a second line with this receipt: its payment has one
        else:
            taken.add(attempt.id)
            if line.paid_in == held_kes(attempt):
                agreeing.append(line.id)
            else:
                _correct(attempt, line, step)
    step.matched.by_receipt += _join(agreeing)
    return left


def _join(line_ids: list[int]) -> int:
    """Lines whose receipt and amount are a payment's, as we hold it: nothing changes for the payment."""
    of_receipt = MpesaTransaction.objects.filter(receipt=OuterRef("receipt")).values("id")[:1]
    lines = StatementLine.objects.filter(id__in=line_ids, match=Match.NONE)
    return lines.update(match=Match.RECEIPT, attempt=Subquery(of_receipt)) if line_ids else 0


def _correct(attempt: Candidate, line: Line, step: _Step) -> None:
    """The statement names another amount than we held for this receipt. It is believed, and a person is told."""
    paid_in: Decimal = line.paid_in
    alone = only_the_file_says(line, attempt)
    if not step.allowance.covers(line, alone):
        step.leave_waiting(line, order_id=attempt.order_id, booked=False)
        return

    def decide_on(row: Snapshot) -> Change:
        fields: dict[str, Any] = {"amount_differs": paid_in != row.amount_kes, "reviewed_at": None}
        if paid_in == int(paid_in):
            fields["received_kes"] = int(paid_in)
        is_right = paid_in == row.amount_kes and not is_settled(row)
        kind = EventKind.AMOUNT_CONFIRMED if is_right else EventKind.STATEMENT_DIFFERS
        return Change(kind=kind, to=State(row.state), fields=fields, pays=is_right)

    def take() -> None:
        _take(line.id, attempt.id, Match.RECEIPT)
        step.allowance.spend(line, alone)

    try:
        ledger.apply_change(
            attempt.id,
            decide_on,
            source=Source.STATEMENT,
            facts={"receipt": line.receipt, "amount": _said(paid_in), **line.word},
            now=step.now,
            in_same_transaction=take,
        )
    except AboveLimit:
        step.leave_waiting(line, order_id=attempt.order_id, booked=False)
    except (Meanwhile, IntegrityError):
        return
    else:
        step.matched.by_receipt += 1
        step.matched.differ += 1


# --- by order code, amount and time ---------------------------------------------------------------------


def _by_reference(line: Line, candidates: Candidates, its_payers: Candidate | None, step: _Step) -> bool:
    """Whether the line is now a payment's, the one that it can only be; or waits to be."""
    attempt = the_doubted_one(line, candidates) or the_only_one(line, candidates) or its_payers
    if attempt is None:
        return False
    alone = only_the_file_says(line, attempt)
    if not step.allowance.covers(line, alone):
        step.leave_waiting(line, order_id=attempt.order_id)
        return True
    update = Update(
        event=Event.CONFIRMED,
        source=Source.STATEMENT,
        description=FOUND,
        receipt=line.receipt,
        amount=line.paid_in,
        paid_at=line.completed_at,
        more=line.word,
    )

    def take() -> None:
        _take_its_own(line, attempt.id)
        step.allowance.spend(line, alone)

    try:
        recorded = ledger.record(attempt.id, update, now=step.now, in_same_transaction=take)
    except AboveLimit:
        step.leave_waiting(line, order_id=attempt.order_id)
        return True
    except (Meanwhile, ReceiptTaken, IntegrityError):
        return False
    if not recorded.news:  # its callback came in this moment, with this receipt
        step.matched.by_receipt += (joined := _join([line.id]))
        return joined == 1
    if recorded.moved:
        step.matched.found_paid += 1
    else:
        step.matched.receipts_learned += 1
    return True


def _beside(line: Line, step: _Step) -> None:
    """Money that no request of ours explains is booked all the same: its order's, or nobody's yet."""
    stored = StatementLine.objects.select_related("statement", "booked_as").get(id=line.id)
    order = order_to_pay(stored)
    was_nobodys = stored.booked_as_id is not None and stored.waits_since is None
    if order is None or was_nobodys:
        step.nobodys.append(line.id)
        return
    if not step.allowance.covers(line, line.paid_in):
        step.leave_waiting(line, order_id=order.pk)
        return
    try:
        booked = book_beside(
            stored, order, now=step.now, pays=lambda: step.allowance.spend(line, line.paid_in)
        )
    except AboveLimit:
        step.leave_waiting(line, order_id=order.pk)
        return
    step.matched.booked += booked
    step.matched.nobodys += not booked


# --- one line and one payment ---------------------------------------------------------------------------


def _take(line_id: int, attempt_id: int, match: str) -> None:
    """Inside the ledger's transaction. Raises Meanwhile, which undoes all of it."""
    nobodys = StatementLine.objects.filter(id=line_id, match=Match.NONE)
    if not nobodys.update(attempt=attempt_id, match=match):
        raise Meanwhile


def _take_its_own(line: Line, attempt_id: int) -> None:
    """Where another receipt came for the payment in this moment, this money is not its own."""
    if not MpesaTransaction.objects.filter(id=attempt_id, receipt=line.receipt).exists():
        raise Meanwhile
    _take(line.id, attempt_id, Match.REFERENCE)


def _with_a_line(attempt_ids: Iterable[int]) -> set[int]:
    lines = StatementLine.objects.filter(kind=Kind.PAYMENT, attempt__in=list(attempt_ids))
    return {attempt_id for attempt_id in lines.values_list("attempt_id", flat=True) if attempt_id is not None}


def _said(amount: Decimal) -> str:
    """`1500` where it is whole shillings, as everywhere in the ledger; `1500.50` where it isn't."""
    return str(int(amount)) if amount == int(amount) else str(amount)
