"""Payments in the desk: the list, and the page of one payment. Read-only for everybody; no rule about money here."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeNumericFilter
from unfold.decorators import action, display

from payments import gateway, ledger
from payments.desk import settlements, words
from payments.desk.lists import search
from payments.desk.lists.exporting import ExportMixin
from payments.desk.lists.filters import DaysFilter, NeedsFilter
from payments.desk.lists.rows import ManyRows
from payments.desk.pages import DetailPage
from payments.desk.payments import actions, asking, story, timeline
from payments.desk.reversals import figures as reversals
from payments.facts import Reason, reasons_of
from payments.models import MpesaTransaction
from payments.phones import blank_phones
from payments.states import State

STATE_COLOURS = {state.label: words.STATE_TONES[state][0] for state in State} | {words.SENT_BACK: "warning"}


@admin.register(MpesaTransaction)
class MpesaTransactionAdmin(ExportMixin, ManyRows, DetailPage):
    detail_template = "desk/payment.html"
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
    search_fields = ("receipt",)
    search_help_text = (
        "Receipt, M-PESA's whole message, order code, reference, full phone, e-mail, 1500 25 Nov"
    )
    actions = ("ask_selected",)
    actions_list = ("export_csv",)

    # --- the list -----------------------------------------------------------------------------------------

    @display(description="Asked for", ordering="id")
    def created(self, attempt: MpesaTransaction) -> str:
        return words.on_one_line(words.moment(attempt.created_at))

    @display(description="Order")
    def order_code(self, attempt: MpesaTransaction) -> str:
        return attempt.account_reference

    @display(description="State", label=STATE_COLOURS)
    def state_badge(self, attempt: MpesaTransaction) -> str:
        return words.badge_of(attempt).text

    @display(description="Amount", ordering="amount_kes")
    def amount(self, attempt: MpesaTransaction) -> str:
        return words.on_one_line(words.kes(attempt.amount_kes))

    @display(description="Receipt")
    def receipt_or_dash(self, attempt: MpesaTransaction) -> str:
        return attempt.receipt or words.NONE

    @display(description="Needs a person", label=True)
    def needs(self, attempt: MpesaTransaction) -> list[str]:
        return [reason.label for reason in reasons_of(attempt)]

    def found(self, rows: QuerySet[MpesaTransaction], term: str) -> QuerySet[MpesaTransaction]:
        return search.found(rows, term)

    def has_ask_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(asking.PERMISSION)

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
        return [*asking.urls(), *actions.urls(), *super().get_urls()]

    def detail_rows(self, request: HttpRequest) -> QuerySet[MpesaTransaction]:
        return super().detail_rows(request).select_related("order").prefetch_related("refunds")

    def detail(self, request: HttpRequest, row: MpesaTransaction) -> dict[str, Any]:
        offered = [each for each in actions.offered(request, row) if each.name != "note"]
        reasons = reasons_of(row)
        return {
            "title": f"Payment {row.account_reference}",
            "attempt": row,
            "badges": _badges(row, reasons),
            "sentence": story.sentence(row, now=gateway.now()),
            "notices": reasons,
            "buttons": [each.button(row) for each in offered],
            "may_note": request.user.has_perm("payments.write_note"),
            "timeline": timeline.entries(row.events.order_by("number")),
            "deliveries": row.deliveries.order_by("id"),
            "lines": row.statement_lines.order_by("id"),
            "others": row.order.attempts.exclude(pk=row.pk).order_by("id"),
            "order_badge": words.order_badge(row.order, ended=ledger.has_ended(row.order, now=gateway.now())),
            "items": list(row.order.items.all()),
            "checkout_id": blank_phones(row.checkout_request_id or ""),
            "refunds": row.refunds.all(),
            "ordered_back": list(reversals.of_payment(row)),
            "receipts": row.receipts.order_by("id"),
            "given_back": story.given_back_kes(row),
            "asked": story.asked(row),
            "safaricom_said": f"{row.result_desc} ({row.result_code})" if row.result_code else "",
            "paid_to": f"{row.get_channel_display()} {row.short_code}",
            "proposals": settlements.waiting(request, Q(attempt=row)),
        }


def _badges(attempt: MpesaTransaction, reasons: list[Reason]) -> list[words.Badge]:
    by_hand = [words.Badge("Settled by hand")] if attempt.by_hand else []
    return [words.badge_of(attempt), *words.warnings(reasons), *by_hand]
