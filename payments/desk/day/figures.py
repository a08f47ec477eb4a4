"""The figures of one day: each a line with a count, a sum and whose orders they are. Reads only, in a fixed number of
queries; what they come to in sentences stands in report.py.

A day's takings are the receipts that we learned of in that day in Nairobi (as the desk's home counts them): once the
day is over they don't change, and what came later is shown as such. Requests, open ones and what needs a person are
told as they stand when the report is made.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import ExtractHour

from payments.desk import taken
from payments.desk.day.agreement import Agreement
from payments.desk.needs import COUNTED_UP_TO, Work
from payments.desk.outcomes import Ends, ends, failures
from payments.desk.words import NAIROBI, moment
from payments.facts import IS_LIVE, IS_PAID, IS_UNKNOWN, received_kes
from payments.ledger import CENTS
from payments.models import HandSettlement, MpesaTransaction, Posting, Receipt, Refund
from payments.reconciliation import Till, TrialBalance

Code = Posting.Code

CODES_SHOWN = 20  # order codes in one line
NEWEST = 100  # payments among which the highest id is looked for: requests that came at once may be stored out of turn


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure. None: such a figure makes no sense here. `at_least`: there are more than `count`.

    `codes`: of the orders it is about, the first CODES_SHOWN; `codes_left`: how many others there are. `key`: of the
    work (needs.py) that it counts."""

    what: str
    count: int | None = None
    kes: int | Decimal | None = None
    detail: str = ""
    codes: Sequence[str] = ()
    codes_left: int = 0
    at_least: bool = False
    key: str = ""


# --- what was taken -------------------------------------------------------------------------------------

Row = Mapping[str, Any]


def takings(start: datetime, end: datetime) -> tuple[Line, list[Line], list[Line]]:
    """The day's money: all of it; by what it was for and at which short code; by hour."""
    rows = (
        taken.taken(since=start, until=end)
        .order_by()
        .annotate(hour=ExtractHour("told_at", tzinfo=NAIROBI))
        .values("hour", "short_code")
        .annotate(receipts=Count("id"), cents=Sum("amount_cents"))
    )
    found: list[Row] = [dict(row) for row in rows]
    changed = [*_of_earlier_days(start, end), *_taken_back(start, end), *_learned_later(start, end)]
    if not found:
        return Line(what="All", count=0, kes=0), changed, []
    (total,) = _added(found, lambda _row: "All")
    tills = _added(found, lambda row: f"At short code {row['short_code']}")
    hours = _added(found, lambda row: f"{row['hour']:02}:00 to {row['hour'] + 1:02}:00")
    parts = [total, *_by_purpose(start, end), *(tills if len(tills) > 1 else ()), *changed]
    return total, parts, hours


def _by_purpose(start: datetime, end: datetime) -> list[Line]:
    """What the day's receipts were for when the day was over: what was decided on a later day is not in it."""
    entries = (
        Posting.objects.filter(
            receipt__in=taken.taken(since=start, until=end).values("id"), at__gte=start, at__lt=end
        )
        .order_by()
        .values("code", "mends__code")
        .annotate(
            count=Count("id"),
            cents=Sum("amount_cents"),
            whole=Count("id", filter=Q(amount_cents=F("receipt__amount_cents"))),
        )
    )
    cents: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for entry in entries:
        code, sign = entry["mends__code"] or entry["code"], -1 if entry["mends__code"] else 1
        cents[code] += sign * entry["cents"]
        counts[code] += sign * entry["count"]
        whole[code] += sign * entry["whole"]
    found = (
        ("For orders", counts[Code.PAID] - whole[Code.OVERPAID], cents[Code.PAID] - cents[Code.OVERPAID]),
        ("More than an order costs", counts[Code.OVERPAID], cents[Code.OVERPAID]),
        ("Nobody's when it came", counts[Code.UNCLAIMED], cents[Code.UNCLAIMED]),
    )
    return [Line(what=what, count=count, kes=in_kes(sum_of)) for what, count, sum_of in found if sum_of]


def _of_earlier_days(start: datetime, end: datetime) -> list[Line]:
    late = taken.taken(since=start, until=end).filter(happened_at__lt=start)
    return _summed("Of it, paid on an earlier day", late, "we learned of it on this day")


def _taken_back(start: datetime, end: datetime) -> list[Line]:
    back = taken.taken_back(since=start, until=end)
    return _summed("Taken back", back, "had counted on an earlier day, and was never so", sign=-1)


def _learned_later(start: datetime, end: datetime) -> list[Line]:
    later = taken.learned_later(since=start, until=end)
    return _summed(
        "Paid on this day, and learned of later", later, "counts on the day on which we learned of it"
    )


