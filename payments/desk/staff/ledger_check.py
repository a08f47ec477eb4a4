"""Checking the whole ledger from the desk, with progress. The checking itself is ledger/verify.py.

A page of no model: djkraph/urls.py puts it before the admin's own addresses."""

import re
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse

from orders.models import Order
from payments import ledger
from payments.desk.addresses import address, list_of
from payments.desk.pages import refuse_without, show
from payments.desk.steps import step
from payments.ledger import Fault, Part, Place
from payments.models import MpesaTransaction

PERMISSION = "payments.see_audit"
PAGE, STEP = "desk-ledger-check", "desk-ledger-check-step"
CURSOR = re.compile(
    r"([0-3])-(\d{1,18})-(\d{1,12})-(\d{1,12})", re.ASCII
)  # which part, up to which id in it, how many payments, with how many faults


def is_offered(request: HttpRequest) -> bool:
    """For unfold's sidebar."""
    return request.user.has_perm(PERMISSION)


def _page(request: HttpRequest) -> HttpResponse:
    refuse_without(request, PERMISSION)
    told = {
        "title": "Ledger check",
        "steps_url": reverse(STEP),
        "steps_cursor": "0-0-0-0",
        "steps_start": "Check the ledger",
    }
    return show(request, "desk/ledger_check.html", told)


def _step(request: HttpRequest) -> HttpResponse:
    refuse_without(request, PERMISSION)
    return step(request, CURSOR, _next)


def _next(part: int, after: int, done: int, found: int) -> dict[str, Any]:
    """`done` payments were checked, `found` faults in all that was."""
    checked = ledger.check_after(Place(part=Part(part), after=after))
    done, found = done + checked.attempts, found + len(checked.faults)
    return {
        "cursor": f"{checked.next.part:d}-{checked.next.after}-{done}-{found}",
        "done": done,
        "total": done if checked.is_last else max(done + 1, _how_many()),
        "finished": checked.is_last,
        "says": _verdict(done, found) if checked.is_last else _so_far(checked.next, done),
        "lines": [_line(fault) for fault in checked.faults],
    }


def _so_far(place: Place, done: int) -> str:
    if place.part is Part.PAYMENTS:
        return f"{done:,} payments checked …"
    what = {Part.ORDERS: "orders", Part.BESIDE: "receipts beside payments"}.get(
        place.part, f"seals, so far {place.after:,}"
    )
    return f"{done:,} payments checked; now the {what} …"


def _how_many() -> int:
    """About as many as there are payments, without counting them: their ids are given in turn."""
    newest = MpesaTransaction.objects.order_by("-id").values_list("id", flat=True).first()
    return newest or 0


def _verdict(done: int, found: int) -> str:
    if not found:
        return f"All {done:,} payments are whole: each is what its events say, and nobody changed an event."
    return f"{done:,} payments checked, {found:,} faults found. Nothing was changed. Tell who runs the server today."


def _line(fault: Fault) -> dict[str, str]:
    told = {"text": str(fault)}
    if fault.attempt_id is not None:
        told["href"] = address(MpesaTransaction, "change", fault.attempt_id)
    if fault.order_code:
        told["href"] = list_of(Order, {"q": fault.order_code})
    return told


urlpatterns = [
    path("", admin.site.admin_view(_page), name=PAGE),
    path("step/", admin.site.admin_view(_step), name=STEP),
]
