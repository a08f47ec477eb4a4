"""The callback inbox in the desk: every delivery with its verdict. Read-only."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from djkraph.admin import ReadOnly
from payments.models import CallbackDelivery


@admin.register(CallbackDelivery)
class CallbackDeliveryAdmin(ReadOnly, ModelAdmin):
    list_display = ("received_at", "verdict", "attempt", "source_address")
    list_filter = ("verdict", "received_at")
    search_fields = ("checkout_request_id", "attempt__account_reference")
    list_select_related = ("attempt",)
    show_full_result_count = False
    exclude = ("token_hash", "checkout_request_id", "spool_id")
