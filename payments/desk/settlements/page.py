"""The list of what was settled by hand."""

from django.contrib import admin
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from djkraph.admin import ReadOnly
from payments.desk import words
from payments.desk.addresses import page_of
from payments.models import HandSettlement


@admin.register(HandSettlement)
class HandSettlementAdmin(ReadOnly, ModelAdmin):
    list_display = (
        "receipt",
        "attempt",
        "line_of_statement",
        "amount",
        "decision",
        "proposed_by",
        "proposed_at",
        "decided_by",
    )
    list_filter = ("decision", "evidence")
    search_fields = ("receipt__exact", "attempt__account_reference__exact")
    list_select_related = ("attempt", "line")
    show_full_result_count = False

    @display(description="Amount", ordering="amount_kes")
    def amount(self, settlement: HandSettlement) -> str:
        return words.on_one_line(words.kes(settlement.amount_kes))

    @display(description="Statement")
    def line_of_statement(self, settlement: HandSettlement) -> str:
        """Where a second person decides about money that is no payment yet."""
        if settlement.line is None:
            return words.NONE
        return format_html('<a href="{}">Look at the line</a>', page_of(settlement.line))
