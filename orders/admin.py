"""The shop in the desk: mixes can be edited; orders belong to the ledger and are read-only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from djkraph.admin import ReadOnly
from orders.models import Mix, Order, OrderItem


@admin.register(Mix)
class MixAdmin(ModelAdmin):
    list_display = ("title", "genre", "minutes", "price", "on_sale")
    list_filter = ("on_sale", "genre")
    search_fields = ("title", "slug")
    prepopulated_fields = {"slug": ("title",)}

    @display(description="Price", ordering="price_kes")
    def price(self, mix: Mix) -> str:
        return f"KES {mix.price_kes:,}"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False  # sold mixes stand in orders: take them off sale instead


class OrderItemInline(ReadOnly, TabularInline):
    model = OrderItem
    fields = ("title", "price_kes")
    extra = 0


@admin.register(Order)
class OrderAdmin(ReadOnly, ModelAdmin):
    list_display = ("code", "state_badge", "total", "is_priced", "client_reference", "created_at", "paid_at")
    list_filter = ("state", "is_priced", "created_at")
    search_fields = ("code", "client_reference", "email")
    fields = (
        "code",
        "state_badge",
        "total",
        "is_priced",
        "client_reference",
        "email",
        "created_at",
        "paid_at",
    )
    inlines = (OrderItemInline,)
    show_full_result_count = False

    @display(description="State", ordering="state", label={"Paid": "success", "Not paid": "warning"})
    def state_badge(self, order: Order) -> str:
        return order.get_state_display()

    @display(description="Total", ordering="total_kes")
    def total(self, order: Order) -> str:
        return f"KES {order.total_kes:,}"


@admin.register(OrderItem)
class OrderItemAdmin(ReadOnly, ModelAdmin):
    list_display = ("title", "price_kes", "order")
    search_fields = ("title", "order__code")
    list_select_related = ("order",)
    show_full_result_count = False
