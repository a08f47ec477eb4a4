"""The report of a day as text for a mail and as a table for a spreadsheet. Pure, and counts
nothing.

Whatever people typed goes through here with its phone numbers blanked and on one line."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from payments.desk.day.figures import Line
from payments.desk.day.report import Part, Report
from payments.desk.lists.table import Cell, lines, plain
from payments.desk.words import kes, moment, noun
from payments.phones import blank_phones

FIRST = date(2007, 3, 6)  # M-PESA's own first day
BESIDE = 16  # characters that stand where there is no amount
HEADER = ("Part", "What", "How many", "KES", "Orders", "Particulars")


def as_text(told: Report) -> str:
    """One figure a line, its orders and particulars below it."""
    out = [f"DJ Kraph, {long_day(told.day)}", *told.summary]
    for part in told.parts:
        out += ["", part.title]
        out += [text for line in part.lines for text in _text_of(line)] or [f"  {part.none}"]
    return "\n".join([*out, "", f"Made on {moment(told.made_at)}, Nairobi time."]) + "\n"


def as_csv(told: Report) -> str:
    """The same as a table that runs no formula."""
    rows: list[Sequence[Cell]] = [HEADER]
    rows.append(("Day", f"{told.day:%Y-%m-%d}", None, None, None, " ".join(told.summary)))
    rows += [_row(part, line) for part in told.parts for line in part.lines]
    return "".join(lines(rows))


def long_day(day: date) -> str:
    """`Monday 23 November 2026`."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def read_day(typed: str, *, today: date) -> date | None:
    """`2026-11-23`. None: it is no date, has not come yet, or was before M-PESA."""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if FIRST <= day <= today else None


def particulars(line: Line) -> str:
    return plain(blank_phones(line.detail))


def orders(line: Line) -> str:
    """Their codes; `A1B2, C3D4 and 980 more`."""
    more = f" and {line.codes_left:,} more" if line.codes_left else ""
    return ", ".join(line.codes) + more


def _text_of(line: Line) -> Iterator[str]:
    count = "" if line.count is None else f"{line.count:,}{'+' if line.at_least else ''}"
    told = particulars(line)
    beside = line.kes is None and len(told) <= BESIDE
    money = (told if beside else "") if line.kes is None else kes(line.kes)
    yield f"  {line.what:<42} {count:>9} {money:>16}".rstrip()
    if line.codes:
        yield f"      {noun(len(line.codes), 'order')} {orders(line)}"
    if told and not beside:
        yield f"      {told}"


def _row(part: Part, line: Line) -> Sequence[Cell]:
    told = f"More than {line.count:,}. {particulars(line)}" if line.at_least else particulars(line)
    return (part.title, line.what, line.count, _cell(line.kes), orders(line) if line.codes else None, told)


def _cell(shillings: int | Decimal | None) -> Cell:
    if shillings is None or shillings == int(shillings):
        return None if shillings is None else int(shillings)
    return f"{shillings:.2f}"