def _summed(what: str, receipts: QuerySet[Receipt], detail: str, *, sign: int = 1) -> list[Line]:
    told = receipts.order_by().aggregate(count=Count("id"), cents=Sum("amount_cents", default=0))
    line = Line(what=what, count=told["count"], kes=in_kes(sign * told["cents"]), detail=detail)
    return [line] if line.count else []


def in_kes(cents: int) -> int | Decimal:
    return cents // CENTS if cents % CENTS == 0 else Decimal(cents) / CENTS


def _added(rows: Iterable[Row], name: Callable[[Row], str]) -> list[Line]:
    """The rows added up under the name that each has, in the names' order."""
    counts: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    for row in rows:
        counts[name(row)] += row["receipts"]
        sums[name(row)] += row["cents"]
    return [Line(what=each, count=counts[each], kes=in_kes(sums[each])) for each in sorted(counts)]


# --- the till -------------------------------------------------------------------------------------------


def till(balance: TrialBalance) -> list[Line]:
    """What stood at each short code, how it came to that, and what the statement says: it adds up."""
    moved = [each for each in balance.tills if _has_figures(each)]
    return [line for each in moved for line in _of_till(each, named=len(moved) > 1)]


def _has_figures(one: Till) -> bool:
    return bool(one.opening or one.came or one.out or one.charges or one.to_bank or one.theirs is not None)


def _of_till(one: Till, *, named: bool) -> Iterator[Line]:
    at = f" {one.short_code}" if named else ""
    until = f"until {moment(one.until)}, where the M-PESA statement ends" if one.compared_with else ""
    for what, cents in (
        (f"Opening{at}", one.opening),
        (f"In{at}", one.came),
        (f"Out{at}", -one.out),
        (f"Safaricom's charges{at}", -one.charges),
        (f"To the bank{at}", -one.to_bank),
    ):
        yield Line(what=what, kes=in_kes(cents))
    yield Line(what=f"Closing{at}", kes=in_kes(one.closing), detail=until)
    if one.theirs is not None and one.difference is not None:
        yield Line(what=f"The M-PESA statement says{at}", kes=in_kes(one.theirs))
        if one.difference:
            more = "more" if one.difference > 0 else "less"
            yield Line(
                what=f"Difference{at}",
                kes=in_kes(one.difference),
                detail=f"we hold {more} than Safaricom says",
            )


def owed(balance: TrialBalance) -> list[Line]:
    """Whose the money is, as the book stands when this is made."""
    whose = (
        ("Of orders", balance.orders),
        ("Nobody's yet", balance.unclaimed),
        ("To be sent back", balance.refunds_due),
        ("Kept by the shop", balance.kept),
    )
    return [Line(what=what, kes=in_kes(cents)) for what, cents in whose] if any(dict(whose).values()) else []


def refunds(start: datetime, end: datetime) -> list[Line]:
    """Refunds that staff recorded in the day and that left, whenever the money had come, and whatever it was."""
    recorded = Refund.objects.filter(recorded_at__gte=start, recorded_at__lt=end)
    sent = recorded.exclude(state=Refund.State.FAILED).select_related("attempt", "receipt").order_by("id")
    told = [
        Line(
            what="Refund",
            count=1,
            kes=in_kes(refund.amount_cents),
            detail=f"{_of_money(refund)}reference {refund.reference}, recorded by {refund.recorded_by}",
            codes=(refund.attempt.account_reference,) if refund.attempt else (),
        )
        for refund in sent
    ]
    total = Line(what="All", count=len(told), kes=sum(line.kes or 0 for line in told))
    return [total, *told] if told else []


def _of_money(refund: Refund) -> str:
    """Where no payment of ours names the order."""
    return f"of receipt {refund.receipt}, " if refund.attempt is None and refund.receipt else ""


def by_hand(start: datetime, end: datetime) -> list[Line]:
    done = HandSettlement.objects.filter(
        decision=HandSettlement.Decision.DONE,
        what__in=(HandSettlement.What.SETTLE, HandSettlement.What.CLAIM, HandSettlement.What.KEEP),
        decided_at__gte=start,
        decided_at__lt=end,
    )
    return [
        Line(
            what=settled.get_evidence_display(),
            count=1,
            kes=settled.amount_kes,
            detail=f"receipt {settled.receipt}, by {_who(settled)}: {settled.reason}",
            codes=(settled.attempt.account_reference,) if settled.attempt else (),
        )
        for settled in done.select_related("attempt").order_by("decided_at", "id")
    ]


