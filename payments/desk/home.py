"""The figures of the desk's home: what needs a person, what was taken, how payments went. Reads only.

Days are Nairobi days; "the last 7 days" are today and the six before. What is wrong stands in trouble.py.
"""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from payments.attention import REASONS
from payments.daraja import lookup
from payments.desk.words import NAIROBI
from payments.models import PROBLEM_VERDICTS, CallbackDelivery, HandSettlement, MpesaTransaction
from payments.states import LIVE, State

WEEK, MONTH = 7, 30  # days
COUNTED_UP_TO = 1000  # of what needs a person: beyond it, "many" says as much
MEASURED = 2000  # payments, the newest
TOP_REASONS = 6

CALLBACKS, SETTLEMENTS = "callbacks", "settlements"


@dataclass(frozen=True, kw_only=True)
class Need:
    """Work for a person. `key` is a reason's (attention.py), CALLBACKS or SETTLEMENTS. `capped`: there are more."""

    key: str
    label: str
    what: str
    to_do: str
    count: int
    capped: bool


@dataclass(frozen=True, kw_only=True)
class Day:
    """What came on one Nairobi day."""

    day: date
    count: int
    kes: int


@dataclass(frozen=True, kw_only=True)
class Period:
    """`count` and `kes`: money that came in these days. The others: payments asked for in these days, as they stand.

    `success`: percent paid of those that ended; None: none has ended.
    """

    label: str
    since: date
    count: int
    kes: int
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
class Failure:
    """One reason why payments came to nothing. `share`: percent of all that did."""

    meaning: str
    count: int
    share: int


@dataclass(frozen=True, kw_only=True)
class Home:
    needs: list[Need]
    periods: list[Period]
    days: list[Day]
    speed: Speed
    failures: list[Failure]  # the most frequent of the last 7 days
    failed: int  # of these days: all that were not paid …
    expired: int  # … and all that were given up


def home(*, now: datetime) -> Home:
    """All of it, in a number of queries that no number of payments changes."""
    today = now.astimezone(NAIROBI).date()
    days = _days(today)
    outcomes = _outcomes(today)
    return Home(
        needs=_needs(),
        periods=[
            _period("Today", "today", 1, days, outcomes),
            _period("Last 7 days", "week", WEEK, days, outcomes),
            _period("Last 30 days", "month", MONTH, days, outcomes),
        ],
        days=days,
        speed=_speed(today),
        failures=_failures(outcomes)[:TOP_REASONS],
        failed=sum(each.week for each in outcomes if each.state == State.FAILED),
        expired=sum(each.week for each in outcomes if each.state == State.EXPIRED),
    )


# --- what needs a person ------------------------------------------------------------------------------------


def _needs() -> list[Need]:
    payments = [
        _need(
            MpesaTransaction.objects.filter(reason.applies),
            key=reason.key, label=reason.label, what=reason.what, to_do=reason.to_do,
        )
        for reason in REASONS
    ]  # fmt: skip
    callbacks = _need(
        CallbackDelivery.objects.filter(verdict__in=PROBLEM_VERDICTS, looked_at=None),
        key=CALLBACKS,
        label="Callback problems",
        what="A callback came that was not believed or could not be read.",
        to_do="Look at it and at its payment, then mark it as looked at.",
    )
    settlements = _need(
        HandSettlement.objects.filter(decision=HandSettlement.Decision.WAITING),
        key=SETTLEMENTS,
        label="Waits for a second person",
        what="A payment was settled by hand above the limit for one person.",
        to_do="Look at the evidence, then confirm or decline it on the payment's page.",
    )
    return [*payments, settlements, callbacks]


def _need(found: "QuerySet[Any, Any]", **words: str) -> Need:
    count = found.order_by()[: COUNTED_UP_TO + 1].count()
    return Need(count=min(count, COUNTED_UP_TO), capped=count > COUNTED_UP_TO, **words)


# --- what was taken -----------------------------------------------------------------------------------------


