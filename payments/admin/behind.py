"""What stands behind the payments: events, keys, the token, the budget. Read-only, and no secret of theirs is shown."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from djkraph.admin import ReadOnly
from payments.models import (
    DarajaToken,
    HandSettlement,
    Heartbeat,
    IdempotencyKey,
    PaymentEvent,
    QueryBudget,
)


@admin.register(PaymentEvent)
class PaymentEventAdmin(ReadOnly, ModelAdmin):
    list_display = ("at", "attempt", "number", "kind", "source", "from_state", "to_state")
    list_filter = ("kind", "source", "to_state")
    search_fields = ("attempt__account_reference", "attempt__receipt")
    list_select_related = ("attempt",)
    show_full_result_count = False


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
        "attempt",
        "receipt",
        "amount_kes",
        "decision",
        "proposed_by",
        "proposed_at",
        "decided_by",
    )
    list_filter = ("decision", "evidence")
    search_fields = ("receipt__exact", "attempt__account_reference__exact")
    list_select_related = ("attempt",)
    show_full_result_count = False
