"""A second person believes a file: what only it says, above what its uploader may pay alone, pays from then on. Which
lines wait, reconciliation/ has said."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet, Sum

from payments import limits, reconciliation
from payments.facts import LINE_WAITS
from payments.manual.actions import ActionRefused
from payments.models import Statement, StatementLine

AT_ONCE = 500  # lines that are paid at once; the worker goes on with the rest
MEANWHILE = "Meanwhile other lines wait: look at them again."


@dataclass(frozen=True, kw_only=True)
class Waits:
    """What of a file waits: so many lines, over so many cents. `disputed`: those that another file of the same time
    lacks, which nobody can believe until it is known which file is right."""

    lines: int
    cents: int
    since: datetime | None
    last_id: int
    disputed: int

    @property
    def seen(self) -> str:
        """What a person has looked at who believes it; other lines, another word."""
        return f"{self.lines}-{self.cents}-{self.last_id}"


def lines_that_wait(statement: Statement) -> QuerySet[StatementLine]:
    """By id. A line stands under the file that brought it."""
    return StatementLine.objects.filter(LINE_WAITS, statement=statement).order_by("id")


def what_waits(statement: Statement) -> Waits:
    waiting = lines_that_wait(statement)
    found = waiting.filter(absent_from=None).aggregate(
        lines=Count("id"), sum=Sum("paid_in"), since=Min("waits_since"), last=Max("id")
    )
    return Waits(
        lines=found["lines"],
        cents=round(100 * (found["sum"] or 0)),
        since=found["since"],
        last_id=found["last"] or 0,
        disputed=waiting.exclude(absent_from=None).count(),
    )


def refusal_to_believe(statement: Statement, *, by: str) -> str:
    """Empty where this person may be the second one."""
    if statement.voided_at is not None:
        return "This statement is void."
    if not limits.is_another_person(by, statement.uploaded_by):
        return (
            "A second person must believe this file: you uploaded it yourself, or with another account of your e-mail "
            "address."
        )
    if reconciliation.kept_file(statement) is None:
        return "The file itself is not kept any more, so nobody can look at it. Upload it again, then believe it."
    return ""


def believe(statement_id: int, *, seen: str, by: str, now: datetime) -> reconciliation.Matched:
    """The lines that this person has `seen` pay what they are for, as things stand now. Raises ActionRefused."""
    statement = Statement.objects.get(id=statement_id)
    if refusal := refusal_to_believe(statement, by=by):
        raise ActionRefused(refusal)
    ids = _believed(statement, seen=seen, by=by, now=now)
    if len(ids) > AT_ONCE:
        reconciliation.begin_again(statement_id)
    return reconciliation.match_believed(ids[:AT_ONCE], now=now)


def _believed(statement: Statement, *, seen: str, by: str, now: datetime) -> list[int]:
    """Raises ActionRefused where other lines wait than those that were seen."""
    with transaction.atomic(durable=True):
        if what_waits(statement).seen != seen:
            raise ActionRefused(MEANWHILE)
        ids = list(lines_that_wait(statement).filter(absent_from=None).values_list("id", flat=True))
        lines = StatementLine.objects.filter(id__in=ids, believed_at=None)
        if not ids or lines.update(believed_at=now, believed_by=by) != len(ids):
            raise ActionRefused(MEANWHILE)
    return ids
