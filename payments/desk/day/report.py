"""One day of the shop in figures and sentences, as a manager asks for it at six in the evening. Counts nothing itself
(figures.py), and doesn't say how it is written down (text.py)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from payments.desk import needs
from payments.desk.day import figures
from payments.desk.day.agreement import agreement
from payments.desk.day.figures import Line
from payments.desk.outcomes import Ends
from payments.desk.taken import midnight, next_day
from payments.desk.words import counted, kes
from payments.reconciliation import trial_balance


@dataclass(frozen=True, kw_only=True)
class Part:
    """A heading with its lines; `none` stands where there are none."""

    title: str
    lines: Sequence[Line]
    none: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """`summary`: sentences. `needs_person`: something waits for one, or the statement doesn't agree."""

    day: date
    made_at: datetime
    summary: Sequence[str]
    needs_person: bool
    parts: Sequence[Part]


def report(day: date, *, now: datetime) -> Report:
    """All there is to say of this day in Nairobi."""
    start, end = midnight(day), midnight(next_day(day))
    all_taken, takings, hours = figures.takings(start, end)
    asked, went, why = figures.asked(start, end)
    last = figures.last_before(end)
    waiting = [line for work in needs.ALL for line in figures.need(work, end, last)]
    statement = agreement(start, end)
    balance = trial_balance(day)
    parts = (
        Part(title="Needs a person", lines=waiting, none="Nothing does."),
        Part(title="Taken", lines=takings, none="Nothing was taken."),
        Part(title="The till", lines=figures.till(balance), none="Nothing has moved yet."),
        Part(title="Whose it is now", lines=figures.owed(balance), none="Nobody's."),
        Part(title="Taken by hour", lines=hours, none="Nothing was taken."),
        Part(title="Requests of the day", lines=asked, none="No buyer was asked."),
        Part(title="Why requests came to nothing", lines=why, none="None did."),
        Part(
            title="Still open", lines=figures.still_open(end, last), none="Every request has come to its end."
        ),
        Part(title="Refunds recorded", lines=figures.refunds(start, end), none="None was recorded."),
        Part(title="Settled by hand", lines=figures.by_hand(start, end), none="Nothing was."),
        Part(title="M-PESA statement", lines=figures.compared(statement), none=statement.verdict),
    )
    not_over = [] if now >= end else ["The day is not over yet."]
    told = [_sum_of(all_taken), *not_over, *_success(went), _people(waiting), statement.verdict]
    return Report(
        day=day,
        made_at=now,
        summary=told,
        needs_person=bool(waiting) or statement.differs or balance.differs,
        parts=parts,
    )


def _sum_of(total: Line) -> str:
    return f"{kes(total.kes or 0)} was taken in {counted(total.count or 0, 'payment')}."


def _success(went: Ends) -> list[str]:
    if went.success is None:
        return []
    return [f"{went.success}% of the day's requests that ended were paid ({went.paid:,} of {went.ended:,})."]


def _people(waiting: Sequence[Line]) -> str:
    count = sum(line.count or 0 for line in waiting)
    if not count:
        return "Nothing needs a person."
    more = "More than " if any(line.at_least for line in waiting) else ""
    return f"{more}{counted(count, 'thing needs', 'things need')} a person."
