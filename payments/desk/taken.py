"""What counts as taken on a day, for the home, the lists and the report. Reads only.

Each receipt counts on the Nairobi day on which we learned of it, whether a request of ours asked for it or not, and
whatever becomes of it later: the sum of a day that is over doesn't change. One that is found never to have been is
taken back on the day on which that was found. An amount in doubt is in no receipt: it counts once it is known.
"""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import TruncDate

from payments.desk.words import NAIROBI
from payments.facts import IS_PAID
from payments.models import MpesaTransaction, Receipt

CAME = Q(direction=Receipt.Direction.IN, kind=Receipt.Kind.PAYMENT)


def paid(*, since: datetime, until: datetime | None = None) -> QuerySet[MpesaTransaction]:
    """Payments that we learned of from `since` on and before `until`, those in doubt among them."""
    settled = MpesaTransaction.objects.filter(IS_PAID, concluded_at__gte=since)
    return settled if until is None else settled.filter(concluded_at__lt=until)


def taken(*, since: datetime, until: datetime | None = None) -> "QuerySet[Any]":
    """Receipts of these days, each with its `day`. One that was voided on its own day never counted."""
    told = Receipt.objects.filter(CAME, told_at__gte=since)
    told = told if until is None else told.filter(told_at__lt=until)
    days = told.annotate(
        day=TruncDate("told_at", tzinfo=NAIROBI), voided_on=TruncDate("voided_at", tzinfo=NAIROBI)
    )
    return days.filter(Q(voided_at=None) | Q(voided_on__gt=F("day")))


def taken_back(*, since: datetime, until: datetime) -> QuerySet[Receipt]:
    """Receipts that had counted on an earlier day and were found never to have been on this one."""
    return Receipt.objects.filter(CAME, voided_at__gte=since, voided_at__lt=until, told_at__lt=since)


def learned_later(*, since: datetime, until: datetime) -> QuerySet[Receipt]:
    """Paid on this day by Safaricom's clock, and told to us after it: it counts where we learned of it."""
    return Receipt.objects.filter(
        CAME, happened_at__gte=since, happened_at__lt=until, told_at__gte=until, voided_at=None
    )


def midnight(day: date) -> datetime:
    """The first moment of this day in Nairobi."""
    return datetime.combine(day, time.min, tzinfo=NAIROBI)


def next_day(day: date) -> date:
    return day + timedelta(days=1)
