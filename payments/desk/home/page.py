"""The desk's home: what is wrong, what needs a person, how the shop does. Gathers and links; counts nothing itself."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from payments import gateway
from payments.desk import needs, settlements
from payments.desk.addresses import list_of
from payments.desk.home import figures, trouble
from payments.desk.home.figures import Home, Period
from payments.models import MpesaTransaction
from payments.states import LIVE, State

PROPOSALS = 5  # that are shown whole; the list has all of them


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK: who may not see payments gets a welcome and no figure."""
    context["title"] = "Home"
    if not request.user.has_perm("payments.view_mpesatransaction"):
        return context
    now = gateway.now()
    seen = figures.home(now=now)
    of_theirs = [need for need in seen.needs if needs.BY_KEY[need.key].may_be_seen(request)]
    return context | {
        "as_of": now,
        "troubles": trouble.troubles(now=now, spool_folder=gateway.spool_folder()),
        "home": seen,
        "needs": [(need, needs.BY_KEY[need.key].address) for need in of_theirs if need.count],
        "proposals": settlements.waiting(request, Q(), at_most=PROPOSALS)
        if request.user.has_perm("payments.view_handsettlement")
        else [],
        "day": reverse("desk-day"),
        "needless": [need.label for need in of_theirs if not need.count],
        "periods": [(period, _links(period)) for period in seen.periods],
        "bars": _bars(seen),
        "most": max(day.kes for day in seen.days),
        "week": _links(seen.periods[1]),
    }


def _links(period: Period) -> dict[str, str]:
    """The payments asked for in these days: all of them, and by how they stand."""
    since = period.since.isoformat()
    return {
        "all": _payments(created_at_from=since),
        "paid": _payments(state__exact=State.COMPLETED, created_at_from=since),
        "failed": _payments(state__exact=State.FAILED, created_at_from=since),
        "expired": _payments(state__exact=State.EXPIRED, created_at_from=since),
        "open": _payments(state__in=",".join(LIVE), created_at_from=since),
    }


def _payments(**chosen: str) -> str:
    return list_of(MpesaTransaction, chosen)


# --- the chart ----------------------------------------------------------------------------------------------

BAR, HEIGHT = 10, 100  # units of the drawing


def _bars(seen: Home) -> list[dict[str, Any]]:
    """A bar a day, as high as its share of the best day; a sale is never invisible."""
    most = max(day.kes for day in seen.days) or 1
    heights = [max(2, round(HEIGHT * day.kes / most)) if day.kes else 0 for day in seen.days]
    return [
        {"day": day, "x": BAR * number, "y": HEIGHT - height, "height": height}
        for number, (day, height) in enumerate(zip(seen.days, heights, strict=True))
    ]
