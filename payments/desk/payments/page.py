"""Payments in the desk: the list, and the page of one payment. Read-only for everybody; no rule about money here."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeNumericFilter
from unfold.decorators import action, display

from djkraph.admin import ReadOnly
from payments import manual
from payments.desk import words
from payments.desk.lists import search
from payments.desk.lists.exporting import ExportMixin
from payments.desk.lists.filters import DaysFilter, NeedsFilter
from payments.desk.lists.pager import InfinitePaginator
from payments.desk.payments import actions, asking, story, timeline
from payments.facts import reasons_of
from payments.models import MpesaTransaction
from payments.phones import blank_phones
from payments.states import State

STATE_COLOURS = {state.label: words.STATE_TONES[state][0] for state in State}


@admin.register(MpesaTransaction)
class MpesaTransactionAdmin(ExportMixin, ReadOnly, ModelAdmin):
    list_display = (
        "created",
        "order_code",
        "state_badge",
        "amount",
        "phone_masked",
        "receipt_or_dash",
        "needs",
    )
    list_display_links = ("created", "order_code")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        NeedsFilter,
        ("created_at", DaysFilter),
        ("amount_kes", RangeNumericFilter),
        ("channel", ChoicesDropdownFilter),
        "by_hand",
        "came_late",
    )
    list_filter_submit = True
    list_per_page = 50
    search_fields = ("receipt",)  # shows the box; what is found stands in lists/search.py
    search_help_text = "Receipt, order code, the page's reference, full phone number, or checkout id"
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = ("ask_selected",)
    actions_list = ("export_csv",)
    ordering = ("-id",)

    # --- the list -----------------------------------------------------------------------------------------

    @display(description="Asked for", ordering="id")
    def created(self, attempt: MpesaTransaction) -> str:
        return words.on_one_line(words.moment(attempt.created_at))

    @display(description="Order")
    def order_code(self, attempt: MpesaTransaction) -> str:
        return attempt.account_reference

    @display(description="State", label=STATE_COLOURS)
    def state_badge(self, attempt: MpesaTransaction) -> str:
        return attempt.get_state_display()

    @display(description="Amount", ordering="amount_kes")
    def amount(self, attempt: MpesaTransaction) -> str:
        return words.on_one_line(words.kes(attempt.amount_kes))

    @display(description="Receipt")
    def receipt_or_dash(self, attempt: MpesaTransaction) -> str:
        return attempt.receipt or "—"

    @display(description="Needs a person", label=True)
    def needs(self, attempt: MpesaTransaction) -> list[str]:
        return [reason.label for reason in reasons_of(attempt)]

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[MpesaTransaction],
        search_term: str,
    ) -> tuple[QuerySet[MpesaTransaction], bool]:
        return (search.found(queryset, search_term) if search_term.strip() else queryset), False

    def has_ask_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("payments.ask_safaricom")

    @action(description="Ask Safaricom about the selected payments", permissions=["ask"])
    def ask_selected(self, request: HttpRequest, queryset: QuerySet[MpesaTransaction]) -> HttpResponse:
        ids = list(queryset.order_by("id").values_list("id", flat=True)[: asking.AT_MOST + 1])
        if len(ids) > asking.AT_MOST:
            messages.warning(
                request, f"At most {asking.AT_MOST} at once: the oldest of them are asked about."
            )
        return HttpResponseRedirect(asking.address_for(ids))

    # --- one payment --------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        return [*asking.urls(self), *actions.urls(self), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        attempt = actions.attempt_or_404(object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Payment {attempt.account_reference}",
            "opts": self.opts,
            "original": attempt,
            **_page(request, attempt),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "desk/payment.html", context)


def _page(request: HttpRequest, attempt: MpesaTransaction) -> dict[str, Any]:
    may = {each.name: each for each in actions.offered(request, attempt)}
    may_note = may.pop("note", None) is not None
    waiting = manual.waiting_settlement(attempt.pk)
    return {
        "attempt": attempt,
        "sentence": story.sentence(attempt, now=timezone.now()),
        "tone": words.STATE_TONES[attempt.state][1],
        "reasons": reasons_of(attempt),
        "actions": list(may.values()),
        "may_note": may_note,
        "timeline": timeline.entries(attempt.events.order_by("number")),
        "deliveries": attempt.deliveries.order_by("id"),
        "lines": attempt.statement_lines.order_by("id"),
        "others": attempt.order.attempts.exclude(pk=attempt.pk).order_by("id"),
        "items": list(attempt.order.items.all()),
        "checkout_id": blank_phones(attempt.checkout_request_id or ""),
        "waiting": waiting,
        "may_decide": waiting is not None and request.user.has_perm("payments.settle_by_hand"),
        "is_own": waiting is not None and waiting.proposed_by == request.user.get_username(),
    }
