"""A statement, or one line of it, is not to be believed: what it alone brought is taken back, line by line. What others
said too stays; what can't be taken back is named, for a person."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from payments import ledger
from payments.ledger import NotThere, Source
from payments.manual import deciding
from payments.manual.actions import ActionRefused
from payments.manual.correcting import undo_reversal, undo_statement
from payments.manual.deciding import Kept, People, What
from payments.models import HandSettlement, PaymentEvent, Receipt, Refund, Statement, StatementLine

Kind, Match = StatementLine.Kind, StatementLine.Match
NOBODYS_STAKE = (Kind.CHARGE, Kind.SWEEP)  # no customer's money
NOT_PAYMENTS_FIRST = {Kind.PAYMENT: 1}  # what gives back goes before what came

TRIES = 5  # at a line that is matched in the same moment

Progress = Callable[[int, int], None]  # lines voided, of how many
Stake = Callable[[int], None]  # takes the shillings that rest on a line, in its transaction; may refuse them
MORE = "More rests on it by now than when this was decided. Void the statement once more."


class _Meanwhile(Exception):
    """Somebody else matched or voided this line in this moment."""


@dataclass(kw_only=True)
class Voided:
    """How many lines were taken back, and which could not be: (receipt, why). Where a second person must confirm it
    first, none was."""

    decision: HandSettlement
    lines: int = 0
    kes: int = 0  # that rested on them
    left: list[tuple[str, str]] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        return self.decision.decision == HandSettlement.Decision.WAITING


def void_statement(
    statement_id: int,
    *,
    reason: str,
    by: str,
    now: datetime,
    progress: Progress = lambda _done, _total: None,
) -> Voided:
    """Each line is a transaction of its own, after the decision's: stopped in between, it goes on where it stopped when
    who decided it presses again, and that is the same decision. The statement itself is void once none of its lines
    stands. Raises ActionRefused."""
    kes = _at_stake(StatementLine.objects.filter(statement_id=statement_id))
    if (begun := _begun(statement_id, by=by, kes=kes)) is not None:
        voided = Voided(decision=begun)
        already = _taken_back_kes(begun)
        _void_lines(begun, deciding.people_of(begun), now, voided=voided, already=already, progress=progress)
        return voided
    wanted = _decision(What.VOID_FILE, kes, reason, statement_id=statement_id)
    voided = Voided(decision=wanted)

    def carry_out(wanted: HandSettlement, people: People, kept: Kept, now: datetime) -> None:
        _void_file(wanted, people, kept, now, voided=voided, progress=progress)

    way = deciding.Way(refusal=_refusal_of_file, carry_out=carry_out)
    voided.decision = deciding.decide(wanted, way, by=by, now=now)
    return voided


def void_line(line_id: int, *, reason: str, by: str, now: datetime) -> HandSettlement:
    """Raises ActionRefused."""
    line = StatementLine.objects.get(id=line_id)
    wanted = _decision(What.VOID_LINE, _at_stake(StatementLine.objects.filter(id=line_id)), reason, line=line)
    wanted.receipt = line.receipt
    return deciding.decide(wanted, LINE, by=by, now=now)


def _decision(what: HandSettlement.What, kes: int, reason: str, **about: Any) -> HandSettlement:
    return HandSettlement(
        what=what,
        amount_kes=kes,
        counts_kes=kes,
        evidence=HandSettlement.Evidence.REASON,
        reason=reason,
        **about,
    )


def _at_stake(lines: QuerySet[StatementLine]) -> int:
    """Shillings of customers that rest on these lines, begun ones whole."""
    said = PaymentEvent.objects.filter(attempt=OuterRef("attempt"), source=Source.STATEMENT)
    resting = lines.filter(voided_at=None).filter(
        Q(booked_as__isnull=False) & ~Q(kind__in=NOBODYS_STAKE) | Exists(said)
    )
    return _sum(resting)


def _sum(lines: QuerySet[StatementLine]) -> int:
    return math.ceil(lines.aggregate(sum=Sum(F("paid_in") + F("withdrawn")))["sum"] or 0)


def _begun(statement_id: int, *, by: str, kes: int) -> HandSettlement | None:
    """This person's decision that was not carried out to its end, if what it counted for covers what is left too."""
    decided = HandSettlement.objects.filter(
        Q(proposed_by=by) | Q(decided_by=by),
        what=What.VOID_FILE,
        decision=HandSettlement.Decision.DONE,
        statement_id=statement_id,
        statement__voided_at=None,
    )
    begun = decided.order_by("-id").first()
    return begun if begun is not None and kes + _taken_back_kes(begun) <= begun.counts_kes else None


def _taken_back_kes(begun: HandSettlement) -> int:
    """What was taken back under it so far; not less."""
    void = StatementLine.objects.filter(statement=begun.statement_id or 0, voided_at__gte=begun.decided_at)
    return _sum(void.exclude(kind__in=NOBODYS_STAKE))


def _refusal_of_file(wanted: HandSettlement, _now: datetime) -> str:
    void = Statement.objects.filter(id=wanted.statement_id or 0, voided_at__isnull=False).exists()
    return "It is void already." if void else ""


