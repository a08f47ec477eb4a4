"""The report of a day in the desk, to read, to print and to take along as a file. Counts nothing itself.

A page of no model: djkraph/urls.py puts it before the admin's own addresses."""

import logging
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.views.decorators.http import require_GET

from payments import gateway
from payments.desk.addresses import list_of
from payments.desk.day import text
from payments.desk.day.figures import Line
from payments.desk.day.report import report
from payments.desk.lists.exporting import PERMISSION as EXPORT
from payments.desk.lists.table import BOM
from payments.desk.needs import BY_KEY
from payments.desk.pages import refuse_without, show
from payments.desk.words import nairobi_day
from payments.models import MpesaTransaction
from payments.phones import blank_phones

log = logging.getLogger(__name__)

SEES = "payments.view_mpesatransaction"
PAGE, FILE = "desk-day", "desk-day-file"


def is_offered(request: HttpRequest) -> bool:
    """For unfold's sidebar."""
    return request.user.has_perm(SEES)


@require_GET
def _page(request: HttpRequest) -> HttpResponse:
    refuse_without(request, SEES)
    now = gateway.now()
    today = nairobi_day(now)
    typed = request.GET.get("date", "")
    day = text.read_day(typed, today=today)
    shown = day or today
    told = report(shown, now=now)
    context = {
        "title": f"Report of {text.long_day(shown)}",
        "told": told,
        "parts": [(part, [_shown(request, line) for line in part.lines]) for part in told.parts],
        "today": today,
        "unreadable": typed if day is None and typed else "",
        "before": _address(PAGE, shown - timedelta(days=1)),
        "after": _address(PAGE, shown + timedelta(days=1)) if shown < today else "",
        "listed": list_of(MpesaTransaction, {"created_at_from": shown, "created_at_to": shown}),
        "file": _address(FILE, shown) if request.user.has_perm(EXPORT) else "",
    }
    return show(request, "desk/day.html", context)


def _shown(request: HttpRequest, line: Line) -> dict[str, Any]:
    """A line with where it is worked off, and each order's payments."""
    work = BY_KEY.get(line.key)
    return {
        "line": line,
        "particulars": text.particulars(line),
        "address": work.address if work and work.may_be_seen(request) else "",
        "codes": [(code, list_of(MpesaTransaction, {"q": code})) for code in line.codes],
    }


@require_GET
def _file(request: HttpRequest) -> HttpResponse:
    refuse_without(request, SEES, EXPORT)
    now = gateway.now()
    day = text.read_day(request.GET.get("date", ""), today=nairobi_day(now))
    if day is None:
        return HttpResponseRedirect(f"{reverse(PAGE)}?{request.GET.urlencode()}")
    table = text.as_csv(report(day, now=now))
    log.info(
        "Report of a day exported", extra={"by": blank_phones(request.user.get_username()), "day": f"{day}"}
    )
    answer = HttpResponse(f"{BOM}{table}", content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="report-{day:%Y-%m-%d}.csv"'
    return answer


def _address(page: str, day: date) -> str:
    return f"{reverse(page)}?{urlencode({'date': day.isoformat()})}"


urlpatterns = [
    path("", admin.site.admin_view(_page), name=PAGE),
    path("csv/", admin.site.admin_view(_file), name=FILE),
]
