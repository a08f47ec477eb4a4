"""M-PESA statements in the desk: list, upload, matching with progress, comparison. No rule about matching here
(reconciliation/), and no single line (statement_lines.py)."""

import re
from http import HTTPStatus
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin as PlainModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from djkraph.admin import ReadOnly
from payments import reconciliation
from payments.desk.payments.forms import UploadForm
from payments.desk.statements import figures as desk
from payments.desk.words import moment, on_one_line
from payments.models import Statement
from payments.statement_file import MAX_BYTES, StatementUnreadable

ADDRESS = "admin:payments_statement_"
MAY_IMPORT = "payments.import_statement"
SHOWN_WARNINGS = 20
CURSOR = re.compile(r"(\d{1,7})-(\d{1,7})", re.ASCII)


@admin.register(Statement)
class StatementAdmin(ReadOnly, ModelAdmin):
    list_display = ("file_name", "period", "lines_in_file", "state", "uploaded_by", "uploaded")
    list_before_template = "desk/statement_upload_button.html"
    list_per_page = 50
    search_fields = ("file_name", "uploaded_by")
    show_full_result_count = False

    @display(description="Period", ordering="period_from")
    def period(self, stated: Statement) -> str:
        return f"{on_one_line(moment(stated.period_from))} to {on_one_line(moment(stated.period_to))}"

    @display(description="Matching", label={"Done": "success", "Not finished": "warning"})
    def state(self, stated: Statement) -> str:
        return "Not finished" if stated.matched_at is None else "Done"

    @display(description="Uploaded", ordering="uploaded_at")
    def uploaded(self, stated: Statement) -> str:
        return on_one_line(moment(stated.uploaded_at))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = {"may_import": request.user.has_perm(MAY_IMPORT), "upload_url": reverse(f"{ADDRESS}upload")}
        return super().changelist_view(request, {**may, **(extra_context or {})})  # type: ignore[no-any-return]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view

        def upload(request: HttpRequest) -> HttpResponse:
            return _upload(request, self)

        def page(request: HttpRequest, statement_id: int) -> HttpResponse:
            return _matching(request, self, statement_id)

        return [
            path("upload/", wrap(upload), name="payments_statement_upload"),
            path("<int:statement_id>/matching/", wrap(page), name="payments_statement_matching"),
            path("<int:statement_id>/matching/step/", wrap(_step), name="payments_statement_step"),
            path("<int:statement_id>/again/", wrap(_again), name="payments_statement_again"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        stated = statement_or_404(object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Statement {stated.file_name}",
            "opts": self.opts,
            "original": stated,
            **_comparison(request, stated),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "desk/statement_comparison.html", context)


def statement_or_404(object_id: str | int) -> Statement:
    told = str(object_id)
    number = int(told) if told.isascii() and told.isdigit() and len(told) < 18 else 0
    stated = Statement.objects.filter(pk=number).first()
    if stated is None:
        raise Http404("There is no such statement.")
    return stated


def page_of(statement_id: int) -> str:
    return reverse(f"{ADDRESS}change", args=[statement_id])


def refuse_without(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


# --- uploading ------------------------------------------------------------------------------------------


def _upload(request: HttpRequest, model_admin: "PlainModelAdmin[Statement]") -> HttpResponse:
    refuse_without(request, MAY_IMPORT)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid() and (done := _taken_in(request, form)) is not None:
            return done
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Upload a statement",
        "opts": Statement._meta,
        "form": form,
        "back": reverse(f"{ADDRESS}changelist"),
    }
    return TemplateResponse(
        request, "desk/statement_upload.html", context, status=400 if form.errors else 200
    )


def _taken_in(request: HttpRequest, form: UploadForm) -> HttpResponse | None:
    """None: the file was refused, and the form says why."""
    file = form.cleaned_data["file"]
    try:
        imported = reconciliation.import_file(
            file.read(MAX_BYTES + 1),
            file_name=file.name,
            by=request.user.get_username(),
            now=timezone.now(),
        )
    except StatementUnreadable as bad:
        form.add_error("file", str(bad))
        return None
    stated = imported.statement
    if imported.again:
        messages.info(
            request,
            f"{stated.uploaded_by} uploaded this very file on {moment(stated.uploaded_at)}: nothing was changed.",
        )
        return HttpResponseRedirect(page_of(stated.pk))
    return HttpResponseRedirect(reverse(f"{ADDRESS}matching", args=[stated.pk]))


# --- matching -------------------------------------------------------------------------------------------


def _matching(
    request: HttpRequest, model_admin: "PlainModelAdmin[Statement]", statement_id: int
) -> HttpResponse:
    refuse_without(request, MAY_IMPORT)
    stated = statement_or_404(statement_id)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Matching {stated.file_name}",
        "opts": Statement._meta,
        "stated": stated,
        "steps_url": reverse(f"{ADDRESS}step", args=[stated.pk]),
        "steps_cursor": "0-0",
        "back": page_of(stated.pk),
    }
    return TemplateResponse(request, "desk/statement_matching.html", context)


@require_POST
def _step(request: HttpRequest, statement_id: int) -> HttpResponse:
    """One batch. The cursor is "done-of": how many lines are done, and how many there were when it began."""
    refuse_without(request, MAY_IMPORT)
    stated = statement_or_404(statement_id)
    cursor = CURSOR.fullmatch(request.POST.get("cursor", ""))
    if cursor is None:
        return JsonResponse(
            {"message": "The page is out of date. Open it again."}, status=HTTPStatus.BAD_REQUEST
        )
    done, total = int(cursor[1]), int(cursor[2]) or reconciliation.count_ahead(stated)
    matched = reconciliation.match_some(stated.pk, now=timezone.now())
    done += matched.lines
    told: dict[str, Any] = {
        "cursor": f"{done}-{total}",
        "done": done,
        "total": total,
        "finished": matched.finished,
        "says": "All lines are matched." if matched.finished else f"{done:,} of {total:,} lines …",
    }
    return JsonResponse(told | ({"next": page_of(stated.pk)} if matched.finished else {}))


@require_POST
def _again(request: HttpRequest, statement_id: int) -> HttpResponse:
    refuse_without(request, MAY_IMPORT)
    stated = statement_or_404(statement_id)
    reconciliation.begin_again(stated.pk)
    return HttpResponseRedirect(reverse(f"{ADDRESS}matching", args=[stated.pk]))


# --- the comparison -------------------------------------------------------------------------------------


def _comparison(request: HttpRequest, stated: Statement) -> dict[str, Any]:
    comparison = desk.compare(stated)
    group = comparison.group(request.GET.get("group", ""))
    page = desk.page_of(stated, group, _number(request.GET.get("page", "")))
    return {
        "stated": stated,
        "comparison": comparison,
        "group": group,
        "page": page,
        "rows": desk.explained(stated, group, page),
        "warnings": stated.warnings[:SHOWN_WARNINGS],
        "may_import": request.user.has_perm(MAY_IMPORT),
        "may_attach": request.user.has_perm("payments.attach_money"),
        "matching_url": reverse(f"{ADDRESS}matching", args=[stated.pk]),
        "again_url": reverse(f"{ADDRESS}again", args=[stated.pk]),
    }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
