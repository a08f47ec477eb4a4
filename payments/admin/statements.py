"""M-PESA statements in the desk: upload, comparison, lines. No rule about matching here (services/statement.py)."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from djkraph.admin import ReadOnly
from payments.models import Statement, StatementLine


@admin.register(Statement)
class StatementAdmin(ReadOnly, ModelAdmin):
    list_display = ("file_name", "short_code", "period_from", "period_to", "uploaded_by", "uploaded_at")


@admin.register(StatementLine)
class StatementLineAdmin(ReadOnly, ModelAdmin):
    list_display = ("receipt", "completed_at", "paid_in", "kind", "match")
    show_full_result_count = False
