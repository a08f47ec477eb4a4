"""The figures of the desk's home: what needs a person, what was taken, how payments went. Reads only.

Days are Nairobi days; "the last 7 days" are today and the six before. What is wrong stands in trouble.py.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from payments.desk import needs
from payments.desk.day.figures import in_kes
from payments.desk.home import kept
from payments.desk.needs import COUNTED_UP_TO, Work
from payments.desk.outcomes import Failure, ends, failures
from payments.desk.taken import midnight, taken
from payments.desk.words import nairobi_day
from payments.facts import IS_PAID, IS_TO_SEND_BACK, IS_UNCLAIMED, has_expired, has_failed
from payments.models import MpesaTransaction, Receipt

WEEK, MONTH = 7, 30  # days
MEASURED = 2000  # payments, the newest
TOP_REASONS = 6


@dataclass(frozen=True, kw_only=True)
class Need:
    """Work for a person, named by its `key` (attention/work.py). `capped`: there are more."""

    key: str
    label: str
    what: str
    to_do: str
    count: int
    capped: bool

    @property
    def how_many(self) -> str:
        return f"over {self.count:,}" if self.capped else f"{self.count:,}"


@dataclass(frozen=True, kw_only=True)
class Day:
    """What came on one Nairobi day."""

    day: date
    count: int
    kes: int | Decimal


@dataclass(frozen=True, kw_only=True)
class Period:
    """`count` and `kes`: money that came in these days. The others: payments asked for in these days, as they stand.

    `success`: percent paid of those that ended; None: none has ended.
    """

    label: str
    since: date
    count: int
    kes: int | Decimal
    paid: int
    ended: int
    still_open: int
    success: int | None


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Seconds from our request to paid, over the `measured` newest payments; None where there was none."""

    measured: int
    median: float | None
    p95: float | None


@dataclass(frozen=True, kw_only=True)
class Home:
    needs: list[Need]
    periods: list[Period]
    days: list[Day]
    speed: Speed
    failures: list[Failure]  # the most frequent of the last 7 days
    failed: int  # of these days: all that were not paid …
    expired: int  # … and all that were given up
    unclaimed: int  # cents that are nobody's yet …
    due: int  # … and that are to be sent back


def home(*, now: datetime) -> Home:
    """All of it, in a number of queries that no number of payments changes."""
    today = nairobi_day(now)
    days = _days(today)
    outcomes = _outcomes(today)
    return Home(
        needs=[_need(work) for work in needs.ALL],
        periods=[
            _period("Today", "today", 1, days, outcomes),
            _period("Last 7 days", "week", WEEK, days, outcomes),
            _period("Last 30 days", "month", MONTH, days, outcomes),
        ],
        days=days,
        speed=_speed(today),
        failures=failures({(each.state, each.result_code): each.week for each in outcomes})[:TOP_REASONS],
        failed=sum(each.week for each in outcomes if has_failed(each)),
        expired=sum(each.week for each in outcomes if has_expired(each)),
        unclaimed=_standing("unclaimed_cents", IS_UNCLAIMED),
        due=_standing("due_cents", IS_TO_SEND_BACK),
    )


# --- what needs a person ------------------------------------------------------------------------------------


def _need(work: Work) -> Need:
    count = work.waiting().order_by()[: COUNTED_UP_TO + 1].count()
    return Need(
        key=work.key,
        label=work.label,
        what=work.what,
        to_do=work.to_do,
        count=min(count, COUNTED_UP_TO),
        capped=count > COUNTED_UP_TO,
    )


# --- what was taken -----------------------------------------------------------------------------------------


