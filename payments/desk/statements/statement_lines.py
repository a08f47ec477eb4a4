"""One line of a statement in the desk: what it says, whose it is, and attaching its money to an order."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from djkraph.admin import ReadOnly
from payments import manual
from payments.desk import words
from payments.desk.lists import search
from payments.desk.lists.pager import InfinitePaginator
from payments.desk.payments.actions import page_of as payment_page
from payments.desk.payments.forms import AttachForm, DeclineForm
from payments.desk.statements import figures as desk
from payments.desk.statements.page import refuse_without
from payments.desk.words import kes
from payments.manual import ActionRefused, Claim
from payments.models import HandSettlement, MpesaTransaction, StatementLine

MAY_ATTACH = "payments.attach_money"


@admin.register(StatementLine)
class StatementLineAdmin(ReadOnly, ModelAdmin):
    list_display = ("receipt", "at", "came", "went", "account_no", "kind", "match")
    list_filter = ("kind", "match")
    search_fields = ("receipt",)  # shows the box; what is found stands in lists/search.py
    search_help_text = "Receipt, or the account number the customer typed"
    ordering = ("-id",)
    paginator = InfinitePaginator
    show_full_result_count = False

    @display(description="Time", ordering="completed_at")
    def at(self, line: StatementLine) -> str:
        return words.on_one_line(words.moment(line.completed_at))

    @display(description="Paid in", ordering="paid_in")
    def came(self, line: StatementLine) -> str:
        return words.on_one_line(kes(line.paid_in)) if line.money_in else "—"

    @display(description="Withdrawn", ordering="withdrawn")
    def went(self, line: StatementLine) -> str:
        return "—" if line.money_in else words.on_one_line(kes(line.withdrawn))

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 — Django's
        queryset: QuerySet[StatementLine],
        search_term: str,
    ) -> tuple[QuerySet[StatementLine], bool]:
        return search.found_lines(queryset, search_term), False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view

        def attach(request: HttpRequest, line_id: int) -> HttpResponse:
            return _attach(request, self, line_id)

        return [
            path("<int:line_id>/attach/", wrap(attach), name="payments_statementline_attach"),
            path(
                "<int:line_id>/settlement/<int:settlement_id>/<str:verdict>/",
                wrap(_decide),
                name="payments_statementline_settlement",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        line = _line_or_404(object_id)
        return _page(request, self, line, AttachForm(initial={"target": desk.likely_order(line)}))


def _attach(request: HttpRequest, model_admin: StatementLineAdmin, line_id: int) -> HttpResponse:
    refuse_without(request, MAY_ATTACH)
    line = _line_or_404(line_id)
    if request.method != "POST":
        return HttpResponseRedirect(_address(line))
    form = AttachForm(request.POST)
    if form.is_valid():
        try:
            return _attached(request, line, form.cleaned_data)
        except ActionRefused as refused:
            form.add_error(None, str(refused))
    return _page(request, model_admin, line, form, status=400)


def _attached(request: HttpRequest, line: StatementLine, told: dict[str, Any]) -> HttpResponse:
    """Raises ActionRefused."""
    wanted = Claim(
        line_id=line.pk,
        target=told["target"],
        reason=told["reason"],
        accepts_amount=told["accepts_amount"],
    )
    settlement = manual.claim_receipt(wanted, by=request.user.get_username(), now=timezone.now())
    if settlement.decision == HandSettlement.Decision.WAITING or settlement.attempt_id is None:
        messages.success(
            request,
            f"{kes(settlement.amount_kes)} is above the limit for one person: a second one must confirm it.",
        )
        return HttpResponseRedirect(_address(line))
    messages.success(request, _became(settlement.attempt_id))
    return HttpResponseRedirect(payment_page(settlement.attempt_id))


def _became(attempt_id: int) -> str:
    attempt = MpesaTransaction.objects.get(pk=attempt_id)
    code = attempt.account_reference
    if attempt.pays_order:
        return f"Attached: order {code} is paid with it."
    if attempt.refund_due:
        return f"Attached. Order {code} was paid already, so this money is due back."
    return f"Attached. Order {code} asks for another amount: accept it, or send the money back."


@require_POST
def _decide(request: HttpRequest, line_id: int, settlement_id: int, verdict: str) -> HttpResponse:
    refuse_without(request, MAY_ATTACH)
    line = _line_or_404(line_id)
    if not HandSettlement.objects.filter(id=settlement_id, line=line).exists():
        raise Http404("There is no such settlement.")
    by, now = request.user.get_username(), timezone.now()
    try:
        if verdict == "confirm":
            settled = manual.confirm_settlement(settlement_id, by=by, now=now)
            messages.success(request, _became(settled.attempt_id or 0))
        elif verdict == "decline":
            form = DeclineForm(request.POST)
            if not form.is_valid():
                raise ActionRefused("Say in a few words why it is declined.")
            manual.decline_settlement(settlement_id, why=form.cleaned_data["why"], by=by, now=now)
            messages.success(request, "Declined: nothing was attached.")
        else:
            raise Http404("There is nothing at this address.")
    except ActionRefused as refused:
        messages.warning(request, str(refused))
    return HttpResponseRedirect(_address(line))


def _page(
    request: HttpRequest,
    model_admin: StatementLineAdmin,
    line: StatementLine,
    form: AttachForm,
    status: int = 200,
) -> HttpResponse:
    waiting = manual.waiting_settlement_of_line(line.pk)
    may_attach = request.user.has_perm(MAY_ATTACH)
    refusal = manual.refusal_to_claim(line)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Receipt {line.receipt}",
        "opts": StatementLine._meta,
        "original": line,
        "line": line,
        "stated": line.statement,
        "form": form if may_attach and not refusal else None,
        "why_not": refusal if line.attempt_id is None and waiting is None else "",
        "candidates": desk.candidates(line) if may_attach and not refusal else [],
        "waiting": waiting,
        "may_decide": waiting is not None and may_attach,
        "is_own": waiting is not None and waiting.proposed_by == request.user.get_username(),
        "declined": line.settlements.filter(decision=HandSettlement.Decision.DECLINED).order_by("id"),
        "back": desk.address_in(line.statement, desk.THEIRS),
        "attach_url": reverse("admin:payments_statementline_attach", args=[line.pk]),
    }
    return TemplateResponse(request, "desk/statement_line.html", context, status=status)


def _line_or_404(object_id: str | int) -> StatementLine:
    told = str(object_id)
    number = int(told) if told.isascii() and told.isdigit() and len(told) < 18 else 0
    line = StatementLine.objects.select_related("statement", "attempt").filter(pk=number).first()
    if line is None:
        raise Http404("There is no such line.")
    return line


def _address(line: StatementLine) -> str:
    return reverse("admin:payments_statementline_change", args=[line.pk])
