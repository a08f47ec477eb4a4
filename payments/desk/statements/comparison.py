"""What a statement and our ledger say of the same days, side by side. Reads only; matches nothing, and says nothing of
why (explained.py).

Theirs are the lines of payments within the statement's period, whichever file brought them. Ours are the payments and
the orders' own receipts behind these lines, and payments of the period that no line names. So the difference of the
totals is exactly the sum of what the groups show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Count, DateTimeField, DecimalField, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Cast, Coalesce

from payments import reconciliation
from payments.desk.words import kes
from payments.facts import (
    IS_PAID,
    LINE_IS_BOOKED,
    LINE_IS_NOBODYS,
    LINE_WAITS,
    STANDS,
    agrees_sql,
    held_sql,
    is_decided_sql,
    stands,
)
from payments.models import MpesaTransaction, Statement, StatementLine

Kind = StatementLine.Kind

ZERO = Decimal(0)
PER_PAGE = 50
# Money comes within minutes of its request, at the latest within the three days in which Safaricom is asked.
BEFORE, AFTER = timedelta(days=3), timedelta(days=1)

MATCHED, OURS, THEIRS, DIFFER, LEFT_OUT, VOID = "matched", "ours", "theirs", "differ", "left-out", "void"
ONE_FILE, BELIEF = "one-file", "belief"


@dataclass(frozen=True, kw_only=True)
class Group:
    """One group of the comparison. `what` says what is in it and what to do; `tone` as of badges."""

    key: str
    title: str
    what: str
    count: int
    total: Decimal
    tone: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """`ours` and `theirs`: what came in, by the ledger and by the statement."""

    groups: Sequence[Group]
    ours: Decimal
    theirs: Decimal
    verdict: str
    agrees: bool
    matchable: int

    @property
    def difference(self) -> Decimal:
        return self.ours - self.theirs

    @property
    def needs_person(self) -> int:
        return sum(group.count for group in self.groups if group.tone == "warn")

    @property
    def is_settled(self) -> bool:
        """Nobody need look at any of it."""
        return self.agrees and not self.needs_person

    def group(self, key: str) -> Group:
        """The group with this key; else the first that needs a person, else what is matched."""
        named = [group for group in self.groups if group.key == key]
        waiting = [group for group in self.groups if group.tone == "warn"]
        return (named or waiting or list(self.groups))[0]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of one group's rows, and where one is."""

    rows: Sequence[StatementLine | MpesaTransaction]
    number: int
    pages: int


def compare(statement: Statement) -> Comparison:
    sums = _sums(statement)
    lonely = ours_alone(statement).aggregate(count=Count("id"), total=Sum(held_sql()))
    lonely_total = Decimal(lonely["total"] or 0)
    theirs = sums["matched_total"] + sums["differ_total"] + sums["theirs_total"] + sums["belief_total"]
    ours = sums["matched_total"] + sums["differ_ours"] + lonely_total
    open_differences = _open_differences(statement).count() if sums["differ"] else 0
    disputed = _disputed(statement)
    groups = (
        *disputed,
        *_belief(sums),
        _group(MATCHED, sums["matched"], sums["matched_total"]),
        _group(OURS, lonely["count"], lonely_total, person=bool(lonely["count"])),
        _group(THEIRS, sums["theirs"], sums["theirs_total"], person=bool(sums["theirs"])),
        _group(DIFFER, sums["differ"], sums["differ_total"], person=bool(open_differences)),
        _group(LEFT_OUT, sums["left_out"], sums["left_out_total"]),
        *_void(statement),
    )
    unclear = bool(lonely["count"] or sums["theirs"] or sums["belief"] or disputed)
    agrees = ours == theirs and not unclear and stands(statement)
    return Comparison(
        groups=groups,
        ours=ours,
        theirs=theirs,
        verdict=_of_the_file(statement, disputed)
        or _verdict(ours, theirs, agrees=agrees, open_differences=open_differences),
        agrees=agrees,
        matchable=reconciliation.matchable(statement) if sums["theirs"] else 0,
    )