def _days(today: date) -> list[Day]:
    """The last 30, oldest first, days without sales among them. By the time a payment became known here.

    An amount in doubt (Safaricom says paid, but a callback named another amount) is left out until it is known.
    """
    in_doubt = Q(amount_differs=True, received_kes=None)
    taken = MpesaTransaction.objects.filter(state=State.COMPLETED, settled_at__gte=_midnight(today, MONTH))
    by_day = (
        taken.exclude(in_doubt)
        .order_by()
        .values(day=TruncDate("settled_at", tzinfo=NAIROBI))
        .annotate(count=Count("*"), kes=Sum(Coalesce("received_kes", "amount_kes")))
    )
    found = {row["day"]: row for row in by_day}
    none = {"count": 0, "kes": 0}
    days = [today - timedelta(days=back) for back in reversed(range(MONTH))]
    return [
        Day(day=day, count=row["count"], kes=row["kes"]) for day in days for row in [found.get(day, none)]
    ]


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
    rows = (
        MpesaTransaction.objects.filter(created_at__gte=_midnight(today, MONTH))
        .order_by()
        .values("state", "result_code")
        .annotate(
            today=Count("id", filter=Q(created_at__gte=_midnight(today, 1))),
            week=Count("id", filter=Q(created_at__gte=_midnight(today, WEEK))),
            month=Count("*"),
        )
    )
    return [Outcomes(**row) for row in rows]


def _period(label: str, span: str, length: int, days: Sequence[Day], outcomes: Iterable[Outcomes]) -> Period:
    """`span` names the field of Outcomes, `length` is its days."""
    by_state: Counter[str] = Counter()
    for each in outcomes:
        by_state[each.state] += getattr(each, span)
    paid, still_open = by_state[State.COMPLETED], sum(by_state[state] for state in LIVE)
    ended = by_state.total() - still_open
    return Period(
        label=label,
        since=days[-length].day,
        count=sum(day.count for day in days[-length:]),
        kes=sum(day.kes for day in days[-length:]),
        paid=paid,
        ended=ended,
        still_open=still_open,
        success=percent(paid, ended) if ended else None,
    )


def _failures(outcomes: Iterable[Outcomes]) -> list[Failure]:
    """Why payments of the last 7 days came to nothing, the most frequent reason first."""
    counted: Counter[str] = Counter()
    for each in outcomes:
        if each.week and each.state in (State.FAILED, State.EXPIRED):
            counted[_why(each.state, each.result_code)] += each.week
    return [
        Failure(meaning=meaning, count=count, share=percent(count, counted.total()))
        for meaning, count in sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    ]


def _why(state: str, code: str) -> str:
    """One row of Daraja's table in words; a push that was never taken has an errorCode or our own word instead."""
    if state == State.EXPIRED:
        return "No payment was seen"
    result = lookup(code)
    if result.final:
        return result.meaning
    return "Safaricom could not be reached" if code == "Unreachable" else "Safaricom refused the request"


def _speed(today: date) -> Speed:
    """By Safaricom's own time of the payment where it named one, else when it became known here; not by hand."""
    paid = MpesaTransaction.objects.filter(
        state=State.COMPLETED, by_hand=False, settled_at__gte=_midnight(today, WEEK)
    )
    newest = paid.order_by("-settled_at").values_list("created_at", Coalesce("paid_at", F("settled_at")))
    seconds = sorted(max(0.0, (at - asked).total_seconds()) for asked, at in newest[:MEASURED])
    if not seconds:
        return Speed(measured=0, median=None, p95=None)
    return Speed(
        measured=len(seconds),
        median=statistics.median(seconds),
        p95=seconds[math.ceil(0.95 * len(seconds)) - 1],
    )


def percent(part: int, whole: int) -> int:
    """Rounded, but 0 only for none and 100 only for all."""
    if part in (0, whole):
        return 100 if part else 0
    return min(99, max(1, round(100 * part / whole)))


def _midnight(today: date, days: int) -> datetime:
    """The first moment of the last so many days, today among them."""
    return datetime.combine(today - timedelta(days=days - 1), time.min, tzinfo=NAIROBI)
