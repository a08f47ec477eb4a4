"""The list of what people decided about money, and one of these decisions."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from unfold.decorators import display

from payments.desk import words
from payments.desk.addresses import page_of
from payments.desk.pages import DetailPage, refuse_without, row_or_404
from payments.desk.settlements import wording
from payments.desk.settlements.deciding import about, decide, waiting
from payments.desk.settlements.rights import permission_of
from payments.models import HandSettlement

Decision = HandSettlement.Decision
TONES = {Decision.WAITING: "warn", Decision.DONE: "ok", Decision.DECLINED: "bad", Decision.CLOSED: ""}

NOT_YET = "Nothing is done yet: a second person decides."


@admin.register(HandSettlement)
class HandSettlementAdmin(DetailPage):
    detail_template = "desk/decision.html"
    list_display = (
        "proposed_on",
        "what",
        "amount",
        "receipt",
        "order_code",
        "decision",
        "proposed_by",
        "decided_by",
    )
    list_filter = ("decision", "what", "evidence")
    search_fields = ("receipt__exact", "attempt__account_reference__exact")
    list_select_related = ("attempt", "order")
    list_before_template = "desk/proposals_above.html"
    show_full_result_count = False

    @display(description="Decided, or proposed", ordering="proposed_at")
    def proposed_on(self, settlement: HandSettlement) -> str:
        return words.on_one_line(words.moment(settlement.proposed_at))

    @display(description="Amount", ordering="amount_kes")
    def amount(self, settlement: HandSettlement) -> str:
        return words.on_one_line(words.kes(settlement.amount_kes))

    @display(description="Order")
    def order_code(self, settlement: HandSettlement) -> str:
        named = settlement.order and settlement.order.code
        return named or (settlement.attempt.account_reference if settlement.attempt else words.NONE)

    def get_urls(self) -> list[URLPattern]:
        decides = self.admin_site.admin_view(_decide)
        return [
            path("<int:object_id>/decide/<str:verdict>/", decides, name="payments_handsettlement_decide"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        found: HttpResponse = super().changelist_view(
            request, {**(extra_context or {}), "proposals": waiting(request, Q())}
        )
        return found

    def detail(self, request: HttpRequest, row: HandSettlement) -> dict[str, Any]:
        waits = row.decision == Decision.WAITING
        return {
            "title": f"{row.get_what_display()}: {words.kes(row.amount_kes)}",
            "row": row,
            "badges": [words.Badge(row.get_decision_display(), TONES[Decision(row.decision)])],
            "sentence": NOT_YET if waits else f"{row.proposed_by} {wording.wanted(row)}",
            "waits": waits,
            "proposals": waiting(request, Q(pk=row.pk)),
            "about": about(row),
        }


def _decide(request: HttpRequest, object_id: int, verdict: str) -> HttpResponse:
    proposal = row_or_404(HandSettlement.objects.select_related("attempt", "order"), object_id)
    refuse_without(request, permission_of(proposal))
    if request.method == "POST":
        decide(request, proposal, verdict)
        proposal.refresh_from_db()
    return HttpResponseRedirect(page_of(about(proposal)[0][1]))
