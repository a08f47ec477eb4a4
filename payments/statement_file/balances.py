"""Follows the balance from line to line: a row that was put in, taken out or edited breaks it. Adds nothing up."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from .cells import ZERO
from .records import Kind, Line

AGREE = Decimal("0.005")


@dataclass(kw_only=True)
class _Followed:
    """`ends`: where the balance may stand behind the last line; empty where nobody knows."""

    ends: frozenset[Decimal]
    breaks: list[tuple[Line, Decimal]] = field(default_factory=list)  # and what was to be expected there


def doubts_about_balances(
    moved: Sequence[Line], *, opening: Decimal | None, closing: Decimal | None
) -> Iterator[str]:
    """Sentences; none where the lines have no balances. Files stand in either order, and lines of one second in any."""
    if not any(line.balance is not None for line in moved):
        return
    by_time = sorted(moved, key=lambda line: (line.completed_at is not None, line.completed_at))
    orders = (by_time, moved, moved[::-1])
    followed = min((_follow(order, opening) for order in orders), key=lambda way: len(way.breaks))
    if followed.breaks:
        line, expected = followed.breaks[0]
        rows = "row" if len(followed.breaks) == 1 else "rows"
        yield (
            f"The balance doesn't follow from the line before in {len(followed.breaks)} {rows} "
            f"(row {line.row}: {line.balance:,}, where {expected:,} was to be expected)."
        )
    elif closing is not None and followed.ends and not _is_among(closing, followed.ends):
        yield (
            f"Closing Balance is {closing:,} in the head of the file, but the balance of the last line is "
            f"{min(followed.ends):,}."
        )


def _follow(lines: Sequence[Line], opening: Decimal | None) -> _Followed:
    halves = _both_halves(lines)
    followed = _Followed(ends=frozenset() if opening is None else frozenset({opening}))
    for _second, together in itertools.groupby(lines, key=lambda line: line.completed_at):
        _take(followed, list(together), halves)
    return followed


def _take(followed: _Followed, together: list[Line], halves: set[str]) -> None:
    """Lines of one second stand in any order: the balance behind them all must be one of theirs."""
    balances = frozenset(line.balance for line in together if line.balance is not None)
    if len(balances) == 0 or any(line.receipt in halves for line in together):
        followed.ends = frozenset()  # each half of a sweep has its own account's balance
        return
    change = sum((line.paid_in - line.withdrawn for line in together), ZERO)
    expected = frozenset(start + change for start in followed.ends)
    reached = frozenset(end for end in expected if _is_among(end, balances))
    if expected and not reached:
        last = next(line for line in reversed(together) if line.balance is not None)
        followed.breaks.append((last, min(expected)))
    followed.ends = reached or balances


def _both_halves(lines: Sequence[Line]) -> set[str]:
    sides = {(line.receipt, bool(line.paid_in)) for line in lines if line.kind is Kind.SWEEP}
    counted = Counter(receipt for receipt, _side in sides)
    return {receipt for receipt, count in counted.items() if count > 1}


def _is_among(balance: Decimal, balances: frozenset[Decimal]) -> bool:
    return any(abs(balance - each) <= AGREE for each in balances)
