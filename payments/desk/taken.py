"""What came with a payment, and what counts as taken: in one place, for the home, the lists and the report of a day.
Reads only.

An amount in doubt (Safaricom says paid, but a callback named another amount than was asked) is no figure: it counts
once it is known.
"""

from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from payments.desk.words import NAIROBI
from payments.models import MpesaTransaction
from payments.states import State

RECEIVED = Coalesce("received_kes", "amount_kes")  # of a paid one that is not in doubt
IN_DOUBT = Q(amount_differs=True, received_kes=None)


def paid(*, since: datetime, until: datetime | None = None) -> QuerySet[MpesaTransaction]:
    """Payments that we learned of from `since` on and before `until`, those in doubt among them."""
    settled = MpesaTransaction.objects.filter(state=State.COMPLETED, settled_at__gte=since)
    return settled if until is None else settled.filter(settled_at__lt=until)


def taken(*, since: datetime, until: datetime | None = None) -> QuerySet[MpesaTransaction]:
    return paid(since=since, until=until).exclude(IN_DOUBT)


def received(*, amount_kes: int, received_kes: int | None, amount_differs: bool) -> int | None:
    """Shillings that came with a paid attempt: as named by who told us of it, else what was asked. None: in doubt."""
    if received_kes is None and amount_differs:
        return None
    return received_kes or amount_kes


def midnight(day: date) -> datetime:
    """The first moment of this day in Nairobi."""
    return datetime.combine(day, time.min, tzinfo=NAIROBI)


def next_day(day: date) -> date:
    return day + timedelta(days=1)
