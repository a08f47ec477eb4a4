"""A statement, or one line of it, is not to be believed: what it alone brought is taken back, line by line. What others
said too stays; what can't be taken back is named, for a person."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from payments import ledger
from payments.ledger import NotThere, Source
from payments.manual.actions import ActionRefused
from payments.manual.correcting import undo_reversal, undo_statement
from payments.models import Receipt, Refund, Statement, StatementLine
from payments.phones import blank_phones

Kind, Match = StatementLine.Kind, StatementLine.Match
NOT_PAYMENTS_FIRST = {Kind.PAYMENT: 1}  # what gives back goes before what came

TRIES = 5  # at a line that is matched in the same moment

Progress = Callable[[int, int], None]  # lines voided, of how many


class _Meanwhile(Exception):
    """Somebody else matched or voided this line in this moment."""


@dataclass(kw_only=True)
class Voided:
    """How many lines were taken back, and which could not be: (receipt, why)."""

    lines: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)


def void_statement(
    statement_id: int,
    *,
    reason: str,
    by: str,
    now: datetime,
    progress: Progress = lambda _done, _total: None,
) -> Voided:
    """Each line is a transaction of its own: stopped in between, it goes on where it stopped. The statement itself is
    void once none of its lines stands."""
    voided = Voided()
    lines = list(StatementLine.objects.filter(statement_id=statement_id, voided_at=None).order_by("id"))
    lines.sort(key=lambda line: NOT_PAYMENTS_FIRST.get(Kind(line.kind), 0))
    for done, line in enumerate(lines, start=1):
        try:
            void_line(line.pk, reason=reason, by=by, now=now)
            voided.lines += 1
        except ActionRefused as refused:
            voided.left.append((line.receipt, str(refused)))
        progress(done, len(lines))
    if not voided.left:
        why = blank_phones(reason.strip())[:300]
        stands = Statement.objects.filter(id=statement_id, voided_at=None)
        stands.update(voided_at=now, voided_by=by, voided_because=why)
        StatementLine.objects.filter(absent_from_id=statement_id).update(absent_from=None)
    return voided


def void_line(line_id: int, *, reason: str, by: str, now: datetime) -> None:
    """Raises ActionRefused."""
    for _ in range(TRIES):
        try:
            _void_as_it_stands(line_id, reason=reason, by=by, now=now)
        except _Meanwhile:
            continue
        return
    raise ActionRefused("It is being matched in this moment. Try again.")


def _void_as_it_stands(line_id: int, *, reason: str, by: str, now: datetime) -> None:
    line = StatementLine.objects.select_related("attempt", "booked_as__reverses").get(id=line_id)
    if refusal := refusal_to_void(line):
        raise ActionRefused(refusal)
    attempt_id = _whose(line)

    def mark() -> None:
        _mark(line, by=by, now=now)

    def hold_and_mark() -> None:
        _hold_money_of(attempt_id or 0)
        mark()

    try:
        if attempt_id is not None and _rests_on_the_statement(attempt_id):
            undo_statement(attempt_id, reason=reason, by=by, now=now, first=hold_and_mark)
        elif attempt_id is not None or line.booked_as is None:
            mark()
        else:
            _take_back(line, line.booked_as, mark, reason=reason, by=by, now=now)
    except NotThere as refused:
        raise ActionRefused(str(refused)) from refused


def refusal_to_void(line: StatementLine) -> str:
    """Empty where it can be voided."""
    if line.voided_at is not None:
        return "It is void already."
    if line.settlements.filter(decision="waiting").exists():
        return "This money waits for a second person: decide that first."
    if line.attempt_id is not None and _a_person_attached_it(line):
        return "A person attached this money to an order. Take that decision back first, at the payment."
    if line.kind == Kind.REVERSAL and line.booked_as is not None and line.booked_as.reverses is not None:
        original = line.booked_as.reverses
        if original.attempt_id is None and not Refund.objects.filter(seen_as=line.booked_as).exists():
            return "It gave back money of no payment of ours. Void the line of the money that came."
    return ""


def _whose(line: StatementLine) -> int | None:
    """The payment that has the line's money, also where the line was there before it."""
    return line.attempt_id or (line.booked_as.attempt_id if line.booked_as else None)


def _hold_money_of(attempt_id: int) -> None:
    """Before the line, as everybody else does."""
    money = Receipt.objects.filter(attempt_id=attempt_id, voided_at=None).order_by("id")
    list(money.select_for_update(no_key=True).values_list("id"))


def _rests_on_the_statement(attempt_id: int) -> bool:
    return ledger.kind_that_takes_back(attempt_id, said_by=(Source.STATEMENT,)) is not None


def _a_person_attached_it(line: StatementLine) -> bool:
    attached = line.settlements.filter(decision="done").exists()
    return attached and ledger.kind_that_takes_back(line.attempt_id or 0, said_by=(Source.STAFF,)) is not None


def _take_back(
    line: StatementLine, receipt: Receipt, mark: Callable[[], None], *, reason: str, by: str, now: datetime
) -> None:
    def marked(_receipt_id: int) -> None:
        mark()

    refund = Refund.objects.filter(seen_as=receipt).first()
    if refund is not None:
        ledger.unsee_refund(refund.pk, now=now, then=marked)
    elif receipt.reverses is not None and receipt.reverses.attempt_id is not None:
        undo_reversal(receipt, reason=reason, by=by, now=now, then=mark)
    elif _others_say_so(line, receipt):
        mark()
    else:
        ledger.void_receipt(receipt.pk, now=now, then=marked)


def _others_say_so(line: StatementLine, receipt: Receipt) -> bool:
    others = receipt.lines.filter(voided_at=None).exclude(pk=line.pk)
    return receipt.told_by != Source.STATEMENT or others.exists()


def _mark(line: StatementLine, *, by: str, now: datetime) -> None:
    """Inside the ledger's transaction, or alone where nothing rests on it. Raises _Meanwhile where it stands otherwise
    than it was read."""
    as_read = {"match": line.match, "attempt": line.attempt_id, "booked_as": line.booked_as_id}
    voided = {"voided_at": now, "voided_by": by, "match": Match.VOID, "attempt": None, "booked_as": None}
    if not StatementLine.objects.filter(pk=line.pk, voided_at=None, **as_read).update(**voided):
        raise _Meanwhile
