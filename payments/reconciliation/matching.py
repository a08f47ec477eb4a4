"""Which payment each line of a statement is: by receipt, else by order code, amount and time. Guesses nothing.

Goes through a statement's time period in batches and notes how far it came, so that it can stop and go on anywhere.
What changes a payment is one transaction for each, together with its line. Doing it again, when callbacks have come
meanwhile, looks only at lines that are nobody's yet. Reversals, sweeps and charges are never a payment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from djkraph import sql
from orders.codes import codes_meant
from orders.selectors import codes_known
from payments import ledger
from payments.facts import FOLLOW_UP_FOR, held_kes, is_live, is_paid, is_settled, was_refused
from payments.ledger import Change, EventKind, ReceiptTaken, Snapshot, Source, Update
from payments.models import MpesaTransaction, PaymentEvent, Posting, Receipt, Statement, StatementLine
from payments.reconciliation.beside import book_beside, book_nobodys, book_others
from payments.reconciliation.importing import MANY
from payments.states import Event, State

Kind, Match = StatementLine.Kind, StatementLine.Match

BATCH = 500  # lines
CLOCKS_DIFFER = timedelta(minutes=1)  # a line may seem that much earlier than the request that it answers
READINGS = 16  # of one account number: what may mean more codes than that is looked at by a person
FOUND = "Found on the M-PESA statement."


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """Money that is nobody's yet, as far as matching needs it."""

    id: int
    statement_id: int
    receipt: str
    completed_at: datetime
    paid_in: Decimal
    account_no: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A payment of ours that a line may be."""

    id: int
    receipt: str | None
    state: str
    amount_kes: int
    received_kes: int | None
    amount_differs: bool
    created_at: datetime
    checkout_request_id: str | None
    result_code: str
    order_code: str


_LINE = tuple(column.name for column in fields(Line))
_CANDIDATE = tuple(column.name for column in fields(Candidate) if column.name != "order_code")


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
    ahead = _nobodys().filter(id__gt=statement.matched_up_to).order_by("id").values(*_LINE)
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


def begin_again(statement_id: int) -> None:
    """The next `match_some` starts at its first line: callbacks may have come meanwhile."""
    Statement.objects.filter(id=statement_id).exclude(matched_at=None).update(
        matched_up_to=0, matched_at=None
    )


def matchable(statement: Statement) -> int:
    """How many of its lines have become a known payment's since they were matched."""
    return nobodys_lines(statement).filter(_receipt_is_known()).count()


def _match(lines: list[Line], *, now: datetime) -> Matched:
    matched = Matched()
    left = _spelt_as_coded(_by_receipt(lines, matched, now=now))
    candidates = _without_receipt(left)
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
        row.receipt: row for row in _candidates(MpesaTransaction.objects.filter(receipt__in=receipts))
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


Candidates = Mapping[str, list[Candidate]]  # payments without a receipt, by their order's code


def _by_reference(line: Line, candidates: Candidates, matched: Matched, *, now: datetime) -> bool:
    """Whether the line is now a payment's: the one that it can only be."""
    attempt = _the_doubted_one(line, candidates) or _the_only_one(line, candidates)
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


def _spelt_as_coded(lines: list[Line]) -> list[Line]:
    """With the code of the one order that each account number can mean, however it was typed."""
    typed = {line.account_no for line in lines} - {""}
    meant = {text: codes_meant(text) for text in typed - codes_known(typed)}
    meant = {text: codes for text, codes in meant.items() if len(codes) <= READINGS}
    known = codes_known({code for codes in meant.values() for code in codes})
    codes = {text: next(iter(found)) for text in meant if len(found := meant[text] & known) == 1}
    return [replace(line, account_no=codes.get(line.account_no, line.account_no)) for line in lines]


def _the_doubted_one(line: Line, candidates: Candidates) -> Candidate | None:
    """The payment whose own callback named this receipt, and was not believed because of its amount."""
    doubted = [row.id for row in candidates.get(line.account_no, []) if row.amount_differs]
    if not doubted:
        return None
    said = PaymentEvent.objects.filter(
        attempt__in=doubted, kind=EventKind.AMOUNT_DIFFERS, facts__receipt=line.receipt
    )
    found = said.values_list("attempt_id", flat=True).first()
    return next((row for row in candidates.get(line.account_no, []) if row.id == found), None)


def _the_only_one(line: Line, candidates: Candidates) -> Candidate | None:
    """The payment without a receipt that this line can only be. None: there is none, or a person must say which.

    Where one is known to be paid and its receipt awaited, and Safaricom said "not paid" of the others, it is that
    one. Where another line could be the same payment's, both are left.
    """
    fits = [row for row in candidates.get(line.account_no, []) if _fits(row, line)]
    if len(fits) > 1:
        fits = [row for row in fits if not was_refused(row)]
    if len(fits) > 1 and not any(is_live(row) for row in fits):
        fits = [row for row in fits if is_paid(row)]
    if len(fits) != 1 or _rivals(line, fits[0]).exists():
        return None
    return fits[0]


def _without_receipt(lines: Iterable[Line]) -> Candidates:
    """Payments that a line may be: one query for many lines. What changes until one is written, _take finds out."""
    codes = {line.account_no for line in lines} - {""}
    with_a_line = StatementLine.objects.filter(kind=Kind.PAYMENT, attempt=OuterRef("id"))
    attempts = MpesaTransaction.objects.filter(order__code__in=codes, receipt=None).exclude(
        Exists(with_a_line)
    )
    found: dict[str, list[Candidate]] = {}
    for row in _candidates(attempts) if codes else ():
        found.setdefault(row.order_code, []).append(row)
    return found


def _fits(attempt: Candidate, line: Line) -> bool:
    after = line.completed_at - attempt.created_at
    return bool(line.paid_in == attempt.amount_kes and -CLOCKS_DIFFER <= after <= FOLLOW_UP_FOR)


def _candidates(attempts: QuerySet[MpesaTransaction]) -> Iterator[Candidate]:
    for row in attempts.values(*_CANDIDATE, order_code=F("order__code")):
        yield Candidate(**row)


def _rivals(line: Line, attempt: Candidate) -> QuerySet[StatementLine]:
    """Other money that could be this payment's just as well."""
    same = StatementLine.objects.filter(
        kind=Kind.PAYMENT, match=Match.NONE, account_no=line.account_no, paid_in=line.paid_in
    )
    in_time = same.filter(
        completed_at__gte=attempt.created_at - CLOCKS_DIFFER,
        completed_at__lte=attempt.created_at + FOLLOW_UP_FOR,
    )
    return in_time.exclude(id=line.id).exclude(_receipt_is_known())


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


def _receipt_is_known() -> Exists:
    return Exists(MpesaTransaction.objects.filter(receipt=OuterRef("receipt")))


def _said(amount: Decimal) -> str:
    """`1500` where it is whole shillings, as everywhere in the ledger; `1500.50` where it isn't."""
    return str(int(amount)) if amount == int(amount) else str(amount)
