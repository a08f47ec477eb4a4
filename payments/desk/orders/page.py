"""Orders in the desk: the list, and one order with how it is paid. Read-only; no rule about money here."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from unfold.decorators import display

from orders.models import Order
from payments import gateway, ledger
from payments.desk import settlements, words
from payments.desk.lists.filters import ChoiceFilter, Choices, DaysFilter
from payments.desk.lists.rows import ManyRows
from payments.desk.orders import figures, links
from payments.desk.orders.parts import Part, parts
from payments.desk.pages import DetailPage
from payments.facts import (
    GOT_NOTHING,
    IS_PART_PAID,
    ORDER_IS_OVER,
    ORDER_IS_PAID,
    REASONS,
    amount_in_doubt,
    is_ended,
    reasons_of,
    received_kes,
)
from payments.ledger import CENTS, ORDER
from payments.models import MpesaTransaction, Posting, Refund

Orders = QuerySet[Order]
BADGES = {"Paid": "success", "Not paid": "warning", "Part paid": "warning", "Ended unpaid": "info"}


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


class StandsFilter(ChoiceFilter):
    title = "State"
    parameter_name = "stands"

    def choices_offered(self) -> Choices:
        return [
            ("open", "Not paid"),
            ("part_paid", "Part paid"),
            ("paid", "Paid"),
            ("refunded", "Paid, and all of it sent back"),
            ("ended", "Ended unpaid"),
        ]

    def chosen(self, rows: Orders, value: str) -> Orders:
        if value in ("open", "ended"):
            ended = Q(pk__in=ledger.ended_orders(now=gateway.now()).values("pk"))
            return rows.filter(GOT_NOTHING, ended if value == "ended" else ~ended)
        return rows.filter(
            {"part_paid": IS_PART_PAID, "paid": ORDER_IS_PAID, "refunded": ORDER_IS_OVER}[value]
        )


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
    list_filter = (StandsFilter, NeedsFilter, PriceFilter, ("created_at", DaysFilter))
    search_fields = ("code",)
    search_help_text = "Order code, the page's reference, whole e-mail address, receipt, or full phone number"

    def get_queryset(self, request: HttpRequest) -> Orders:
        found: Orders = super().get_queryset(request)
        return found.prefetch_related("attempts", "items")

    def found(self, rows: Orders, term: str) -> Orders:
        return figures.found(rows, term)

    def get_urls(self) -> list[URLPattern]:
        return [*links.urls(), *super().get_urls()]

    @display(description="Ordered", ordering="id")
    def created(self, order: Order) -> str:
        return words.moment(order.created_at)

    @display(description="Order")
    def order_code(self, order: Order) -> str:
        return order.code

    @display(
        description="State",
        label={"Paid": "success", "Not paid": "warning", "Part paid": "warning", "Ended unpaid": "info"},
    )
    def state_badge(self, order: Order) -> str:
        return _badge(order).text

    @display(description="Total")
    def total(self, order: Order) -> str:
        return words.on_one_line(words.kes(order.total_kes))

    @display(description="Received")
    def received(self, order: Order) -> str:
        doubted = any(received_kes(each) is None for each in order.attempts.all() if amount_in_doubt(each))
        return figures.NOT_KNOWN if doubted and not order.received_cents else _or_dash(order.received_cents)

    @display(description="Owed")
    def owed(self, order: Order) -> str:
        return _or_dash(CENTS * order.to_pay_kes)

    @display(description="For")
    def bought(self, order: Order) -> str:
        return figures.bought(order, len(order.items.all()))

    @display(description="Needs a person", label=True)
    def needs(self, order: Order) -> list[str]:
        return [reason.label for reason in figures.reasons(list(order.attempts.all()))]

    def detail(self, request: HttpRequest, row: Order) -> dict[str, Any]:
        attempts = sorted(row.attempts.all(), key=lambda attempt: attempt.pk)
        items = list(row.items.select_related("mix"))
        came = parts(row, attempts)
        notices, money = figures.notices(attempts, came), figures.money(row, attempts, came)
        return {
            "title": f"Order {row.code}",
            "order": row,
            "badges": [
                _badge(row),
                *dict.fromkeys(words.Badge(each.label, "warn") for each in notices),
            ],
            "sentence": figures.sentence(row, attempts, came, items=len(items), ended=_has_ended(row)),
            "notices": notices,
            "proposals": settlements.waiting(request, _about(row, came)),
            "parts": came,
            "refunds": _refunds(row, attempts),
            "money": money,
            "received": figures.received(money),
            "items": items,
            "buttons": links.buttons(request, row),
            "attempts": [(attempt, _badges(attempt)) for attempt in attempts],
        }


def _badge(order: Order) -> words.Badge:
    return words.order_badge(order, ended=_has_ended(order))


def _has_ended(order: Order) -> bool:
    """By its attempts as they were read with it."""
    return is_ended(order, order.attempts.all(), life=gateway.order_life(), now=gateway.now())


def _about(order: Order, came: list[Part]) -> Q:
    """What waits for a second person: of the order, of its requests, of money that was claimed for it."""
    receipts = [part.receipt for part in came]
    return Q(order=order) | Q(attempt__order=order) | Q(money__in=receipts) | Q(refund__receipt__in=receipts)


def _refunds(order: Order, attempts: list[MpesaTransaction]) -> list[Refund]:
    """Of its requests, and of its own share in a receipt: another order's share is sent back on that one's page."""
    of_its_share = Posting.objects.filter(
        receipt=OuterRef("receipt"),
        at=OuterRef("recorded_at"),
        debit=f"{ORDER}{order.code}",
        code=Posting.Code.REFUND_DECIDED,
    )
    return list(Refund.objects.filter(Q(attempt__in=attempts) | Q(Exists(of_its_share))).order_by("id"))


def _badges(attempt: MpesaTransaction) -> list[words.Badge]:
    by_hand = [words.Badge("By hand")] if attempt.by_hand else []
    return [words.badge_of(attempt), *words.warnings(reasons_of(attempt)), *by_hand]


def _or_dash(cents: int) -> str:
    return words.on_one_line(words.kes_of(cents or None))
