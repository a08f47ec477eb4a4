"""What stands behind the payments: keys, the token, the budget, and the book's own rows. Read-only, and no secret of
theirs is shown."""

from decimal import Decimal

from django.contrib import admin
from unfold.admin import ModelAdmin

from djkraph.admin import ReadOnly
from payments.desk.words import kes
from payments.models import DarajaToken, Heartbeat, IdempotencyKey, Posting, QueryBudget, Receipt, Refund


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


class Cents:
    """Shows an amount of cents as money."""

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, row: Receipt | Posting | Refund) -> str:
        return kes(Decimal(row.amount_cents) / 100)


@admin.register(Receipt)
class ReceiptAdmin(Cents, ReadOnly, ModelAdmin):
    list_display = ("code", "direction", "kind", "amount", "happened_at", "attempt", "told_by", "voided_at")
    list_select_related = ("attempt",)
    search_fields = ("code__exact",)
    show_full_result_count = False


@admin.register(Posting)
class PostingAdmin(Cents, ReadOnly, ModelAdmin):
    list_display = ("id", "at", "debit", "credit", "amount", "code", "receipt", "attempt", "mends")
    list_select_related = ("receipt", "attempt", "mends")
    search_fields = ("debit__exact", "credit__exact")
    show_full_result_count = False


@admin.register(Refund)
class RefundAdmin(Cents, ReadOnly, ModelAdmin):
    list_display = ("reference", "amount", "attempt", "reason", "recorded_by", "recorded_at")
    list_select_related = ("attempt",)
    search_fields = ("reference__exact",)
    show_full_result_count = False
