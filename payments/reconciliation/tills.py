"""What stands at each short code by our book, beside what Safaricom says stands there. Reads only, in a number of
queries that no number of receipts changes.

A movement counts at Safaricom's own time; where it named none, when we were told. All figures of a short code are
until the same moment, so that they add up: opening + in - out - charges - to the bank = closing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from django.db.models import (
    BigIntegerField,
    Case,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Greatest, Least, Round
from django.utils import timezone

from payments import gateway
from payments.facts import IS_OF_THE_TILL, STANDS
from payments.ledger import CENTS, KEPT, ORDER, REFUNDS_DUE, UNCLAIMED
from payments.models import Posting, Receipt, Refund, Statement, StatementLine

Kind, Direction = Receipt.Kind, Receipt.Direction
DAY = timedelta(days=1)
LOOK_BACK = timedelta(days=35)  # a month's statement and the days until somebody uploads it
APART = {Kind.CHARGE: "charges", Kind.TO_BANK: "to_bank"}  # what is neither a customer's nor back to one


@dataclass(frozen=True, kw_only=True)
class Till:
    """One short code from its opening, or the day's, until a moment (None: all there is). Cents.

    `theirs`: what Safaricom says stood there at `until`, None where it said nothing of this time. `to_bank` is less
    than nothing where more came from the bank than went there."""

    short_code: str
    until: datetime | None
    opening: int
    came: int
    out: int
    charges: int
    to_bank: int
    theirs: int | None
    compared_with: Literal["statement"] | None

    @property
    def closing(self) -> int:
        return self.opening + self.came - self.out - self.charges - self.to_bank

    @property
    def difference(self) -> int | None:
        """Ours less theirs."""
        return None if self.theirs is None else self.closing - self.theirs


@dataclass(frozen=True, kw_only=True)
class TrialBalance:
    """`day`: in Nairobi, None: all since the opening. The four sums are what we owe as the book stands now, whatever
    the day. Cents."""

    day: date | None
    tills: Sequence[Till]
    orders: int
    unclaimed: int
    refunds_due: int
    kept: int

    @property
    def differs(self) -> bool:
        return any(till.difference for till in self.tills)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What Safaricom says stood at a short code at a moment. Cents."""

    at: datetime
    cents: int


def trial_balance(day: date | None = None) -> TrialBalance:
    return TrialBalance(day=day, tills=[_till(code, day) for code in _short_codes()], **_owed())


# --- one short code -------------------------------------------------------------------------------------


def _till(code: str, day: date | None) -> Till:
    since, end = _bounds(day)
    first, closing = _opening(code), _closing(code, since)
    until = closing.at if closing else end
    start = since or (first.at if first else None)
    moved = _moved(code, start, until)
    return Till(
        short_code=code,
        until=until,
        opening=_standing_at(code, start, first),
        came=moved["came"],
        out=moved["out"],
        charges=moved["charges"],
        to_bank=moved["to_bank"],
        theirs=closing.cents if closing else None,
        compared_with="statement" if closing else None,
    )


def _bounds(day: date | None) -> tuple[datetime | None, datetime | None]:
    """The first moment of the day and its last; None, None: all there is."""
    if day is None:
        return None, None
    start = datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
    return start, start + DAY - timedelta.resolution


def _opening(code: str) -> Known | None:
    """What stood there before the first movement that we can know of."""
    first = _statements(code).filter(opening_balance__isnull=False).order_by("period_from", "id").first()
    if first is None or first.opening_balance is None:
        return None
    return Known(at=first.period_from, cents=round(CENTS * first.opening_balance))


def _closing(code: str, since: datetime | None) -> Known | None:
    """By the last statement, of a day by the last that ends in it."""
    told = _statements(code).filter(closing_balance__isnull=False)
    if since is not None:
        told = told.filter(period_to__gt=since, period_to__lte=since + DAY)
    last = told.order_by("-period_to", "-id").first()
    if last is None or last.closing_balance is None:
        return None
    at = _reaches(last)
    return None if since and at < since else Known(at=at, cents=round(CENTS * last.closing_balance))


def _reaches(statement: Statement) -> datetime:
    """A statement can be made before its period ends: it tells nothing of what came after, its own lines apart."""
    within = (statement.period_from, statement.period_to)
    made = min(statement.period_to, statement.uploaded_at)
    last: datetime | None = statement.lines.filter(STANDS, completed_at__range=within).aggregate(
        last=Max("completed_at")
    )["last"]
    return max(made, last) if last else made


def _statements(code: str) -> QuerySet[Statement]:
    named = Q(short_code=code)
    if code == gateway.merchant().short_code:
        named |= Q(short_code="")  # as its lines are booked
    return Statement.objects.filter(named, IS_OF_THE_TILL, STANDS)


def _standing_at(code: str, start: datetime | None, first: Known | None) -> int:
    """What stood there at the start: counted on from the opening, or back to before it."""
    if start is None or first is None:
        return _net(_moved(code, None, start - timedelta.resolution)) if start else 0
    if start >= first.at:
        return first.cents + _net(_moved(code, first.at, start - timedelta.resolution))
    return first.cents - _net(_moved(code, start, first.at - timedelta.resolution))


def _net(moved: Counter[str]) -> int:
    return moved["came"] - moved["out"] - moved["charges"] - moved["to_bank"]


# --- statements by themselves ---------------------------------------------------------------------------


