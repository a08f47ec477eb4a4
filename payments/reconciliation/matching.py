"""Which payment each line of a statement is: by receipt, else by order code, amount and time. Guesses nothing.

Goes through a statement's time period in batches and notes how far it came, so that it can stop and go on anywhere.
What changes a payment is one transaction for each, together with its line. Doing it again, when callbacks have come
meanwhile, looks only at lines that are nobody's yet. Reversals, sweeps and charges are never a payment.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError
from django.db.models import OuterRef, Q, QuerySet, Subquery

from orders.selectors import codes_known
from payments import ledger
from payments.facts import held_kes, is_settled
from payments.ledger import Change, EventKind, ReceiptTaken, Snapshot, Source, Update
from payments.models import MpesaTransaction, Statement, StatementLine
from payments.reconciliation.beside import book_beside, book_nobodys, book_others
from payments.reconciliation.candidates import (
    LINE_COLUMNS,
    Candidates,
    Line,
    candidates_of,
    receipt_is_known,
    spelt_as_coded,
    the_doubted_one,
    the_only_one,
    without_receipt,
)
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
        ):
            setattr(self, name, getattr(self, name) + getattr(more, name))
        self.finished = more.finished


class _Meanwhile(Exception):
    """Somebody else matched this line or this payment in this moment."""


def nobodys_lines(statement: Statement) -> QuerySet[StatementLine]:
    """The money in this statement's time period that is no payment of ours yet, whichever file brought it; and what
    this one brought beside its period."""
    in_period = Q(completed_at__range=(statement.period_from, statement.period_to))
    return _nobodys().filter(in_period | Q(statement=statement))


def match_some(statement_id: int, *, now: datetime, limit: int = BATCH) -> Matched:
    """The next lines of the statement. Call it until it is finished."""
    statement = Statement.objects.get(id=statement_id)
    # by id alone, as the index of nobody's lines is: a period would be sorted at each step
    ahead = _nobodys().filter(id__gt=statement.matched_up_to).order_by("id").values(*LINE_COLUMNS)
    step = [Line(**row) for row in ahead[:limit]]
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


def _match(lines: list[Line], *, now: datetime) -> Matched:
    matched = Matched()
    left = spelt_as_coded(_by_receipt(lines, matched, now=now))
    candidates = without_receipt(left)
    beside = [line for line in left if not _by_reference(line, candidates, matched, now=now)]
    known = codes_known({line.account_no for line in beside} - {""})
    of_orders = [line for line in beside if line.account_no in known]
    booked = sum(_beside(line, now=now) for line in of_orders)
    book_nobodys([line.id for line in beside if line.account_no not in known], now=now)
    matched.booked += booked
    matched.nobodys += len(beside) - booked
    return matched


# --- by receipt -----------------------------------------------------------------------------------------


def _by_receipt(lines: list[Line], matched: Matched, *, now: datetime) -> list[Line]:
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
            matched.nobodys += 1  # a second line with this receipt: its payment has one
        else:
            taken.add(attempt.id)
            if line.paid_in == held_kes(attempt):
                agreeing.append(line.id)
            elif _correct(attempt.id, line, now=now):
                matched.by_receipt += 1
                matched.differ += 1
    matched.by_receipt += _join(agreeing)
    return left


def _join(line_ids: list[int]) -> int:
    """Lines whose receipt and amount are a payment's, as we hold it: nothing changes for the payment."""
    of_receipt = MpesaTransaction.objects.filter(receipt=OuterRef("receipt")).values("id")[:1]
    lines = StatementLine.objects.filter(id__in=line_ids, match=Match.NONE)
    return lines.update(match=Match.RECEIPT, attempt=Subquery(of_receipt)) if line_ids else 0


def _correct(attempt_id: int, line: Line, *, now: datetime) -> bool:
    """The statement names another amount than we held for this receipt. It is believed, and a person is told."""
    paid_in: Decimal = line.paid_in

    def decide_on(row: Snapshot) -> Change:
        fields: dict[str, Any] = {"amount_differs": paid_in != row.amount_kes, "reviewed_at": None}
        if paid_in == int(paid_in):
            fields["received_kes"] = int(paid_in)
        is_right = paid_in == row.amount_kes and not is_settled(row)
        kind = EventKind.AMOUNT_CONFIRMED if is_right else EventKind.STATEMENT_DIFFERS
        return Change(kind=kind, to=State(row.state), fields=fields, pays=is_right)

    try:
        ledger.apply_change(
            attempt_id,
            decide_on,
            source=Source.STATEMENT,
            facts={"receipt": line.receipt, "amount": _said(paid_in)},
            now=now,
            in_same_transaction=lambda: _take(line.id, attempt_id, Match.RECEIPT),
        )
    except (_Meanwhile, IntegrityError):
        return False
    return True


# --- by order code, amount and time ---------------------------------------------------------------------


def _by_reference(line: Line, candidates: Candidates, matched: Matched, *, now: datetime) -> bool:
    """Whether the line is now a payment's: the one that it can only be."""
    attempt = the_doubted_one(line, candidates) or the_only_one(line, candidates)
    if attempt is None:
        return False
    update = Update(
        event=Event.CONFIRMED,
        source=Source.STATEMENT,
        description=FOUND,
        receipt=line.receipt,
        amount=line.paid_in,
        paid_at=line.completed_at,
    )
    try:
        recorded = ledger.record(
            attempt.id, update, now=now, in_same_transaction=lambda: _take_its_own(line, attempt.id)
        )
    except (_Meanwhile, ReceiptTaken, IntegrityError):
        return False
    if not recorded.news:  # its callback came in this moment, with this receipt
        matched.by_receipt += (joined := _join([line.id]))
        return joined == 1
    if recorded.moved:
        matched.found_paid += 1
    else:
        matched.receipts_learned += 1
    return True


def _beside(line: Line, *, now: datetime) -> bool:
    """Money that no request of ours explains is booked all the same: whether it is its order's."""
    stored = StatementLine.objects.select_related("statement").get(id=line.id)
    return book_beside(stored, now=now)


# --- one line and one payment ---------------------------------------------------------------------------


def _take(line_id: int, attempt_id: int, match: str) -> None:
    """Inside the ledger's transaction. Raises _Meanwhile, which undoes all of it."""
    nobodys = StatementLine.objects.filter(id=line_id, match=Match.NONE)
    if not nobodys.update(attempt=attempt_id, match=match):
        raise _Meanwhile


def _take_its_own(line: Line, attempt_id: int) -> None:
    """Where another receipt came for the payment in this moment, this money is not its own."""
    if not MpesaTransaction.objects.filter(id=attempt_id, receipt=line.receipt).exists():
        raise _Meanwhile
    _take(line.id, attempt_id, Match.REFERENCE)


def _with_a_line(attempt_ids: Iterable[int]) -> set[int]:
    lines = StatementLine.objects.filter(kind=Kind.PAYMENT, attempt__in=list(attempt_ids))
    return {attempt_id for attempt_id in lines.values_list("attempt_id", flat=True) if attempt_id is not None}


def _said(amount: Decimal) -> str:
    """`1500` where it is whole shillings, as everywhere in the ledger; `1500.50` where it isn't."""
    return str(int(amount)) if amount == int(amount) else str(amount)
