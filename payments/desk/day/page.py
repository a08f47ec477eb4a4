"""The report of a day in the desk, to read, to print and to take along as a file. Counts nothing itself.

A page of no model: djkraph/urls.py puts it before the admin's own addresses."""

import logging
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from payments.desk.day import report_text
from payments.desk.day.report import Line, report
from payments.desk.home.page import address_of, may_see
from payments.desk.lists.exporting import PERMISSION as EXPORT
from payments.desk.lists.table import BOM
from payments.desk.words import NAIROBI
from payments.phones import blank_phones

log = logging.getLogger(__name__)

SEES = "payments.view_mpesatransaction"
PAGE, FILE = "desk-day", "desk-day-file"
LIST = "admin:payments_mpesatransaction_changelist"


def is_offered(request: HttpRequest) -> bool:
    """For unfold's sidebar."""
    return request.user.has_perm(SEES)


def _page(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(SEES):
        raise PermissionDenied
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    now = timezone.now()
    today = now.astimezone(NAIROBI).date()
    typed = request.GET.get("date", "")
    day = report_text.read_day(typed, today=today)
    shown = day or today
    told = report(shown, now=now)
    context = {
        **admin.site.each_context(request),
        "title": f"Report of {report_text.long_day(shown)}",
        "told": told,
        "parts": [(part, [_shown(request, line) for line in part.lines]) for part in told.parts],
        "today": today,
        "unreadable": typed if day is None and typed else "",
        "before": _address(PAGE, shown - timedelta(days=1)),
        "after": _address(PAGE, shown + timedelta(days=1)) if shown < today else "",
        "listed": f"{reverse(LIST)}?{urlencode({'created_at_from': shown, 'created_at_to': shown})}",
        "file": _address(FILE, shown) if request.user.has_perm(EXPORT) else "",
    }
    return TemplateResponse(request, "desk/day.html", context)


def _shown(request: HttpRequest, line: Line) -> dict[str, Any]:
    """A line with where it is worked off, and each order's payments."""
    return {
        "line": line,
        "particulars": report_text.particulars(line),
        "address": address_of(line.key) if line.key and may_see(request, line.key) else "",
        "codes": [(code, f"{reverse(LIST)}?{urlencode({'q': code})}") for code in line.codes],
    }


def _file(request: HttpRequest) -> HttpResponse:
    if not (request.user.has_perm(SEES) and request.user.has_perm(EXPORT)):
        raise PermissionDenied
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    now = timezone.now()
    day = report_text.read_day(request.GET.get("date", ""), today=now.astimezone(NAIROBI).date())
    if day is None:
        return HttpResponseRedirect(f"{reverse(PAGE)}?{request.GET.urlencode()}")
    text = report_text.as_csv(report(day, now=now))
    log.info(
        "Report of a day exported", extra={"by": blank_phones(request.user.get_username()), "day": f"{day}"}
    )
    answer = HttpResponse(f"{BOM}{text}", content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="report-{day:%Y-%m-%d}.csv"'
    return answer


def _address(page: str, day: date) -> str:
    return f"{reverse(page)}?{urlencode({'date': day.isoformat()})}"


urlpatterns = [
    path("", admin.site.admin_view(_page), name=PAGE),
    path("csv/", admin.site.admin_view(_file), name=FILE),
]
