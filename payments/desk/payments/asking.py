"""Asking Safaricom about many payments, one after the other, with progress. One call a step."""

import re
from functools import partial
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from payments import gateway, manual
from payments.desk.addresses import address, list_of, page_of
from payments.desk.pages import number_in, refuse_without, show
from payments.desk.payments.actions import told_of
from payments.desk.steps import step
from payments.enquiries import Outcome
from payments.models import MpesaTransaction

PERMISSION = "payments.ask_safaricom"
AT_MOST = 100  # payments at once: with five questions a minute that is twenty minutes
LONGEST_WAIT = 15  # seconds between two looks whether a turn is free
CURSOR = re.compile(r"(\d{1,5})", re.ASCII)  # how many are done


def urls() -> list[URLPattern]:
    wrap = admin.site.admin_view
    return [
        path("asking/", wrap(_page), name="payments_mpesatransaction_asking"),
        path("asking/step/", wrap(_step), name="payments_mpesatransaction_asking_step"),
    ]


def address_for(ids: list[int]) -> str:
    return _with_ids(address(MpesaTransaction, "asking"), ids[:AT_MOST])


def _with_ids(page: str, ids: list[int]) -> str:
    return f"{page}?ids={','.join(map(str, ids))}"


def _ids(request: HttpRequest) -> list[int]:
    told = [number_in(part) for part in request.GET.get("ids", "").split(",")[:AT_MOST]]
    return [number for number in told if number is not None]


def _page(request: HttpRequest) -> HttpResponse:
    refuse_without(request, PERMISSION)
    ids = _ids(request)
    told = {
        "title": "Asking Safaricom",
        "count": len(ids),
        "steps_url": _with_ids(address(MpesaTransaction, "asking_step"), ids),
        "steps_cursor": "0",
        "back": list_of(MpesaTransaction),
    }
    return show(request, "desk/asking.html", told, of=MpesaTransaction)


def _step(request: HttpRequest) -> HttpResponse:
    refuse_without(request, PERMISSION)
    return step(request, CURSOR, partial(_one, _ids(request), by=request.user.get_username()))


def _one(ids: list[int], done: int, *, by: str) -> dict[str, Any]:
    """Asks about the payment whose turn it is. Where there is no turn to be had, the same one comes again."""
    if done >= len(ids):
        return _told(ids, done)
    attempt = MpesaTransaction.objects.filter(pk=ids[done]).first()
    if attempt is None:
        return _told(ids, done + 1)
    try:
        asked = manual.ask_now(attempt.pk, by=by, clock=gateway.now)
    except manual.ActionRefused as refused:
        return _told(ids, done + 1, attempt, str(refused))
    if asked.outcome is Outcome.NOT_ASKED:
        left = (asked.again_at - gateway.now()).total_seconds() if asked.again_at else 1.0
        wait = min(max(left, 1.0), LONGEST_WAIT)
        says = f"{done} of {len(ids)} asked. Waiting for Safaricom's next free turn …"
        return _told(ids, done) | {"says": says, "wait_seconds": wait}
    return _told(ids, done + 1, attempt, told_of(asked))


def _told(
    ids: list[int], done: int, attempt: MpesaTransaction | None = None, says: str = ""
) -> dict[str, Any]:
    finished = done >= len(ids)
    told: dict[str, Any] = {
        "cursor": str(done),
        "done": done,
        "total": len(ids),
        "finished": finished,
        "says": f"All {len(ids)} are done." if finished else f"{done} of {len(ids)} asked …",
    }
    if attempt is not None:
        told["line"] = {"text": f"{attempt.account_reference}: {says}", "href": page_of(attempt)}
    return told
