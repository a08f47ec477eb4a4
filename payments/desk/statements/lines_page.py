"""One line of a statement in the desk: what it says, whose it is, and attaching its money to an order."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.decorators import display

from orders.models import Order
from payments import gateway, manual
from payments.desk import settlements, words
from payments.desk.addresses import address, page_of
from payments.desk.lists import search
from payments.desk.lists.filters import ChoiceFilter, Choices
from payments.desk.lists.rows import ManyRows
from payments.desk.pages import DetailPage, refuse_without, row_or_404, show
from payments.desk.receipts.figures import postings_of
from payments.desk.receipts.flows import flows
from payments.desk.statements import voiding
from payments.desk.statements.candidates import candidates, likely_order
from payments.desk.statements.comparison import THEIRS
from payments.desk.statements.forms import AttachForm
from payments.facts import LINE_WAITS, line_is_nobodys, line_waits
from payments.manual import ActionRefused, Claim
from payments.models import HandSettlement, MpesaTransaction, Statement, StatementLine

MAY_ATTACH = "payments.attach_money"


class WaitsFilter(ChoiceFilter):
    """Lines that wait for a second person."""

    title = "Waits"
    parameter_name = "waits"

    def choices_offered(self) -> Choices:
        return [("1", "To be believed")]

    def chosen(self, rows: QuerySet[StatementLine], value: str) -> QuerySet[StatementLine]:  # noqa: ARG002
        return rows.filter(LINE_WAITS)


@admin.register(StatementLine)
class StatementLineAdmin(ManyRows, DetailPage):
    detail_template = "desk/statement_line.html"
    list_display = ("receipt", "at", "came", "went", "account_no", "kind", "whose", "match")
    list_select_related = ("attempt", "booked_as")
    list_filter = (WaitsFilter, "kind", "match")
    list_filter_submit = False
    list_per_page = 100
    search_fields = ("receipt",)
    search_help_text = "Receipt, or the account number the customer typed"

    @display(description="Time", ordering="completed_at")
    def at(self, line: StatementLine) -> str:
        return words.on_one_line(words.moment(line.completed_at))

    @display(description="Paid in", ordering="paid_in")
    def came(self, line: StatementLine) -> str:
        return words.on_one_line(words.kes(line.paid_in if line.money_in else None))

    @display(description="Withdrawn", ordering="withdrawn")
    def went(self, line: StatementLine) -> str:
        return words.on_one_line(words.kes(None if line.money_in else line.withdrawn))

    @display(description="Whose")
    def whose(self, line: StatementLine) -> str | SafeString:
        if line_waits(line):
            return "Waits to be believed"
        if line_is_nobodys(line):
            return "Nobody's yet"
        row = line.attempt or line.booked_as
        if row is None:
            return words.NONE
        named = line.attempt.account_reference if line.attempt else f"Receipt {row}"
        return format_html('<a class="dk-link" href="{}">{}</a>', page_of(row), named)

    def found(self, rows: QuerySet[StatementLine], term: str) -> QuerySet[StatementLine]:
        return search.found_lines(rows, term)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:line_id>/attach/", wrap(_attach), name="payments_statementline_attach"),
            path(
                "<int:line_id>/settlement/<int:settlement_id>/<str:verdict>/",
                wrap(_decide_settlement),
                name="payments_statementline_settlement",
            ),
            path("<path:object_id>/void/", wrap(voiding.void_line), name="payments_statementline_void"),
            *super().get_urls(),
        ]

    def detail_rows(self, request: HttpRequest) -> QuerySet[StatementLine]:
        return super().detail_rows(request).select_related("statement", "attempt", "booked_as")

    def detail(self, request: HttpRequest, row: StatementLine) -> dict[str, Any]:
        return _detail(request, row, AttachForm(initial={"target": likely_order(row)}))


def _line_or_404(line_id: int) -> StatementLine:
    return row_or_404(StatementLine.objects.select_related("statement", "attempt", "booked_as"), line_id)


def _attach(request: HttpRequest, line_id: int) -> HttpResponse:
    refuse_without(request, MAY_ATTACH)
    line = _line_or_404(line_id)
    if request.method != "POST":
        return HttpResponseRedirect(page_of(line))
    form = AttachForm(request.POST)
    if refusal := manual.refusal_to_claim(line):
        form.add_error(None, refusal)
    if form.is_valid():
        try:
            return _attached(request, line, form.cleaned_data)
        except ActionRefused as refused:
            form.add_error(None, str(refused))
    told = _detail(request, line, form)
    return show(request, StatementLineAdmin.detail_template, told, of=line, status=400)


def _attached(request: HttpRequest, line: StatementLine, told: dict[str, Any]) -> HttpResponse:
    """Raises ActionRefused."""
    wanted = Claim(
        line_id=line.pk,
        target=told["target"],
        reason=told["reason"],
        accepts_amount=told["accepts_amount"],
    )
    settlement = manual.claim_receipt(wanted, by=request.user.get_username(), now=gateway.now())
    attempt = settlement.attempt
    if settlement.decision == HandSettlement.Decision.WAITING or attempt is None:
        messages.success(request, settlements.second_person_needed(settlement))
        return HttpResponseRedirect(page_of(line))
    messages.success(request, _became(settlement))
    return HttpResponseRedirect(page_of(attempt))


def _became(settlement: HandSettlement) -> str:
    attempt = MpesaTransaction.objects.get(pk=settlement.attempt_id or 0)
    code = attempt.account_reference
    if attempt.pays_order:
        return f"Attached: order {code} is paid with it."
    if attempt.refund_due:
        return f"Attached. Order {code} was paid already, so this money is due back."
    return f"Attached. Order {code} asks for another amount: accept it, or send the money back."


@require_POST
def _decide_settlement(request: HttpRequest, line_id: int, settlement_id: int, verdict: str) -> HttpResponse:
    line = _line_or_404(line_id)
    settlement = row_or_404(HandSettlement.objects.filter(line=line), settlement_id)
    refuse_without(request, settlements.permission_of(settlement))
    settlements.decide(request, settlement, verdict)
    return HttpResponseRedirect(page_of(line))


def _detail(request: HttpRequest, line: StatementLine, form: AttachForm) -> dict[str, Any]:
    proposals = settlements.waiting(request, Q(line=line))
    may_attach = request.user.has_perm(MAY_ATTACH)
    refusal = manual.refusal_to_claim(line)
    return {
        "title": f"Receipt {line.receipt}",
        "line": line,
        "reason_type": f"({line.reason_type})" if line.reason_type else "",
        "stated": line.statement,
        "form": form if may_attach and not refusal else None,
        "button": "Attach",
        "why_not": refusal if line_is_nobodys(line) and not proposals else "",
        "booked": _booked(line),
        "candidates": candidates(line) if may_attach and not refusal else [],
        "belief": line_waits(line),
        "proposals": proposals,
        "declined": line.settlements.filter(
            decision=HandSettlement.Decision.DECLINED, what=HandSettlement.What.SETTLE
        ).order_by("id"),
        "back": _in_comparison(line.statement),
        "attach_url": address(line, "attach", line.pk),
        "void_url": _void_url(request, line),
    }


def _void_url(request: HttpRequest, line: StatementLine) -> str:
    may = request.user.has_perm(voiding.MAY_VOID) and not manual.refusal_to_void(line)
    return address(line, "void", line.pk) if may else ""


def _booked(line: StatementLine) -> dict[str, Any] | None:
    """Its receipt in the book, and where that money is."""
    if line.booked_as is None:
        return None
    moved = flows(postings_of(line.booked_as))
    orders = Order.objects.filter(code__in=moved.orders).order_by("code")
    return {"receipt": line.booked_as, "orders": list(orders), "nobodys": moved.unclaimed}


def _in_comparison(statement: Statement) -> str:
    return f"{page_of(statement)}?group={THEIRS}#rows"