def _who(settled: HandSettlement) -> str:
    if settled.decided_by == settled.proposed_by:
        return settled.proposed_by
    return f"{settled.proposed_by}, confirmed by {settled.decided_by}"


# --- what was asked -------------------------------------------------------------------------------------


def asked(start: datetime, end: datetime) -> tuple[list[Line], Ends, list[Line]]:
    """The requests of the day: how they stand; and why some came to nothing."""
    rows = (
        MpesaTransaction.objects.filter(created_at__gte=start, created_at__lt=end)
        .order_by()
        .values_list("state", "result_code")
        .annotate(
            payments=Count("id"),
            shillings=Sum("amount_kes"),
            paid=Sum("amount_kes", filter=IS_PAID, default=0),
        )
    )
    found = list(rows)
    counted = {(state, code): count for state, code, count, *_ in found}
    went = ends(counted)
    why = [
        Line(what=each.meaning, count=each.count, detail=f"{each.share}% of them")
        for each in failures(counted)
    ]
    if not found:
        return [], went, why
    total = Line(what="Asked for", count=sum(counted.values()), kes=sum(row[3] for row in found))
    paid = Line(what="Paid", count=went.paid, kes=sum(row[4] for row in found))
    came_to_nothing = Line(what="Came to nothing", count=went.ended - went.paid)
    return [total, paid, came_to_nothing, Line(what="Open", count=went.still_open)], went, why


def still_open(end: datetime, last: int) -> list[Line]:
    """Whatever has no end and was asked for by the end of the day. Those without an answer stand under needs."""
    live = MpesaTransaction.objects.filter(IS_LIVE & ~IS_UNKNOWN, created_at__lt=end, id__lte=last)
    return _listed(live.order_by("-id"), what="Asked for by the end of that day")


def last_before(end: datetime) -> int:
    """No payment asked for before this moment has a higher id: lets the small indexes by id find an old day's."""
    before = MpesaTransaction.objects.filter(created_at__lt=end).order_by("-created_at")
    return max(before.values_list("id", flat=True)[:NEWEST], default=0)


# --- what needs a person --------------------------------------------------------------------------------


def need(work: Work, end: datetime, last: int) -> list[Line]:
    """What of this work had come by the end of the day and waits still."""
    waiting = work.waiting().filter(need_since__lt=end).order_by("-id")
    if work.is_of_payments:
        return _listed(waiting.filter(id__lte=last), what=work.label, detail=work.to_do, key=work.key)
    codes = list(waiting.values_list("need_order", flat=True)[: COUNTED_UP_TO + 1])
    return _line_of(codes, shillings=None, what=work.label, detail=work.to_do, key=work.key)


def _listed(payments: Any, **words: str) -> list[Line]:
    columns = ("amount_kes", "received_kes", "amount_differs")
    rows = list(payments.values_list("account_reference", *columns, named=True)[: COUNTED_UP_TO + 1])
    came = [received_kes(row) for row in rows[:COUNTED_UP_TO]]
    known = [shillings for shillings in came if shillings is not None]
    return _line_of([row.account_reference for row in rows], shillings=sum(known) if known else None, **words)


def _line_of(codes: Sequence[str | None], *, shillings: int | None, **words: str) -> list[Line]:
    if not codes:
        return []
    counted = codes[:COUNTED_UP_TO]
    orders = [code for code in dict.fromkeys(counted) if code]
    line = Line(
        count=len(counted),
        kes=shillings,
        codes=orders[:CODES_SHOWN],
        codes_left=max(0, len(orders) - CODES_SHOWN),
        at_least=len(codes) > COUNTED_UP_TO,
        **words,
    )
    return [line]


# --- what the statement says ---------------------------------------------------------------------------


def compared(statement: Agreement) -> list[Line]:
    if not statement.is_here:
        return []
    lines = [
        Line(what="On the statement", count=statement.theirs, kes=statement.theirs_kes),
        Line(
            what="On the statement, and nobody's yet",
            count=statement.strange,
            kes=statement.strange_kes,
            detail=f"receipts {', '.join(statement.strange_receipts)}" if statement.strange else "",
        ),
        *_line_of(
            statement.absent_codes, shillings=statement.absent_kes, what="Here, but not on the statement"
        ),
        *_line_of(statement.unequal_codes, shillings=None, what="In another amount than here"),
        Line(
            what="On one file, and not on another of the same time",
            count=len(statement.disputed_receipts),
            kes=None,
            detail=f"receipts {', '.join(statement.disputed_receipts)}",
        ),
    ]
    return [line for line in lines if line.count or line is lines[0]]