def _days(today: date) -> list[Day]:
    """The last 30, oldest first, days without sales among them. By the time a payment became known here.

    An amount in doubt is left out until it is known (taken.py).
    """
    over = kept.for_minutes("taken", today, lambda: _sums(_midnight(today, MONTH), until=midnight(today)))
    found = over | _sums(midnight(today))
    none: dict[str, Any] = {"count": 0, "kes": 0}
    days = [today - timedelta(days=back) for back in reversed(range(MONTH))]
    return [
        Day(day=day, count=row["count"], kes=row["kes"]) for day in days for row in [found.get(day, none)]
    ]


def _sums(since: datetime, until: datetime | None = None) -> dict[date, dict[str, Any]]:
    by_day = taken(since=since, until=until).order_by().values("day")
    rows = by_day.annotate(count=Count("*"), cents=Sum("amount_cents"))
    return {row["day"]: {"count": row["count"], "kes": in_kes(row["cents"])} for row in rows}


def _standing(column: str, waits: Q) -> int:
    """What stands in an account of the book: by a small index of its receipts, not by all that ever moved."""
    found: int = Receipt.objects.filter(waits).aggregate(cents=Sum(column, default=0))["cents"]
    return found


# --- how payments went --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """How many payments stand so, of those asked for today, in 7 and in 30 days."""

    state: str
    result_code: str
    today: int
    week: int
    month: int


def _outcomes(today: date) -> list[Outcomes]:
    """A payment of a day that is over may still come to be paid: those days are counted anew every few minutes."""
    over = kept.for_minutes("outcomes", today, lambda: _endings(today, of_today=False))
    now = _endings(today, of_today=True)
    return [
        Outcomes(
            state=state,
            result_code=code,
            today=now.get((state, code), (0, 0))[1],
            week=now.get((state, code), (0, 0))[0] + over.get((state, code), (0, 0))[0],
            month=now.get((state, code), (0, 0))[1] + over.get((state, code), (0, 0))[1],
        )
        for state, code in {**over, **now}
    ]


def _endings(today: date, *, of_today: bool) -> dict[tuple[str, str], tuple[int, int]]:
    """By state and code, how many of the last 7 days, and of all of the last 30: of today, or of the days before."""
    asked = Q(created_at__gte=midnight(today))
    if not of_today:
        asked = Q(created_at__gte=_midnight(today, MONTH), created_at__lt=midnight(today))
    of_week = Count("id", filter=Q(created_at__gte=_midnight(today, WEEK)))
    rows = MpesaTransaction.objects.filter(asked).order_by().values("state", "result_code")
    counted = rows.annotate(week=of_week, month=Count("*"))
    return {(row["state"], row["result_code"]): (row["week"], row["month"]) for row in counted}


def _period(label: str, span: str, length: int, days: Sequence[Day], outcomes: Iterable[Outcomes]) -> Period:
    """`span` names the field of Outcomes, `length` is its days."""
    went = ends({(each.state, each.result_code): getattr(each, span) for each in outcomes})
    return Period(
        label=label,
        since=days[-length].day,
        count=sum(day.count for day in days[-length:]),
        kes=sum(day.kes for day in days[-length:]),
        paid=went.paid,
        ended=went.ended,
        still_open=went.still_open,
        success=went.success,
    )


def _speed(today: date) -> Speed:
    """By Safaricom's own time of the payment where it named one, else when it became known here; not by hand."""
    paid = MpesaTransaction.objects.filter(IS_PAID, by_hand=False, concluded_at__gte=_midnight(today, WEEK))
    newest = paid.order_by("-concluded_at").values_list("created_at", Coalesce("paid_at", F("concluded_at")))
    seconds = sorted(max(0.0, (at - asked).total_seconds()) for asked, at in newest[:MEASURED])
    if not seconds:
        return Speed(measured=0, median=None, p95=None)
    return Speed(
        measured=len(seconds),
        median=statistics.median(seconds),
        p95=seconds[math.ceil(0.95 * len(seconds)) - 1],
    )


def _midnight(today: date, days: int) -> datetime:
    """The first moment of the last so many days, today among them."""
    return midnight(today - timedelta(days=days - 1))
