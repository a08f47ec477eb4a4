"""Orders to send money back in the desk: the list, and one order from decided to gone. No rule about money here; one is
ordered on the page of its payment or receipt."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from payments import gateway
from payments.desk import settlements, words
from payments.desk.addresses import page_of
from payments.desk.lists.filters import ChoiceFilter, Choices, DaysFilter
from payments.desk.lists.rows import ManyRows
from payments.desk.pages import DetailPage
from payments.desk.reversals import actions, figures
from payments.facts import REVERSAL_FAILED, reversal_stuck_at
from payments.models import Reversal

Reversals = QuerySet[Reversal]


class NeedsFilter(ChoiceFilter):
    title = "Needs a person"
    parameter_name = "needs"

    def choices_offered(self) -> Choices:
        return [("stuck", "No word for an hour"), ("failed", "It did not go back")]

    def chosen(self, rows: Reversals, value: str) -> Reversals:
        return rows.filter(reversal_stuck_at(gateway.now()) if value == "stuck" else REVERSAL_FAILED)


@admin.register(Reversal)
class ReversalAdmin(ManyRows, DetailPage):
    detail_template = "desk/reversal.html"
    list_display = ("decided", "receipt_code", "amount", "state_badge", "order_code", "decided_by")
    list_display_links = ("decided", "receipt_code")
    list_filter = (NeedsFilter, ("state", ChoicesDropdownFilter), ("decided_at", DaysFilter))
    list_select_related = ("receipt__attempt",)
    search_fields = ("receipt__code",)
    search_help_text = "Receipt, order code, or full phone number"

    @display(description="Decided", ordering="id")
    def decided(self, row: Reversal) -> str:
        return words.on_one_line(words.moment(row.decided_at))

    @display(description="Receipt")
    def receipt_code(self, row: Reversal) -> str:
        return str(row.receipt)

    @display(description="Amount", ordering="amount_kes")
    def amount(self, row: Reversal) -> str:
        return words.on_one_line(words.kes(row.amount_kes))

    @display(description="How far it is")
    def state_badge(self, row: Reversal) -> SafeString:
        told = figures.badge(row, now=gateway.now())
        return format_html('<span class="dk-badge dk-badge--{}">{}</span>', told.tone, told.text)

    @display(description="Order")
    def order_code(self, row: Reversal) -> str | SafeString:
        attempt = row.receipt.attempt
        if attempt is None:
            return words.NONE
        return format_html('<a class="dk-link" href="{}">{}</a>', page_of(attempt), attempt.account_reference)

    def found(self, rows: Reversals, term: str) -> Reversals:
        return figures.found(rows, term)

    def detail_rows(self, request: HttpRequest) -> Reversals:
        return super().detail_rows(request).select_related("receipt__attempt", "went_as")

    def get_urls(self) -> list[URLPattern]:
        return [*actions.urls(), *super().get_urls()]

    def detail(self, request: HttpRequest, row: Reversal) -> dict[str, Any]:
        now = gateway.now()
        return {
            "title": f"Sent back by M-PESA: {row.receipt}",
            "row": row,
            "badges": [figures.badge(row, now=now)],
            "sentence": figures.sentence(row),
            "notices": figures.notices(row, now=now),
            "proposals": settlements.waiting(request, Q(money=row.receipt, what="never_went")),
            "buttons": actions.buttons(request, row),
            "timeline": figures.history(row),
        }
