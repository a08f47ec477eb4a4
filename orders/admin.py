"""The shelf in the desk: mixes can be edited. Orders stand with how they are paid (payments/desk/orders/)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from djkraph.admin import OfferedOnly, ReadOnly
from orders.forms import MixForm
from orders.models import Mix, OrderItem


@admin.register(Mix)
class MixAdmin(OfferedOnly, ModelAdmin):
    list_display = ("title", "genre", "minutes", "price", "on_sale", "ready")
    list_filter = ("on_sale", "genre")
    search_fields = ("title", "slug")
    prepopulated_fields = {"slug": ("title",)}
    form = MixForm

    @display(description="Price", ordering="price_kes")
    def price(self, mix: Mix) -> str:
        return f"KES {mix.price_kes:,}"

    @display(description="Download", boolean=True)
    def ready(self, mix: Mix) -> bool:
        return bool(mix.audio)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False  # sold mixes stand in orders: take them off sale instead


@admin.register(OrderItem)
class OrderItemAdmin(ReadOnly, ModelAdmin):
    list_display = ("title", "price_kes", "order", "downloads", "downloaded_at")
    search_fields = ("title", "order__code")
    list_select_related = ("order",)
    show_full_result_count = False
