"""Export CSV: what the list of payments shows under its filters, as a streamed file. Reads only."""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from unfold.decorators import action

from payments import gateway
from payments.desk.addresses import list_of
from payments.desk.lists import export
from payments.desk.words import nairobi_day
from payments.gateway import release_connection
from payments.models import MpesaTransaction
from payments.phones import blank_phones

log = logging.getLogger(__name__)

PERMISSION = "payments.export_payments"

Payments = QuerySet[MpesaTransaction]


class ExportMixin:
    """For the ModelAdmin of payments: name "export_csv" in its actions_list. The button keeps the list's filters."""

    def has_export_permission(self, request: HttpRequest, object_id: str = "") -> bool:  # noqa: ARG002 — unfold's
        return request.user.has_perm(PERMISSION)

    @action(description="Export CSV", url_path="export", icon="download", permissions=["export"])
    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]  # the ModelAdmin's
            raise PermissionDenied
        payments = filtered(self, request)
        if payments is None:
            messages.error(request, "These filters can't be read, so nothing was exported. Set them anew.")
            return HttpResponseRedirect(list_of(MpesaTransaction))
        return export_response(payments, by=request.user.get_username(), now=gateway.now())

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        answer: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]
        shown = getattr(answer, "context_data", None) or {}
        for button in shown.get("actions_list", ()):
            if button.get("path", "").endswith("/export/"):
                button["path"] += f"?{request.GET.urlencode()}"
        return answer


def filtered(model_admin: Any, request: HttpRequest) -> Payments | None:
    """All rows of all pages of the list that this address filters. None: the list itself can't read the filters."""
    query = request.GET.copy()
    for name in (PAGE_VAR, ALL_VAR, ORDER_VAR, ERROR_FLAG):
        query.pop(name, None)
    request.GET = query  # type: ignore[assignment]  # a QueryDict, as before
    try:
        payments: Payments = model_admin.get_changelist_instance(request).queryset
    except IncorrectLookupParameters:
        return None
    return payments


def export_response(payments: Payments, *, by: str, now: datetime) -> StreamingHttpResponse:
    """The file, made as it is sent: memory and the database see a chunk at a time, however long it is."""
    answer = StreamingHttpResponse(_made(payments, by=by), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="payments-{nairobi_day(now):%Y-%m-%d}.csv"'
    return answer


def _made(payments: Payments, *, by: str) -> Iterator[bytes]:
    sent, whole = 0, False
    try:
        yield export.head().encode()
        for chunk in export.chunks(payments):
            release_connection()
            sent += len(chunk)
            yield export.body(chunk).encode(errors="replace")
        whole = True
    finally:
        log.info("Payments exported", extra={"by": blank_phones(by), "rows": sent, "whole": whole})