def statements_that_differ(now: datetime) -> QuerySet[Statement]:
    """Matched ones of the last weeks whose own time our book does not bring from their opening balance to their closing
    one, with `difference_cents`: ours less theirs."""
    of_the_till = Statement.objects.filter(
        IS_OF_THE_TILL, STANDS, matched_at__isnull=False, period_to__gte=now - LOOK_BACK
    )
    until = Greatest(Least("period_to", "uploaded_at"), Coalesce(_last_line(), "period_from"))
    theirs = F("closing_balance") - F("opening_balance")
    compared = of_the_till.annotate(
        code=Case(When(short_code="", then=Value(gateway.merchant().short_code)), default="short_code"),
        until=until,
        moved=Coalesce(_moved_within(), 0, output_field=BigIntegerField()),
        theirs_cents=Cast(Round(CENTS * theirs), BigIntegerField()),
    )
    return compared.annotate(difference_cents=F("moved") - F("theirs_cents")).exclude(difference_cents=0)


def _last_line() -> Subquery:
    within = StatementLine.objects.filter(
        STANDS, completed_at__range=(OuterRef("period_from"), OuterRef("period_to"))
    )
    return Subquery(within.order_by("-completed_at").values("completed_at")[:1])


def _moved_within() -> Subquery:
    """Cents that came less cents that went, in the statement's own time."""
    period = (OuterRef("period_from"), OuterRef("until"))
    at = Q(happened_at__range=period) | Q(happened_at=None, at__range=period)
    receipts = Receipt.objects.annotate(at=_MOMENT).filter(at, short_code=OuterRef("code"), voided_at=None)
    signed = Case(When(direction=Direction.IN, then=F("amount_cents")), default=-F("amount_cents"))
    summed = (
        receipts.order_by().values("voided_at").annotate(cents=Sum(signed, output_field=BigIntegerField()))
    )
    return Subquery(summed.values("cents"), output_field=BigIntegerField())


# --- what moved -----------------------------------------------------------------------------------------


def _moved(code: str, since: datetime | None, until: datetime | None) -> Counter[str]:
    """Cents that came, went out, and so on, from one moment to another, both included."""
    found: Counter[str] = Counter()
    rows = (
        _receipts(code, since, until)
        .order_by()
        .values("direction", "kind")
        .annotate(cents=Sum("amount_cents"))
    )
    for row in rows:
        came, apart = row["direction"] == Direction.IN, APART.get(Kind(row["kind"]))
        name = apart or ("came" if came else "out")
        found[name] += -row["cents"] if apart and came else row["cents"]
    found["out"] += _not_seen(code, since, until)
    return found


def _receipts(code: str, since: datetime | None, until: datetime | None) -> QuerySet[Receipt]:
    named, told = _range("happened_at", since, until), _range("at", since, until)
    rows = Receipt.objects.filter(short_code=code, voided_at=None).annotate(at=_MOMENT)
    return rows.filter(Q(named, happened_at__isnull=False) | Q(told, happened_at=None))


_LINES = StatementLine.objects.filter(
    STANDS, receipt=OuterRef("code"), kind=StatementLine.Kind.PAYMENT, money_in=True
)
_REVERSALS = Receipt.objects.filter(reverses=OuterRef("pk"), voided_at=None).order_by("happened_at")
# of a receipt whose time Safaricom did not name: as its line says; of one that is only known because it was reversed,
# it came before that; else when we were told
_MOMENT = Coalesce(
    Subquery(_LINES.order_by("id").values("completed_at")[:1]),
    Subquery(_REVERSALS.values("happened_at")[:1]),
    F("told_at"),
)


def _not_seen(code: str, since: datetime | None, until: datetime | None) -> int:
    """Refunds that were recorded and that no statement has shown: nobody but the book knows yet that they left."""
    sent = Refund.objects.filter(_range("recorded_at", since, until), state=Refund.State.SENT)
    of_code = Q(receipt__short_code=code) | Q(receipt=None, attempt__short_code=code)
    cents: int = sent.filter(of_code).aggregate(cents=Sum("amount_cents", default=0))["cents"]
    return cents


def _range(column: str, since: datetime | None, until: datetime | None) -> Q:
    ends = {f"{column}__gte": since, f"{column}__lte": until}
    return Q(**{name: end for name, end in ends.items() if end is not None})


# --- what we owe ----------------------------------------------------------------------------------------


def _owed() -> dict[str, Any]:
    of_orders = {"credit": Q(credit__startswith=ORDER), "debit": Q(debit__startswith=ORDER)}
    accounts = {"unclaimed": UNCLAIMED, "refunds_due": REFUNDS_DUE, "kept": KEPT}
    sums = {"orders": of_orders} | {
        name: {side: Q(**{side: account}) for side in ("credit", "debit")}
        for name, account in accounts.items()
    }
    asked = {
        f"{name}_{side}": Sum("amount_cents", filter=which, default=0)
        for name, sides in sums.items()
        for side, which in sides.items()
    }
    found = Posting.objects.aggregate(**asked)
    return {name: found[f"{name}_credit"] - found[f"{name}_debit"] for name in sums}


def _short_codes() -> Iterator[str]:
    """The shop's own, and whichever else money moved at or a statement is of."""
    moved = Receipt.objects.order_by().values_list("short_code", flat=True).distinct()
    stated = Statement.objects.filter(IS_OF_THE_TILL, STANDS).exclude(short_code="")
    found = {*moved, *stated.order_by().values_list("short_code", flat=True).distinct()}
    yield from sorted(found | {gateway.merchant().short_code})
