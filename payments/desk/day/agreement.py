"""Whether a stretch of time agrees with Safaricom's own list of it, the uploaded statements. Reads only; matches
nothing.

Both sides count by Safaricom's time of the payment; where it named none, ours counts when we learned of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from payments.desk.needs import COUNTED_UP_TO
from payments.desk.statements.comparison import booked_lines_of_attempt, lines_of_attempt
from payments.desk.taken import paid
from payments.facts import LINE_IS_NOBODYS, STANDS, held_sql, received_kes
from payments.models import Statement, StatementLine

RECEIPTS_SHOWN = 20
LEARNED_WITHIN = timedelta(
    days=4
)  # a payment is followed up for three days at most; what comes later comes from a statement
CLOCKS = timedelta(minutes=10)  # ours and Safaricom's may differ so much
BETWEEN = timedelta(seconds=1)  # the portal's period ends at a second, the next begins with the following one
ROUNDED = timedelta(minutes=1)  # … or at 23:59

Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """`theirs`: payments on the statement; `strange`: those of them that are nobody's yet.

    Orders are named by their codes, at most COUNTED_UP_TO + 1: `unequal_codes` of those in another amount than here,
    `absent_codes` of those within what the statements cover and not on them."""

    is_here: bool
    whole: bool
    matched: bool
    theirs: int
    theirs_kes: Decimal
    strange: int
    strange_kes: Decimal
    strange_receipts: Sequence[str]
    absent_codes: Sequence[str]
    absent_kes: int
    unequal_codes: Sequence[str]
    disputed_receipts: Sequence[str]  # on one file and not on another that covers their time

    @property
    def differs(self) -> bool:
        found = (self.strange, self.absent_codes, self.unequal_codes, self.disputed_receipts)
        return self.matched and any(found)

    @property
    def verdict(self) -> str:
        """A sentence."""
        if not self.is_here:
            return "No M-PESA statement of this day has been uploaded."
        if not self.matched:
            return "The M-PESA statement is here, but not all of its lines have been matched."
        part = "" if self.whole else ", and covers a part of this day only"
        return f"The M-PESA statement {'does not agree' if self.differs else 'agrees'}{part}."


def agreement(start: datetime, end: datetime) -> Agreement:
    covering = list(
        Statement.objects.filter(STANDS, period_from__lt=end, period_to__gte=start).order_by(
            "period_from", "id"
        )
    )
    stretches = _joined((statement.period_from, statement.period_to) for statement in covering)
    lines = StatementLine.objects.filter(
        STANDS, completed_at__gte=start, completed_at__lt=end, kind=StatementLine.Kind.PAYMENT
    )
    sums = _sums(lines)
    strange = lines.filter(LINE_IS_NOBODYS).order_by("completed_at", "id")
    absent = _absent(start, end, stretches)
    return Agreement(
        is_here=bool(covering),
        whole=any(since <= start and until >= end - ROUNDED for since, until in stretches),
        matched=all(statement.matched_at is not None for statement in covering),
        theirs=sums["theirs"],
        theirs_kes=sums["theirs_kes"],
        strange=sums["strange"],
        strange_kes=sums["strange_kes"],
        unequal_codes=_unequal(lines),
        disputed_receipts=_disputed(start, end),
        strange_receipts=list(strange.values_list("receipt", flat=True)[:RECEIPTS_SHOWN]),
        absent_codes=[attempt.account_reference for attempt in absent],
        absent_kes=sum(received_kes(attempt) or 0 for attempt in absent[:COUNTED_UP_TO]),
    )


def _sums(lines: QuerySet[StatementLine]) -> dict[str, Any]:
    return lines.aggregate(
        theirs=Count("id"),
        theirs_kes=Sum("paid_in", default=Decimal(0)),
        strange=Count("id", filter=LINE_IS_NOBODYS),
        strange_kes=Sum("paid_in", filter=LINE_IS_NOBODYS, default=Decimal(0)),
    )


def _disputed(start: datetime, end: datetime) -> list[str]:
    lines = StatementLine.objects.filter(
        STANDS, completed_at__gte=start, completed_at__lt=end, absent_from__isnull=False
    )
    return list(lines.order_by("completed_at", "id").values_list("receipt", flat=True)[:RECEIPTS_SHOWN])


def _unequal(lines: QuerySet[StatementLine]) -> list[str]:
    came = held_sql("attempt__")
    unequal = lines.filter(attempt__isnull=False).annotate(came=came).exclude(paid_in=F("came"))
    codes = unequal.order_by("completed_at", "id").values_list("attempt__account_reference", flat=True)
    return list(codes[: COUNTED_UP_TO + 1])


def _absent(start: datetime, end: datetime, stretches: Sequence[Stretch]) -> list[Any]:
    """Payments of ours that no line names, though a statement covers their time: named tuples."""
    covered = Q(pk__in=[])
    for since, until in stretches:
        covered |= Q(at__gte=since, at__lt=until + BETWEEN)
    on_it, booked = lines_of_attempt("pk"), booked_lines_of_attempt("pk")
    absent = (
        paid(since=start - CLOCKS, until=end + LEARNED_WITHIN)
        .annotate(at=Coalesce("paid_at", "concluded_at"))
        .filter(covered, ~Exists(on_it), ~Exists(booked), at__gte=start, at__lt=end)
        .order_by("id")
    )
    columns = ("account_reference", "amount_kes", "received_kes", "amount_differs")
    return list(absent.values_list(*columns, named=True)[: COUNTED_UP_TO + 1])


def _joined(periods: Iterable[Stretch]) -> list[Stretch]:
    """Periods, by their start, with those that touch made one."""
    joined: list[Stretch] = []
    for since, until in periods:
        if joined and since <= joined[-1][1] + BETWEEN:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        else:
            joined.append((since, until))
    return joined
