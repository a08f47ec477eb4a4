"""Two files that cover the same time must name the same receipts. Where they don't, each such line is marked, and the
person who uploaded the later one is told. Stores no line, and matches none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from payments.facts import STANDS
from payments.models import Statement, StatementLine
from payments.statement_file import NAIROBI, Line

NAMED = 20  # earlier files that are spoken of: the newest
BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The time that an earlier statement and this one both cover."""

    with_statement: Statement
    start: datetime
    end: datetime

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.start <= at <= self.end


def mark_differences(statement: Statement, lines: Sequence[Line]) -> list[str]:
    """Sentences on where the file of these lines and earlier ones differ. Its lines are stored already."""
    ours = {line.receipt for line in lines}
    told: list[str] = []
    for shared in _shared(statement):
        stored = set(_stored(shared, statement).values_list("receipt", flat=True))
        if _covers(statement) and (lacking := stored - ours):
            told += _told_of(lacking, shared, "names", "this file does not")
            _mark(lacking, shared, absent_from=statement)
        if _covers(shared.with_statement):
            here = {line.receipt for line in lines if shared.holds(line.completed_at)}
            if more := here - stored:
                told += _told_of(more, shared, "does not name", "this file does")
                _mark(more, shared, absent_from=shared.with_statement)
    return told


def _shared(statement: Statement) -> Iterator[Shared]:
    earlier = Statement.objects.filter(
        period_from__lte=statement.period_to,
        period_to__gte=statement.period_from,
        voided_at=None,
        short_code__in={statement.short_code, ""} if statement.short_code else _all_short_codes(),
    ).exclude(id=statement.pk)
    for each in earlier.order_by("-id")[:NAMED]:
        yield Shared(
            with_statement=each,
            start=max(each.period_from, statement.period_from),
            end=min(each.period_to, statement.period_to),
        )


def _all_short_codes() -> QuerySet[Statement, str]:
    return Statement.objects.values_list("short_code", flat=True)


def _covers(statement: Statement) -> bool:
    """Whether it says itself what it is of: only then does what it lacks mean anything."""
    return bool(statement.short_code)


def _stored(shared: Shared, statement: Statement) -> QuerySet[StatementLine]:
    """What earlier files brought of that time, of the same short code as far as they say."""
    codes = {shared.with_statement.short_code, statement.short_code, ""}
    return StatementLine.objects.filter(
        completed_at__range=(shared.start, shared.end), statement__short_code__in=codes, voided_at=None
    ).exclude(statement=statement)


def _told_of(receipts: set[str], shared: Shared, does: str, other: str) -> Iterator[str]:
    first = min(receipts)
    more = f" and {len(receipts) - 1:,} more" if len(receipts) > 1 else ""
    span = f"{_said(shared.start)} to {_said(shared.end)}"
    yield (
        f"Both this file and {shared.with_statement.file_name}, uploaded before, cover {span}: that one {does} receipt "
        f"{first}{more}, and {other}. Find out in the portal which is right."
    )


def _mark(receipts: set[str], shared: Shared, *, absent_from: Statement) -> None:
    named = sorted(receipts)
    for start in range(0, len(named), BATCH):
        lines = StatementLine.objects.filter(
            STANDS,
            receipt__in=named[start : start + BATCH],
            completed_at__range=(shared.start, shared.end),
            absent_from=None,
        )
        lines.exclude(statement=absent_from).update(absent_from=absent_from)


def _said(at: datetime) -> str:
    return f"{at.astimezone(NAIROBI):%d-%m-%Y %H:%M:%S}"
