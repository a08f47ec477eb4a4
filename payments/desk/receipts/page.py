"""Receipts in the desk: the list, and one receipt with where its money went. Read-only; no rule about money here."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from payments.attention import PART_TAKEN_BACK, UNCLAIMED_OTHERWISE, WAITS_FOR_BELIEF
from payments.desk import settlements, words
from payments.desk.addresses import address, page_of
from payments.desk.lists.filters import ChoiceFilter, Choices, DaysFilter
from payments.desk.lists.rows import ManyRows
from payments.desk.pages import Button, DetailPage
from payments.desk.receipts import actions, figures
from payments.desk.receipts.flows import flows
from payments.desk.reversals import figures as reversals
from payments.facts import (
    IS_TO_SEND_BACK,
    LEFT_UNDECIDED,
    LINE_IS_NOBODYS,
    WAS_REVERSED_UNSEEN,
)
from payments.models import Receipt

Receipts = QuerySet[Receipt]

WAITING = {
    "unclaimed": ("Nobody's yet", UNCLAIMED_OTHERWISE),
    "due": ("To send back", IS_TO_SEND_BACK),
    "reversed": ("Reversed", WAS_REVERSED_UNSEEN),
    "left": ("Nobody decided it", LEFT_UNDECIDED),
    "part_taken_back": ("Placed, and another's", PART_TAKEN_BACK),
}


class NeedsFilter(ChoiceFilter):
    """Receipts that wait for a person, by why."""

    title = "Needs a person"
    parameter_name = "needs"

    def choices_offered(self) -> Choices:
        return [("any", "For any reason"), *((key, label) for key, (label, _) in WAITING.items())]

    def chosen(self, rows: Receipts, value: str) -> Receipts:
        wanted = [applies for key, (_, applies) in WAITING.items() if value in ("any", key)]
        return rows.filter(Q(*wanted, _connector=Q.OR), voided_at=None)


@admin.register(Receipt)
class ReceiptAdmin(ManyRows, DetailPage):
    detail_template = "desk/receipt.html"
    list_display = ("at", "receipt", "what", "came", "went", "order_or_typed", "payer", "needs")
    list_display_links = ("at", "receipt")
    list_filter = (
        NeedsFilter,
        ("kind", ChoicesDropdownFilter),
        ("direction", ChoicesDropdownFilter),
        ("happened_at", DaysFilter),
    )
    list_select_related = ("attempt",)
    search_fields = ("code",)
    search_help_text = "Receipt, order code, what the customer typed, or full phone number"

    @display(description="Time", ordering="happened_at")
    def at(self, receipt: Receipt) -> str:
        return words.on_one_line(words.moment(receipt.happened_at or receipt.told_at))

    @display(description="Receipt")
    def receipt(self, receipt: Receipt) -> str:
        return receipt.code or "awaited"

    @display(description="What")
    def what(self, receipt: Receipt) -> str:
        return "Found never to have been" if receipt.voided_at else figures.kind_of(receipt)

    @display(description="In", ordering="amount_cents")
    def came(self, receipt: Receipt) -> str:
        return _amount(receipt, Receipt.Direction.IN)

    @display(description="Out", ordering="amount_cents")
    def went(self, receipt: Receipt) -> str:
        return _amount(receipt, Receipt.Direction.OUT)

    @display(description="Account number")
    def order_or_typed(self, receipt: Receipt) -> str:
        return receipt.account_no or words.NONE

    @display(description="From or to")
    def payer(self, receipt: Receipt) -> str:
        return receipt.payer_masked or words.NONE

    @display(description="Needs a person", label=True)
    def needs(self, receipt: Receipt) -> list[str]:
        return [need.label for need in _needs(receipt)]

    def get_queryset(self, request: HttpRequest) -> Receipts:
        return super().get_queryset(request).annotate(waits=WAITS_FOR_BELIEF, part_taken_back=PART_TAKEN_BACK)  # type: ignore[no-any-return]

    def found(self, rows: Receipts, term: str) -> Receipts:
        return figures.found(rows, term)

    def detail_rows(self, request: HttpRequest) -> Receipts:
        return super().detail_rows(request).select_related("attempt", "reverses")

    def get_urls(self) -> list[URLPattern]:
        return [*actions.urls(), *super().get_urls()]

    def detail(self, request: HttpRequest, row: Receipt) -> dict[str, Any]:
        postings = figures.postings_of(row)
        parts = figures.shares(row, flows(postings)) if not row.voided_at else []
        needs = _needs(row)
        return {
            "title": f"Receipt {row.code or 'awaited'}",
            "receipt": row,
            "badges": [_badge(row), *(words.Badge(need.label, "warn") for need in needs)],
            "sentence": figures.sentence(row, parts),
            "notices": needs,
            "buttons": _buttons(request, row),
            "proposals": settlements.waiting(request, _about(row)),
            "shares": parts,
            "reversals": list(row.reversals.filter(voided_at=None).order_by("id")),
            "refunds": list(figures.refunds_of(row)),
            "ordered_back": list(reversals.of_receipt(row)),
            "lines": list(figures.lines_of(row)),
            "deliveries": list(row.attempt.deliveries.order_by("id")) if row.attempt else [],
            "postings": postings if request.user.has_perm("payments.view_posting") else [],
        }


def _about(receipt: Receipt) -> Q:
    """What was decided about its money, as a receipt's, a statement's line's or a payment's."""
    of_its_payment = Q(attempt=receipt.attempt_id) if receipt.attempt_id is not None else Q()
    return Q(money=receipt) | Q(refund__receipt=receipt) | Q(line__booked_as=receipt) | of_its_payment


def _amount(receipt: Receipt, direction: str) -> str:
    return words.on_one_line(words.kes_of(receipt.amount_cents if receipt.direction == direction else None))


def _needs(receipt: Receipt) -> list[figures.Need]:
    """Of a receipt as the list and the page read it."""
    if receipt.voided_at:
        return []
    read: Any = receipt
    return figures.needs(receipt, waits=read.waits, part_taken_back=read.part_taken_back)


def _badge(receipt: Receipt) -> words.Badge:
    if receipt.voided_at:
        return words.Badge("Found never to have been", "bad")
    return words.Badge(figures.kind_of(receipt), "ok" if receipt.kind == Receipt.Kind.PAYMENT else "")


def _buttons(request: HttpRequest, receipt: Receipt) -> list[Button]:
    """What this person may do with its money: each leads to the page where it is done."""
    may, found = request.user.has_perm, []
    whole = receipt.unclaimed_cents == receipt.amount_cents  # a line is attached whole or not at all
    line = receipt.lines.filter(LINE_IS_NOBODYS).first() if whole else None
    if line is not None and may("payments.attach_money"):
        found.append(Button("attach", "Attach to an order …", page_of(line), opens=True, main=True))
    if receipt.due_cents and receipt.attempt and may("payments.record_refund"):
        form = address(receipt.attempt, "refund", receipt.attempt.pk)
        found.append(Button("refund", "Refund recorded …", form, opens=True, main=True))
    return [*found, *actions.buttons(request, receipt)]
