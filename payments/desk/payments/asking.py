"""Asking Safaricom about many payments, one after the other, with progress. One call a step."""

from http import HTTPStatus
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from payments import manual
from payments.desk.payments.actions import ADDRESS, page_of, told_of
from payments.enquiries import Outcome
from payments.models import MpesaTransaction

AT_MOST = 100  # payments at once: with five questions a minute that is twenty minutes
LONGEST_WAIT = 15  # seconds between two looks whether a turn is free


def urls(model_admin: "ModelAdmin[MpesaTransaction]") -> list[URLPattern]:
    wrap = model_admin.admin_site.admin_view

    def page(request: HttpRequest) -> HttpResponse:
        return _page(request, model_admin)

    return [
        path("asking/", wrap(page), name="payments_mpesatransaction_asking"),
        path("asking/step/", wrap(_step), name="payments_mpesatransaction_asking_step"),
    ]


def address_for(ids: list[int]) -> str:
    return f"{reverse(f'{ADDRESS}asking')}?ids={','.join(str(number) for number in ids[:AT_MOST])}"


def _ids(request: HttpRequest) -> list[int]:
    told = request.GET.get("ids", "").split(",")
    return [int(part) for part in told[:AT_MOST] if part.isascii() and part.isdigit() and len(part) < 18]


def _page(request: HttpRequest, model_admin: "ModelAdmin[MpesaTransaction]") -> HttpResponse:
    _refuse_if_not_allowed(request)
    ids = _ids(request)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Asking Safaricom",
        "opts": MpesaTransaction._meta,
        "count": len(ids),
        "steps_url": f"{reverse(f'{ADDRESS}asking_step')}?ids={','.join(map(str, ids))}",
        "steps_cursor": "0",
        "back": reverse(f"{ADDRESS}changelist"),
    }
    return TemplateResponse(request, "desk/asking.html", context)


def _step(request: HttpRequest) -> HttpResponse:
    _refuse_if_not_allowed(request)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    ids, cursor = _ids(request), request.POST.get("cursor", "")
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 6):
        return JsonResponse(
            {"message": "The page is out of date. Open it again."}, status=HTTPStatus.BAD_REQUEST
        )
    return JsonResponse(_one(ids, int(cursor), by=request.user.get_username()))


def _one(ids: list[int], done: int, *, by: str) -> dict[str, Any]:
    """Asks about the payment whose turn it is. Where there is no turn to be had, the same one comes again."""
    if done >= len(ids):
        return _told(ids, done)
    attempt = MpesaTransaction.objects.filter(pk=ids[done]).first()
    if attempt is None:
        return _told(ids, done + 1)
    try:
        asked = manual.ask_now(attempt.pk, by=by, clock=timezone.now)
    except manual.ActionRefused as refused:
        return _told(ids, done + 1, attempt, str(refused))
    if asked.outcome is Outcome.NOT_ASKED:
        left = (asked.again_at - timezone.now()).total_seconds() if asked.again_at else 1.0
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
        told["line"] = {"text": f"{attempt.account_reference}: {says}", "href": page_of(attempt.pk)}
    return told


def _refuse_if_not_allowed(request: HttpRequest) -> None:
    if not request.user.has_perm("payments.ask_safaricom"):
        raise PermissionDenied
