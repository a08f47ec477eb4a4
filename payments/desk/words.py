"""How the desk says money, times, numbers and states. Pure; no sentence about one payment here (payments/story.py)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from orders.models import Order
from payments.facts import Reason, is_paid, is_part_paid, is_refunded, order_is_paid
from payments.ledger import CENTS
from payments.models import MpesaTransaction
from payments.states import State

NAIROBI = ZoneInfo("Africa/Nairobi")
NONE = "—"

# unfold's colour and ours for each state
STATE_TONES: dict[str, tuple[str, str]] = {
    State.CREATED: ("info", "info"),
    State.PENDING: ("info", "info"),
    State.UNKNOWN: ("warning", "warn"),
    State.COMPLETED: ("success", "ok"),
    State.FAILED: ("danger", "bad"),
    State.EXPIRED: ("danger", "bad"),
}


class Badge(NamedTuple):
    """`tone`: ok | warn | bad | info; empty where it is neither."""

    text: str
    tone: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a history. `tone`: ok | warn | bad | info. `words`: Safaricom's own, or the person's."""

    at: datetime
    title: str
    tone: str = "info"
    who: str = ""
    words: str = ""
    meaning: str = ""


SENT_BACK = "Paid, and sent back"


def badge_of(attempt: MpesaTransaction) -> Badge:
    if is_paid(attempt) and is_refunded(attempt):
        return Badge(SENT_BACK, "warn")
    return Badge(attempt.get_state_display(), STATE_TONES[attempt.state][1])


def channel(stored: str) -> str:
    """`Paybill`, `Till`; as it is stored, where it is neither: a list is not stopped by one odd row."""
    return dict(MpesaTransaction.Channel.choices).get(stored, stored)


def order_badge(order: Order, *, ended: bool) -> Badge:
    """`ended`: too old to be asked for (facts.is_ended)."""
    if ended:
        return Badge("Ended unpaid")
    if is_part_paid(order):
        return Badge("Part paid", "warn")
    return Badge(order.get_state_display(), "ok" if order_is_paid(order) else "warn")


def warnings(reasons: Iterable[Reason]) -> list[Badge]:
    """A badge for each reason why somebody is needed."""
    return [Badge(reason.label, "warn") for reason in reasons]


def kes(amount: int | Decimal | None) -> str:
    """`KES 1,500`; `KES 30.50` where a statement has cents; a dash for none."""
    if amount is None:
        return NONE
    whole = int(amount)
    return f"KES {whole:,}" if whole == amount else f"KES {amount:,.2f}"


def kes_of(cents: int | None) -> str:
    """The same of cents."""
    return kes(None if cents is None else Decimal(cents) / CENTS)


def shillings(cents: int) -> int | float:
    """For programs: `1500`; `1499.5` where there are cents."""
    return cents // CENTS if cents % CENTS == 0 else cents / CENTS


def moment(at: datetime | None) -> str:
    """Nairobi time to the second: staff compare it with the message on a phone. A dash for none."""
    return f"{at.astimezone(NAIROBI):%-d %b %Y, %H:%M:%S}" if at else NONE


def sortable_moment(at: datetime) -> str:
    """`2026-11-23 18:00:12`: ISO 8601 in Nairobi's time, which spreadsheets read as a time."""
    return f"{at.astimezone(NAIROBI):%Y-%m-%d %H:%M:%S}"


def nairobi_day(at: datetime) -> date:
    return at.astimezone(NAIROBI).date()


def on_one_line(text: str) -> str:
    """For a narrow column: it is not broken into lines."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def span(time: timedelta) -> str:
    """`9 seconds`, `4 minutes`, `3 hours`, `2 days`: as a person would say it."""
    seconds = max(0, int(time.total_seconds()))
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if (
            seconds >= 2 * size
            or (name != "minute" and seconds >= size)
            or (name == "minute" and seconds > 90)
        ):
            return counted(round(seconds / size), name)
    return counted(seconds, "second")


def counted(number: int, one: str, many: str = "") -> str:
    """`1 payment`, `2,000 payments`; `3 mixes`, `1 thing needs` and `2 things need` with `many` named."""
    return f"{number:,} {noun(number, one, many)}"


def noun(number: int, one: str, many: str = "") -> str:
    """The word that belongs to this number, without the number."""
    return one if number == 1 else many or f"{one}s"


def lowered(text: str) -> str:
    """For the middle of a sentence; an abbreviation keeps its capitals."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def raised(text: str) -> str:
    """For the beginning of one."""
    return text[:1].upper() + text[1:]