def _void_file(
    wanted: HandSettlement,
    people: People,
    kept: Kept,
    now: datetime,
    *,
    voided: Voided | None = None,
    progress: Progress = lambda _done, _total: None,
) -> None:
    with transaction.atomic(durable=True):
        kept()
    _void_lines(wanted, people, now, voided=voided or Voided(decision=wanted), progress=progress)


def _void_lines(
    wanted: HandSettlement,
    people: People,
    now: datetime,
    *,
    voided: Voided,
    progress: Progress,
    already: int = 0,
) -> None:
    """`already`: shillings that were taken back under this decision before."""

    def take(kes: int) -> None:
        if not wanted.needs_second and already + voided.kes + kes > wanted.counts_kes:
            raise ActionRefused(MORE)

    standing = StatementLine.objects.filter(statement_id=wanted.statement_id or 0, voided_at=None)
    lines = list(standing.order_by("id"))
    lines.sort(key=lambda line: NOT_PAYMENTS_FIRST.get(Kind(line.kind), 0))
    for done, line in enumerate(lines, start=1):
        try:
            voided.kes += _void_line(line.pk, wanted, people, _nothing, now, take=take)
            voided.lines += 1
        except ActionRefused as refused:
            voided.left.append((line.receipt, str(refused)))
        progress(done, len(lines))
    if not voided.left:
        stands = Statement.objects.filter(id=wanted.statement_id or 0, voided_at=None)
        with transaction.atomic(durable=True):
            stands.update(voided_at=now, voided_by=people["by"], voided_because=wanted.reason)
            StatementLine.objects.filter(absent_from_id=wanted.statement_id).update(absent_from=None)


def _nothing() -> None: ...


def _refusal_of_line(wanted: HandSettlement, _now: datetime) -> str:
    line = StatementLine.objects.select_related("booked_as__reverses").get(id=wanted.line_id or 0)
    return refusal_to_void(line)


def _carry_out_line(wanted: HandSettlement, people: People, kept: Kept, now: datetime) -> None:
    def take(kes: int) -> None:
        if not wanted.needs_second:  # what was read when it was decided may have been matched since
            wanted.amount_kes = wanted.counts_kes = kes

    _void_line(wanted.line_id or 0, wanted, people, kept, now, take=take)


def _void_line(
    line_id: int, wanted: HandSettlement, people: People, kept: Kept, now: datetime, *, take: Stake
) -> int:
    """How many shillings rested on it. Raises ActionRefused."""
    for _ in range(TRIES):
        try:
            return _void_as_it_stands(line_id, wanted, people, kept, now, take=take)
        except _Meanwhile:
            continue
    raise ActionRefused("It is being matched in this moment. Try again.")


def _void_as_it_stands(
    line_id: int, wanted: HandSettlement, people: People, kept: Kept, now: datetime, *, take: Stake
) -> int:
    line = StatementLine.objects.select_related("attempt", "booked_as__reverses").get(id=line_id)
    deciding.refuse(refusal_to_void(line))
    attempt_id, reason = _whose(line), wanted.reason
    kes = _at_stake(StatementLine.objects.filter(id=line_id))
    take(kes)

    def mark() -> None:
        _mark(line, by=people["by"], now=now)

    def mark_and_keep() -> None:
        mark()
        kept()

    def hold_and_mark() -> None:
        _hold_money_of(attempt_id or 0)
        mark()

    try:
        if attempt_id is not None and _rests_on_the_statement(attempt_id):
            undo_statement(attempt_id, reason=reason, people=people, now=now, first=hold_and_mark, kept=kept)
        elif attempt_id is not None or line.booked_as is None:
            _alone(mark_and_keep)
        else:
            _take_back(line, line.booked_as, mark_and_keep, reason=reason, people=people, now=now)
    except NotThere as refused:
        raise ActionRefused(str(refused)) from refused
    return kes


LINE = deciding.Way(refusal=_refusal_of_line, carry_out=_carry_out_line)
FILE = deciding.Way(refusal=_refusal_of_file, carry_out=_void_file)


def refusal_to_void(line: StatementLine) -> str:
    """Empty where it can be voided."""
    if line.voided_at is not None:
        return "It is void already."
    if line.settlements.filter(decision=HandSettlement.Decision.WAITING, what=What.SETTLE).exists():
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
    attached = line.settlements.filter(decision="done", what=What.SETTLE).exists()
    return attached and ledger.kind_that_takes_back(line.attempt_id or 0, said_by=(Source.STAFF,)) is not None


def _take_back(
    line: StatementLine,
    receipt: Receipt,
    mark: Callable[[], None],
    *,
    reason: str,
    people: People,
    now: datetime,
) -> None:
    def marked(_receipt_id: int) -> None:
        mark()

    refund = Refund.objects.filter(seen_as=receipt).first()
    if refund is not None:
        ledger.unsee_refund(refund.pk, now=now, then=marked)
    elif receipt.reverses is not None and receipt.reverses.attempt_id is not None:
        undo_reversal(receipt, reason=reason, people=people, now=now, then=mark)
    elif _others_say_so(line, receipt):
        _alone(mark)
    else:
        ledger.void_receipt(receipt.pk, now=now, then=marked)


def _alone(mark: Callable[[], None]) -> None:
    """Nothing in the book rests on it."""
    with transaction.atomic(durable=True):
        mark()


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
