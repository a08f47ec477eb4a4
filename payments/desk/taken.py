"""What counts as taken on a day, for the home, the lists and the report. Reads only; what came with one payment is a
fact (facts/money.py).

An amount in doubt (Safaricom says paid, but a callback named another amount than was asked) is no figure: it counts
once it is known.
"""

from datetime import date, datetime, time, timedelta

from django.db.models import QuerySet

from payments.desk.words import NAIROBI
from payments.facts import AMOUNT_IS_UNKNOWN, IS_PAID, held_sql
from payments.models import MpesaTransaction

RECEIVED = held_sql()  # of a paid one whose amount is known


def paid(*, since: datetime, until: datetime | None = None) -> QuerySet[MpesaTransaction]:
    """Payments that we learned of from `since` on and before `until`, those in doubt among them."""
    settled = MpesaTransaction.objects.filter(IS_PAID, concluded_at__gte=since)
    return settled if until is None else settled.filter(concluded_at__lt=until)


def taken(*, since: datetime, until: datetime | None = None) -> QuerySet[MpesaTransaction]:
    return paid(since=since, until=until).exclude(AMOUNT_IS_UNKNOWN)


def midnight(day: date) -> datetime:
    """The first moment of this day in Nairobi."""
    return datetime.combine(day, time.min, tzinfo=NAIROBI)


def next_day(day: date) -> date:
    return day + timedelta(days=1)
