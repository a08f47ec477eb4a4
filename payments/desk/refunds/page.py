"""Refunds in the desk: the list, and one refund from recorded to seen. No rule about money here; a
refund is recorded on the page of its payment or receipt."""

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
from payments.desk.refunds import actions, figures
from payments.facts import refund_unseen_at
from payments.models import Refund

Refunds = QuerySet[Refund]


class UnseenFilter(ChoiceFilter):
    title = "Needs a person"
    parameter_name = "needs"

    def choices_offered(self) -> Choices:
        return [("unseen", "Not seen for three days")]

    def chosen(self, rows: Refunds, value: str) -> Refunds:  # noqa: ARG002 — there is but one
        return rows.filter(refund_unseen_at(gateway.now()))


@admin.register(Refund)
class RefundAdmin(ManyRows, DetailPage):
    detail_template = "desk/refund.html"
    list_display = ("recorded", "reference", "amount", "state_badge", "order_code", "recorded_by")
    list_display_links = ("recorded", "reference")
    list_filter = (UnseenFilter, ("state", ChoicesDropdownFilter), ("recorded_at", DaysFilter))
    list_select_related = ("attempt",)
    search_fields = ("reference",)
    search_help_text = "Reference, receipt, order code, or full phone number"

    @display(description="Recorded", ordering="id")
    def recorded(self, refund: Refund) -> str:
        return words.on_one_line(words.moment(refund.recorded_at))

    @display(description="Amount", ordering="amount_cents")
    def amount(self, refund: Refund) -> str:
        return words.on_one_line(words.kes_of(refund.amount_cents))

    @display(description="How far it is")
    def state_badge(self, refund: Refund) -> SafeString:
        told = figures.badge(refund, now=gateway.now())
        return format_html('<span class="dk-badge dk-badge--{}">{}</span>', told.tone, told.text)

    @display(description="Order")
    def order_code(self, refund: Refund) -> str | SafeString:
        if refund.attempt is None:
            return words.NONE
        return format_html(
            '<a class="dk-link" href="{}">{}</a>', page_of(refund.attempt), refund.attempt.account_reference
        )

    def found(self, rows: Refunds, term: str) -> Refunds:
        return figures.found(rows, term)

    def detail_rows(self, request: HttpRequest) -> Refunds:
        return super().detail_rows(request).select_related("attempt", "receipt", "seen_as")

    def get_urls(self) -> list[URLPattern]:
        return [*actions.urls(), *super().get_urls()]

    def detail(self, request: HttpRequest, row: Refund) -> dict[str, Any]:
        now = gateway.now()
        return {
            "title": f"Refund {row.reference}",
            "refund": row,
            "badges": [figures.badge(row, now=now)],
            "sentence": figures.sentence(row, now=now),
            "notices": figures.notices(row, now=now),
            "proposals": settlements.waiting(request, Q(refund=row)),
            "buttons": actions.buttons(request, row),
            "timeline": figures.history(row),
            "lines": list(row.seen_as.lines.select_related("statement").order_by("id"))
            if row.seen_as
            else [],
        }
