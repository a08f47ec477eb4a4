"""Asking Safaricom about payments, one after the other, with progress. One call a step.

A payment that finds no free turn waits, and the worker asks for it: its answer is the answer here too."""

import re
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from payments import gateway, manual
from payments.desk.addresses import address, list_of, page_of
from payments.desk.pages import number_in, refuse_without, show
from payments.desk.steps import step
from payments.enquiries import Outcome
from payments.models import MpesaTransaction

PERMISSION = "payments.ask_safaricom"
AT_MOST = 100  # payments at once: with five questions a minute that is twenty minutes
LONGEST_WAIT = 15  # seconds between two looks whether a turn is free
CURSOR = re.compile(r"(\d{1,5})@(\d{1,13})", re.ASCII)
"""How many are done, and since when the next one waits for its turn (milliseconds since 1970; 0: it does not)."""


def told_of(asked: manual.Asked) -> str:
    """What Safaricom said, to the person who had it asked."""
    return {
        Outcome.PAID: "Safaricom says: paid.",
        Outcome.NOT_PAID: "Safaricom says: not paid.",
        Outcome.PROCESSING: "Safaricom says: still waiting for the buyer.",
        Outcome.NO_ANSWER: "Safaricom was asked and has no answer yet.",
    }[asked.outcome]


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
        "steps_cursor": "0@0",
        "back": list_of(MpesaTransaction),
    }
    return show(request, "desk/asking.html", told, of=MpesaTransaction)


def _step(request: HttpRequest) -> HttpResponse:
    refuse_without(request, PERMISSION)
    return step(request, CURSOR, partial(_one, request, _ids(request)))


def _one(request: HttpRequest, ids: list[int], done: int, since: int) -> dict[str, Any]:
    """Asks about the payment whose turn it is. Where there is no turn to be had, the same one comes again."""
    if done >= len(ids):
        return _told(ids, done)
    attempt = MpesaTransaction.objects.filter(pk=ids[done]).first()
    if attempt is None:
        return _told(ids, done + 1)
    now = gateway.now()
    waiting_since = datetime.fromtimestamp(since / 1000, tz=UTC) if since else None
    by = request.user.get_username()
    try:
        asked = manual.ask_now(attempt.pk, by=by, clock=gateway.now, waiting_since=waiting_since)
    except manual.ActionRefused as refused:
        says = str(refused)
    else:
        if asked.outcome is Outcome.NOT_ASKED:
            return _waits(ids, done, asked, since=since or int(now.timestamp() * 1000))
        says = told_of(asked)
    told = _told(ids, done + 1)
    if len(ids) == 1:  # somebody stood on its page, and reads the answer there
        messages.info(request, says)
        return told | {"next": page_of(attempt)}
    return told | {"line": {"text": f"{attempt.account_reference}: {says}", "href": page_of(attempt)}}


def _waits(ids: list[int], done: int, asked: manual.Asked, *, since: int) -> dict[str, Any]:
    left = (asked.again_at - gateway.now()).total_seconds() if asked.again_at else 1.0
    says = f"{done} of {len(ids)} asked. Waiting for Safaricom's next free turn …"
    return _told(ids, done, since) | {"says": says, "wait_seconds": min(max(left, 1.0), LONGEST_WAIT)}


def _told(ids: list[int], done: int, since: int = 0) -> dict[str, Any]:
    finished = done >= len(ids)
    return {
        "cursor": f"{done}@{since}",
        "done": done,
        "total": len(ids),
        "finished": finished,
        "says": f"All {len(ids)} are done." if finished else f"{done} of {len(ids)} asked …",
    }
