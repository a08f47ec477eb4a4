"""What stands behind the payments: keys, the token, the budget. Read-only, and no secret of theirs is shown."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from djkraph.admin import ReadOnly
from payments.desk import words
from payments.models import (
    DarajaToken,
    HandSettlement,
    Heartbeat,
    IdempotencyKey,
    QueryBudget,
)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnly, ModelAdmin):
    list_display = ("created_at", "attempt", "status")
    list_select_related = ("attempt",)
    fields = ("created_at", "attempt", "status")
    show_full_result_count = False


@admin.register(DarajaToken)
class DarajaTokenAdmin(ReadOnly, ModelAdmin):
    list_display = ("name", "fresh_until", "fetching_until")
    fields = ("name", "fresh_until", "fetching_until")


@admin.register(QueryBudget)
class QueryBudgetAdmin(ReadOnly, ModelAdmin):
    list_display = ("name", "free_at")


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly, ModelAdmin):
    list_display = ("name", "at")


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
            return "—"
        page = reverse("admin:payments_statementline_change", args=[settlement.line.pk])
        return format_html('<a href="{}">Look at the line</a>', page)
