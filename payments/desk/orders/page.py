"""Orders in the desk: the list, and one order with how it is paid. Read-only; no rule about money here."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from orders.models import Order
from payments.desk import words
from payments.desk.lists.filters import ChoiceFilter, Choices, DaysFilter
from payments.desk.lists.rows import ManyRows
from payments.desk.orders import figures
from payments.desk.pages import DetailPage
from payments.facts import REASONS, reasons_of
from payments.models import MpesaTransaction

Orders = QuerySet[Order]


class NeedsFilter(ChoiceFilter):
    """Orders of which a payment needs a person. The payments' own small indexes find them."""

    title = "Needs a person"
    parameter_name = "needs"

    def choices_offered(self) -> Choices:
        return [("any", "For any reason"), *((reason.key, reason.label) for reason in REASONS)]

    def chosen(self, rows: Orders, value: str) -> Orders:
        wanted = [reason.applies for reason in REASONS if value in ("any", reason.key)]
        needing = MpesaTransaction.objects.filter(Q(*wanted, _connector=Q.OR))
        return rows.filter(pk__in=needing.values("order_id"))


class PriceFilter(ChoiceFilter):
    title = "Price"
    parameter_name = "priced"

    def choices_offered(self) -> Choices:
        return [("yes", "From our own prices"), ("no", "Named by a web page")]

    def chosen(self, rows: Orders, value: str) -> Orders:
        return rows.filter(is_priced=value == "yes")


@admin.register(Order)
class OrderAdmin(ManyRows, DetailPage):
    detail_template = "desk/order.html"
    list_display = ("created", "order_code", "state_badge", "total", "received", "owed", "needs", "bought")
    list_display_links = ("created", "order_code")
    list_filter = (("state", ChoicesDropdownFilter), NeedsFilter, PriceFilter, ("created_at", DaysFilter))
    search_fields = ("code",)
    search_help_text = "Order code, the page's reference, whole e-mail address, receipt, or full phone number"

    def get_queryset(self, request: HttpRequest) -> Orders:
        found: Orders = super().get_queryset(request)
        return found.prefetch_related("attempts", "items")

    def found(self, rows: Orders, term: str) -> Orders:
        return figures.found(rows, term)

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
        return figures.NOT_KNOWN if money.in_doubt and not money.received else _or_dash(money.received)

    @display(description="Owed")
    def owed(self, order: Order) -> str:
        return _or_dash(figures.money(order, list(order.attempts.all())).owed)

    @display(description="For")
    def bought(self, order: Order) -> str:
        return figures.bought(order, len(order.items.all()))

    @display(description="Needs a person", label=True)
    def needs(self, order: Order) -> list[str]:
        return [reason.label for reason in figures.reasons(list(order.attempts.all()))]

    def detail(self, request: HttpRequest, row: Order) -> dict[str, Any]:  # noqa: ARG002 — all see the same
        attempts = sorted(row.attempts.all(), key=lambda attempt: attempt.pk)
        items = list(row.items.all())
        reasons, money = figures.reasons(attempts), figures.money(row, attempts)
        return {
            "title": f"Order {row.code}",
            "order": row,
            "badges": [words.order_badge(row), *words.warnings(reasons)],
            "sentence": figures.sentence(row, attempts, items=len(items)),
            "notices": reasons,
            "money": money,
            "received": figures.received(money),
            "items": items,
            "attempts": [(attempt, _badges(attempt)) for attempt in attempts],
        }


def _badges(attempt: MpesaTransaction) -> list[words.Badge]:
    by_hand = [words.Badge("By hand")] if attempt.by_hand else []
    return [words.badge_of(attempt), *words.warnings(reasons_of(attempt)), *by_hand]


def _or_dash(amount: int) -> str:
    return words.on_one_line(words.kes(amount or None))
