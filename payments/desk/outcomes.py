"""How payments ended, in a few words and counted: for lists, exports, the home and the report of a day. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from payments.daraja import lookup
from payments.states import LIVE, State

Counted = Mapping[tuple[str, str], int]  # payments by state and result code

UNREACHABLE = "Unreachable"  # our own word in place of a code: the request never left us


@dataclass(frozen=True, kw_only=True)
class Ends:
    """How many were paid, how many ended at all, how many are open still."""

    paid: int
    ended: int
    still_open: int

    @property
    def success(self) -> int | None:
        """Percent paid of those that ended; None: none has ended."""
        return percent(self.paid, self.ended) if self.ended else None


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One reason why payments came to nothing. `share`: percent of all that did."""

    meaning: str
    count: int
    share: int


def outcome(state: str, code: str) -> str:
    """`Cancelled by the user`, `Paid`, `No payment was seen`; empty while it is open.

    A push that was never taken has Safaricom's errorCode or our own word instead of a result code."""
    match State(state):
        case State.COMPLETED:
            return "Paid"
        case State.EXPIRED:
            return "No payment was seen"
        case State.FAILED if code == UNREACHABLE:
            return "Safaricom could not be reached"
        case State.FAILED:
            result = lookup(code)
            return result.meaning if result.final else "Safaricom refused the request"
        case _:
            return ""


def ends(counted: Counted) -> Ends:
    by_state: Counter[str] = Counter()
    for (state, _), count in counted.items():
        by_state[state] += count
    still_open = sum(by_state[state] for state in LIVE)
    return Ends(paid=by_state[State.COMPLETED], ended=by_state.total() - still_open, still_open=still_open)


def failures(counted: Counted) -> list[Failure]:
    """Why payments came to nothing, the most frequent reason first."""
    by_meaning: Counter[str] = Counter()
    for (state, code), count in counted.items():
        if count and state in (State.FAILED, State.EXPIRED):
            by_meaning[outcome(state, code)] += count
    return [
        Failure(meaning=meaning, count=count, share=percent(count, by_meaning.total()))
        for meaning, count in sorted(by_meaning.items(), key=lambda each: (-each[1], each[0]))
    ]


def percent(part: int, whole: int) -> int:
    """Rounded, but 0 only for none and 100 only for all."""
    if part in (0, whole):
        return 100 if part else 0
    return min(99, max(1, round(100 * part / whole)))
