"""M-PESA statements in the desk: list, upload, matching with progress, comparison. No rule about matching here
(reconciliation/), and no single line (lines_page.py)."""

import logging
import re
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.decorators import display

from payments import gateway, reconciliation
from payments.desk import settlements
from payments.desk.addresses import address, list_of, page_of
from payments.desk.pages import DetailPage, number_in, refuse_without, row_or_404, show
from payments.desk.statements import believing, comparison, voiding
from payments.desk.statements.explained import explained
from payments.desk.statements.forms import UploadForm
from payments.desk.steps import step
from payments.desk.words import counted, moment, on_one_line
from payments.models import Statement
from payments.phones import blank_phones
from payments.statement_file import MAX_BYTES, StatementUnreadable

log = logging.getLogger(__name__)

MAY_SEE = "payments.view_statement"
MAY_IMPORT = "payments.import_statement"
SHOWN_WARNINGS = 20
CURSOR = re.compile(
    r"(\d{1,7})-(\d{1,7})", re.ASCII
)  # how many lines are done, and how many there were at first


def _void_url(request: HttpRequest, statement: Statement) -> str:
    may = request.user.has_perm(voiding.MAY_VOID) and statement.voided_at is None
    return address(statement, "void", statement.pk) if may else ""


@admin.register(Statement)
class StatementAdmin(DetailPage):
    detail_template = "desk/statement_comparison.html"
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
        may = {
            "may_import": request.user.has_perm(MAY_IMPORT),
            "upload_url": address(Statement, "upload"),
        }
        return super().changelist_view(request, {**may, **(extra_context or {})})  # type: ignore[no-any-return]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("upload/", wrap(_upload), name="payments_statement_upload"),
            path("<int:statement_id>/matching/", wrap(_matching), name="payments_statement_matching"),
            path("<int:statement_id>/matching/step/", wrap(_step), name="payments_statement_step"),
            path("<int:statement_id>/again/", wrap(_again), name="payments_statement_again"),
            path("<int:statement_id>/believe/", wrap(believing.believe), name="payments_statement_believe"),
            path("<int:statement_id>/file/", wrap(_kept), name="payments_statement_file"),
            path("<path:object_id>/void/", wrap(voiding.void_statement), name="payments_statement_void"),
            *super().get_urls(),
        ]

    def detail(self, request: HttpRequest, row: Statement) -> dict[str, Any]:
        compared = comparison.compare(row)
        group = compared.group(request.GET.get("group", ""))
        number = number_in(request.GET.get("page", ""), longest=8)
        page = comparison.page_of(row, group, 1 if number is None else number)
        return {
            "title": f"Statement {row.file_name}",
            "stated": row,
            "file": _file(row),
            "belief": believing.belief(request, row),
            "proposals": settlements.waiting(request, Q(statement=row)),
            "comparison": compared,
            "group": group,
            "page": page,
            "rows": explained(row, group, page),
            "warnings": row.warnings[:SHOWN_WARNINGS],
            "may_import": request.user.has_perm(MAY_IMPORT),
            "may_attach": request.user.has_perm("payments.attach_money"),
            "matching_url": address(row, "matching", row.pk),
            "again_url": address(row, "again", row.pk),
            "void_url": _void_url(request, row),
            "file_url": address(row, "file", row.pk) if reconciliation.kept_file(row) else "",
        }


def _file(stated: Statement) -> str:
    """Whose statement it is, how long, who brought it."""
    till = f"Short code {stated.short_code}" if stated.short_code else ""
    account = f", {stated.account}" if till and stated.account else ""
    known = f", {stated.lines_known:,} of them known before" if stated.lines_known else ""
    lines = f"{counted(stated.lines_in_file, 'line')}{known}"
    came = f"uploaded by {stated.uploaded_by} on {moment(stated.uploaded_at)}"
    return " · ".join(part for part in (f"{till}{account}", lines, came) if part)


def _kept(request: HttpRequest, statement_id: int) -> FileResponse:
    """The file as it came, to be saved: nothing in it is shown by the browser."""
    refuse_without(request, MAY_SEE)
    stated = row_or_404(Statement.objects.all(), statement_id)
    path = reconciliation.kept_file(stated)
    if path is None:
        raise Http404("The file was erased.")
    log.info(
        "A statement's file was opened",
        extra={"by": blank_phones(request.user.get_username()), "id": stated.pk},
    )
    return FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=stated.file_name,
        content_type="application/octet-stream",
    )


# --- uploading ------------------------------------------------------------------------------------------


def _upload(request: HttpRequest) -> HttpResponse:
    refuse_without(request, MAY_IMPORT)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid() and (done := _taken_in(request, form)) is not None:
            return done
    told = {"title": "Upload a statement", "form": form, "back": list_of(Statement)}
    status = 400 if form.errors else 200
    return show(request, "desk/statement_upload.html", told, of=Statement, status=status)


def _taken_in(request: HttpRequest, form: UploadForm) -> HttpResponse | None:
    """None: the file was refused, and the form says why."""
    file = form.cleaned_data["file"]
    try:
        imported = reconciliation.import_file(
            file.read(MAX_BYTES + 1),
            file_name=file.name,
            by=request.user.get_username(),
            now=gateway.now(),
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
        return HttpResponseRedirect(page_of(stated))
    return HttpResponseRedirect(address(stated, "matching", stated.pk))


# --- matching -------------------------------------------------------------------------------------------


def _matching(request: HttpRequest, statement_id: int) -> HttpResponse:
    refuse_without(request, MAY_IMPORT)
    stated = row_or_404(Statement.objects.all(), statement_id)
    told = {
        "title": f"Matching {stated.file_name}",
        "stated": stated,
        "steps_url": address(stated, "step", stated.pk),
        "steps_cursor": "0-0",
        "back": page_of(stated),
    }
    return show(request, "desk/statement_matching.html", told, of=Statement)


def _step(request: HttpRequest, statement_id: int) -> HttpResponse:
    refuse_without(request, MAY_IMPORT)
    return step(request, CURSOR, partial(_match_some, row_or_404(Statement.objects.all(), statement_id)))


def _match_some(stated: Statement, done: int, total: int) -> dict[str, Any]:
    total = total or reconciliation.count_ahead(stated)
    matched = reconciliation.match_some(stated.pk, now=gateway.now())
    done += matched.lines
    told: dict[str, Any] = {
        "cursor": f"{done}-{total}",
        "done": done,
        "total": total,
        "finished": matched.finished,
        "says": "All lines are matched." if matched.finished else f"{done:,} of {total:,} lines …",
    }
    return told | ({"next": page_of(stated)} if matched.finished else {})


@require_POST
def _again(request: HttpRequest, statement_id: int) -> HttpResponse:
    refuse_without(request, MAY_IMPORT)
    stated = row_or_404(Statement.objects.all(), statement_id)
    if stated.voided_at is not None:
        messages.warning(request, "This file is not to be believed any more: its lines match nothing.")
        return HttpResponseRedirect(page_of(stated))
    reconciliation.begin_again(stated.pk)
    return HttpResponseRedirect(address(stated, "matching", stated.pk))
