"""The report of a day in the desk, to read, to print and to take along as a file. Counts nothing itself."""

import logging
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from payments.admin.exporting import PERMISSION as EXPORT
from payments.admin.home import address_of, may_see
from payments.desk import report_text
from payments.desk.report import Line, report
from payments.desk.table import BOM
from payments.desk.words import NAIROBI
from payments.models import MpesaTransaction
from payments.phones import blank_phones

log = logging.getLogger(__name__)

SEES = "payments.view_mpesatransaction"
PAGE, FILE = "admin:payments_mpesatransaction_day", "admin:payments_mpesatransaction_day_csv"
LIST = "admin:payments_mpesatransaction_changelist"


def urls(model_admin: "ModelAdmin[MpesaTransaction]") -> list[URLPattern]:
    wrap = model_admin.admin_site.admin_view

    def page(request: HttpRequest) -> HttpResponse:
        return _page(request, model_admin)

    return [
        path("day/", wrap(page), name=PAGE.removeprefix("admin:")),
        path("day/csv/", wrap(_file), name=FILE.removeprefix("admin:")),
    ]


def is_offered(request: HttpRequest) -> bool:
    """For unfold's sidebar."""
    return request.user.has_perm(SEES)


def _page(request: HttpRequest, model_admin: "ModelAdmin[MpesaTransaction]") -> HttpResponse:
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
        **model_admin.admin_site.each_context(request),
        "title": f"Report of {report_text.long_day(shown)}",
        "opts": MpesaTransaction._meta,
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