def page_of(statement: Statement, group: Group, number: int) -> Page:
    """Rows of a group, by time. A page beyond the last is the last."""
    pages = max(1, -(-group.count // PER_PAGE))
    number = min(max(1, number), pages)
    start = (number - 1) * PER_PAGE
    rows = rows_of(statement, group.key)
    return Page(rows=list(rows[start : start + PER_PAGE]), number=number, pages=pages)


def rows_of(statement: Statement, key: str) -> "QuerySet[StatementLine] | QuerySet[MpesaTransaction]":
    if key == OURS:
        return ours_alone(statement).order_by("created_at", "id")
    if key == ONE_FILE:
        return _absent(statement).order_by("completed_at", "id").select_related("statement")
    if key == VOID:
        return _voided(statement).order_by("completed_at", "id")
    if key == BELIEF:
        waiting = lines_of(statement).filter(LINE_WAITS).order_by("completed_at", "id")
        return waiting.select_related("statement", "waits_for", "booked_as")
    lines = lines_of(statement).order_by("completed_at", "id").select_related("attempt", "booked_as")
    return lines.filter(
        {
            MATCHED: _matched(),
            THEIRS: _nobodys(),
            DIFFER: _payment() & Q(attempt__isnull=False) & ~_agrees(),
            LEFT_OUT: ~_payment(),
        }[key]
    )


def lines_of(statement: Statement) -> QuerySet[StatementLine]:
    """All lines of the statement's time period, and those that this file brought beside it. None that is void."""
    in_period = Q(completed_at__range=(statement.period_from, statement.period_to))
    return StatementLine.objects.filter(in_period | Q(statement=statement), STANDS)


def _voided(statement: Statement) -> QuerySet[StatementLine]:
    """Lines of this file that are not to be believed."""
    return StatementLine.objects.filter(~STANDS, statement=statement)


def _absent(statement: Statement) -> QuerySet[StatementLine]:
    """Lines of other files that this one lacks, though it covers their time."""
    return StatementLine.objects.filter(STANDS, absent_from=statement)


def _disputed(statement: Statement) -> tuple[Group, ...]:
    """The group of these lines, where there are any."""
    return _where_any(ONE_FILE, _absent(statement), person=True)


def _void(statement: Statement) -> tuple[Group, ...]:
    return _where_any(VOID, _voided(statement))


def _where_any(key: str, lines: QuerySet[StatementLine], *, person: bool = False) -> tuple[Group, ...]:
    found = lines.aggregate(count=Count("id"), total=Sum(F("paid_in") - F("withdrawn")))
    return (_group(key, found["count"], found["total"] or ZERO, person=person),) if found["count"] else ()


def _belief(sums: dict[str, Decimal]) -> tuple[Group, ...]:
    """The group of what waits to be believed, where there is any."""
    if not sums["belief"]:
        return ()
    return (_group(BELIEF, sums["belief"], sums["belief_total"], person=True),)


def ours_alone(statement: Statement) -> QuerySet[MpesaTransaction]:
    """Payments of the period that no statement names. Where Safaricom's time is not known, the request's counts."""
    until = min(statement.period_to, statement.uploaded_at)
    return (
        MpesaTransaction.objects.filter(
            IS_PAID,
            created_at__gte=statement.period_from - BEFORE,
            created_at__lte=until + AFTER,
        )
        .annotate(money_at=Coalesce("paid_at", "created_at", output_field=DateTimeField()))
        .filter(money_at__range=(statement.period_from, until))
        .exclude(Exists(lines_of_attempt("id")))
        .exclude(Exists(booked_lines_of_attempt("id")))
    )


def lines_of_attempt(column: str) -> QuerySet[StatementLine]:
    return StatementLine.objects.filter(kind=Kind.PAYMENT, attempt=OuterRef(column))


def booked_lines_of_attempt(column: str) -> QuerySet[StatementLine]:
    """A statement was quicker than the callback: the line stands beside the receipt that became the payment's."""
    return StatementLine.objects.filter(LINE_IS_BOOKED, booked_as__attempt=OuterRef(column))


def _sums(statement: Statement) -> dict[str, Decimal]:
    """All groups of lines in one pass."""
    joined = _payment() & Q(attempt__isnull=False)
    money = DecimalField(max_digits=16, decimal_places=2)
    found: dict[str, Decimal | None] = lines_of(statement).aggregate(
        matched=Count("id", filter=_matched()),
        matched_total=Sum("paid_in", filter=_matched()),
        differ=Count("id", filter=joined & ~_agrees()),
        differ_total=Sum("paid_in", filter=joined & ~_agrees()),
        differ_ours=Sum(Cast(held_sql("attempt__"), money), filter=joined & ~_agrees()),
        belief=Count("id", filter=LINE_WAITS),
        belief_total=Sum("paid_in", filter=LINE_WAITS),
        theirs=Count("id", filter=_nobodys()),
        theirs_total=Sum("paid_in", filter=_nobodys()),
        left_out=Count("id", filter=~_payment()),
        left_out_total=Sum(F("paid_in") - F("withdrawn"), filter=~_payment()),
    )
    return {name: value or ZERO for name, value in found.items()}


def _payment() -> Q:
    return Q(kind=Kind.PAYMENT)


def _nobodys() -> Q:
    """Save what waits to be believed, which has a group of its own."""
    return LINE_IS_NOBODYS & ~LINE_WAITS


def _matched() -> Q:
    """A payment's line with the amount that we asked for, or an order's without any request of ours."""
    return _payment() & Q(attempt__isnull=False) & _agrees() | LINE_IS_BOOKED


def _agrees() -> Q:
    return agrees_sql("paid_in", "attempt__")


def _open_differences(statement: Statement) -> QuerySet[StatementLine]:
    """Those that nobody has accepted, refunded or looked at, or whose money we hold differently."""
    lines = rows_of(statement, DIFFER)
    settled = is_decided_sql("attempt__")
    return lines.exclude(settled & Q(attempt__received_kes=F("paid_in")))  # type: ignore[return-value]


def _group(key: str, count: Decimal | int, total: Decimal, *, person: bool = False) -> Group:
    title, what = _TOLD[key]
    tone = "warn" if person else "ok" if key == MATCHED else ""
    return Group(key=key, title=title, what=what, count=int(count), total=total, tone=tone)


def _verdict(ours: Decimal, theirs: Decimal, *, agrees: bool, open_differences: int) -> str:
    if agrees and not open_differences:
        return f"The till agrees to the shilling: {kes(theirs)} on both sides."
    if agrees:
        return f"The totals agree: {kes(theirs)} on both sides. Some amounts are not what we asked for: look."
    if ours == theirs:
        return "The totals are equal, but not all of the money is the same: look at both groups below."
    more, side = (ours - theirs, "we hold") if ours > theirs else (theirs - ours, "the statement has")
    return f"The till does not agree: {side} {kes(more)} more. The groups below show which money it is."


def _of_the_file(statement: Statement, disputed: Sequence[Group]) -> str:
    """What leaves nothing to compare; empty where nothing does."""
    if not stands(statement):
        return VOID_FILE
    return OTHER_FILE if disputed else ""


VOID_FILE = (
    "Nothing of this file counts. What stands below of its days comes from other files and from our ledger."
)
OTHER_FILE = (
    "Another file of the same days names receipts that this one lacks: neither can be said to agree. Find out in the "
    "portal which file is right."
)
_TOLD = {
    ONE_FILE: (
        "On another file only",
        "Another uploaded file names these receipts at a time that this one covers too, and this one lacks them. "
        "Search them in the portal: one of the two files is not what the portal made.",
    ),
    BELIEF: (
        "Waits to be believed",
        "Only a file says that this money came, and it is above what its uploader may let pay alone in a day. A second "
        "person looks at the file and believes it, on that file's page.",
    ),
    MATCHED: (
        "Matched",
        "On the statement and in our ledger, with the same amount, whether a request of ours asked for it or the buyer "
        "typed the order's code. Nothing to do.",
    ),
    OURS: (
        "Ours but not theirs",
        "Payments that we hold as paid and that the statement does not name. Is it on the next statement? "
        "Did the period end earlier? If neither, ask Safaricom.",
    ),
    THEIRS: (
        "Theirs but not ours",
        "Money on the statement that nothing of ours explains: nobody's yet. Find out which order it is for and "
        "attach it.",
    ),
    DIFFER: (
        "Amounts that differ",
        "Another amount came than was asked for. Open the payment: accept the amount, or refund it.",
    ),
    LEFT_OUT: (
        "Left out",
        "No customer's payment: moved to the bank, M-PESA's charges, what was given back and other. It stands in the "
        "book and in the till, and counts in no total above.",
    ),
    VOID: (
        "Not to be believed",
        "A person said so of these lines of this file. They count nowhere; what they alone brought was taken back.",
    ),
}
