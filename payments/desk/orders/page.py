"""Orders in the desk: the list, and one order with how it is paid. Read-only; no rule about money here."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from djkraph.admin import ReadOnly
from orders.models import Order
from payments.desk import words
from payments.desk.lists.filters import DaysFilter
from payments.desk.lists.pager import InfinitePaginator
from payments.desk.orders import figures
from payments.facts import REASONS, reasons_of
from payments.models import MpesaTransaction

Orders = QuerySet[Order]
Choices = Iterable[tuple[str, str]]


class NeedsFilter(admin.SimpleListFilter):
    """Orders of which a payment needs a person. The payments' own small indexes find them."""

    title = "Needs a person"
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ARG002 — Django's signature
        return [("any", "For any reason"), *((reason.key, reason.label) for reason in REASONS)]

    def queryset(self, request: HttpRequest, queryset: Orders) -> Orders:  # noqa: ARG002 — Django's signature
        chosen = [reason.applies for reason in REASONS if self.value() in ("any", reason.key)]
        if not chosen:
            return queryset
        needing = MpesaTransaction.objects.filter(Q(*chosen, _connector=Q.OR))
        return queryset.filter(pk__in=needing.values("order_id"))


class PriceFilter(admin.SimpleListFilter):
    title = "Price"
    parameter_name = "priced"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ARG002 — Django's signature
        return [("yes", "From our own prices"), ("no", "Named by a web page")]

    def queryset(self, request: HttpRequest, queryset: Orders) -> Orders:  # noqa: ARG002 — Django's signature
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(is_priced=self.value() == "yes")


@admin.register(Order)
class OrderAdmin(ReadOnly, ModelAdmin):
    list_display = ("created", "order_code", "state_badge", "total", "received", "owed", "needs", "bought")
    list_display_links = ("created", "order_code")
    list_filter = (("state", ChoicesDropdownFilter), NeedsFilter, PriceFilter, ("created_at", DaysFilter))
    list_filter_submit = True
    list_per_page = 50
    search_fields = ("code",)  # shows the box; what is found stands in figures.py
    search_help_text = "Order code, the page's reference, whole e-mail address, receipt, or full phone number"
    paginator = InfinitePaginator
    show_full_result_count = False
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Orders:
        found: Orders = super().get_queryset(request)
        return found.prefetch_related("attempts", "items")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: Orders,
        search_term: str,
    ) -> tuple[Orders, bool]:
        return (figures.found(queryset, search_term) if search_term.strip() else queryset), False

    @display(description="Ordered", ordering="id")
    def created(self, order: Order) -> str:
        return words.moment(order.created_at)

    @display(description="Order")
    def order_code(self, order: Order) -> str:
        return order.code

    @display(description="State", label={"Paid": "success", "Not paid": "warning"})
    def state_badge(self, order: Order) -> str:
        return order.get_state_display()

    @display(description="Total")
    def total(self, order: Order) -> str:
        return words.on_one_line(words.kes(order.total_kes))

    @display(description="Received")
    def received(self, order: Order) -> str:
        money = figures.money(order, list(order.attempts.all()))
        return "Not known yet" if money.in_doubt and not money.received else _or_dash(money.received)

    @display(description="Owed")
    def owed(self, order: Order) -> str:
        return _or_dash(figures.money(order, list(order.attempts.all())).owed)

    @display(description="For")
    def bought(self, order: Order) -> str:
        return figures.bought(order, len(order.items.all()))

    @display(description="Needs a person", label=True)
    def needs(self, order: Order) -> list[str]:
        return [reason.label for reason in figures.reasons(list(order.attempts.all()))]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        order = self.get_object(request, object_id)
        if order is None:
            raise Http404("There is no such order.")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Order {order.code}",
            "opts": self.opts,
            "original": order,
            **_page(order),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "desk/order.html", context)


def _page(order: Order) -> dict[str, Any]:
    attempts = sorted(order.attempts.all(), key=lambda attempt: attempt.pk)
    items = list(order.items.all())
    return {
        "order": order,
        "sentence": figures.sentence(order, attempts, items=len(items)),
        "money": figures.money(order, attempts),
        "reasons": figures.reasons(attempts),
        "items": items,
        "attempts": [
            (attempt, words.STATE_TONES[attempt.state][1], reasons_of(attempt)) for attempt in attempts
        ],
    }


def _or_dash(amount: int) -> str:
    return words.on_one_line(words.kes(amount)) if amount else "—"
