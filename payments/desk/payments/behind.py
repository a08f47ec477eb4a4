"""What stands behind the payments: keys, the token, the budget. Read-only, and no secret of theirs is shown."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from djkraph.admin import ReadOnly
from payments.models import DarajaToken, Heartbeat, IdempotencyKey, QueryBudget


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
