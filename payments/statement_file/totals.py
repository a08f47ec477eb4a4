"""Weighs the lines against what the statement says of them: totals, count, period. Doubts are told, never refused: the
lines are the facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from .balances import doubts_about_balances
from .cells import ZERO
from .heading import Facts
from .records import Line

AGREE = Decimal("0.005")
HEAD = "the head of the file"
SUMS = "the file's own row of totals"


def doubts_about(
    facts: Facts, lines: Sequence[Line], sums: tuple[Decimal, Decimal] | None = None
) -> Iterator[str]:
    """Sentences on what doesn't add up: a row that was lost, or edited, shows here. `sums`: paid in and withdrawn, as
    a row among the lines has them."""
    for label in facts.doubts:
        yield f"{label} in the head of the file can't be read."
    if not lines:
        yield "The statement holds no lines."
    moved = [line for line in lines if line.counts]
    paid_in = sum((line.paid_in for line in moved), ZERO)
    withdrawn = sum((line.withdrawn for line in moved), ZERO)
    yield from _differs("Total Paid In", facts.amounts["Total Paid In"], paid_in)
    yield from _differs("Total Withdrawn", facts.amounts["Total Withdrawn"], withdrawn)
    if sums is not None:
        yield from _differs("Paid In", sums[0], paid_in, where=SUMS)
        yield from _differs("Withdrawn", sums[1], withdrawn, where=SUMS)
    opening, closing = facts.amounts["Opening Balance"], facts.amounts["Closing Balance"]
    if opening is not None and closing is not None:
        yield from _differs("Closing Balance", closing, opening + paid_in - withdrawn)
    yield from doubts_about_balances(moved, opening=opening, closing=closing)
    if facts.count is not None and facts.count not in (len(lines), len(moved)):
        yield f"The head of the file counts {facts.count:,} lines, but there are {len(lines):,}."
    yield from _outside(facts, moved)


def _differs(label: str, said: Decimal | None, found: Decimal, *, where: str = HEAD) -> Iterator[str]:
    said = abs(said) if said is not None and label == "Total Withdrawn" else said
    if said is not None and abs(said - found) > AGREE:
        yield f"{label} is {said:,} in {where}, but its completed lines come to {found:,}."


def _outside(facts: Facts, moved: list[Line]) -> Iterator[str]:
    """A day and a month that changed places on the way through Excel show here."""
    start, end = facts.period
    if start is None or end is None:
        return
    rows = [line.row for line in moved if line.completed_at and not start <= line.completed_at <= end]
    if rows:
        yield f"{len(rows)} completed line(s) lie outside the statement's time period (the first is row {rows[0]})."
