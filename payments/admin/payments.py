"""Payments in the desk: the list and the page of one payment. Read-only for everybody; no rule about money here."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from djkraph.admin import ReadOnly
from payments import gateway
from payments.daraja import lookup
from payments.models import CallbackDelivery, MpesaTransaction, PaymentEvent
from payments.phones import NotAPhone, blank_phones, read_msisdn

STATE_COLOURS = {
    "Being sent": "info",
    "Waiting for the buyer": "info",
    "No answer: checking": "warning",
    "Paid": "success",
    "Not paid": "danger",
    "Expired": "danger",
}


class EventInline(ReadOnly, TabularInline):
    model = PaymentEvent
    fields = ("number", "at", "what", "source", "to_state", "words")
    readonly_fields = ("what", "words")
    ordering = ("number",)
    extra = 0
    verbose_name_plural = "What happened, in order"

    @display(description="What")
    def what(self, event: PaymentEvent) -> str:
        return event.kind.replace("_", " ")

    @display(description="Safaricom's words")
    def words(self, event: PaymentEvent) -> str:
        told = (event.facts.get(name, "") for name in ("code", "description", "receipt"))
        return " · ".join(word for word in told if word) or "—"


class DeliveryInline(ReadOnly, TabularInline):
    model = CallbackDelivery
    fields = ("received_at", "verdict", "source_address")
    ordering = ("id",)
    extra = 0
    verbose_name_plural = "Callback deliveries"


@admin.register(MpesaTransaction)
class MpesaTransactionAdmin(ReadOnly, ModelAdmin):
    list_display = ("order_code", "state_badge", "amount", "phone_masked", "receipt", "needs", "created_at")
    list_filter = ("state", "refund_due", "amount_differs", "came_late", "channel", "created_at")
    search_fields = (
        "receipt",
        "account_reference",
        "order__client_reference",
        "checkout_request_id",
        "public_id",
    )
    search_help_text = "Receipt, order code, the page's reference, full phone number, or checkout id"
    list_select_related = ("order",)
    show_full_result_count = False
    inlines = (EventInline, DeliveryInline)
    fieldsets = (
        ("Payment", {"fields": ("state_badge", "amount", "phone_masked", "receipt", "order", "needs")}),
        ("What Safaricom said", {"fields": ("result_code", "result_desc", "meaning", "paid_at")}),
        (
            "Particulars",
            {
                "classes": ("collapse",),
                "fields": (
                    "public_id",
                    "account_reference",
                    "description",
                    "channel",
                    "short_code",
                    "merchant_request_id",
                    "checkout_id",
                    "created_at",
                    "settled_at",
                    "checks",
                    "last_check_at",
                    "next_check_at",
                ),
            },
        ),
    )

    @display(description="Order", ordering="account_reference")
    def order_code(self, attempt: MpesaTransaction) -> str:
        return attempt.account_reference

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_badge(self, attempt: MpesaTransaction) -> str:
        return attempt.get_state_display()

    @display(description="Amount", ordering="amount_kes")
    def amount(self, attempt: MpesaTransaction) -> str:
        return f"KES {attempt.amount_kes:,}"

    @display(description="Needs a person")
    def needs(self, attempt: MpesaTransaction) -> str:
        reasons = []
        if attempt.refund_due:
            reasons.append("refund due")
        if attempt.amount_differs:
            reasons.append("another amount than asked")
        if attempt.state == "completed" and not attempt.receipt:
            reasons.append("receipt awaited")
        return ", ".join(reasons) or "—"

    @display(description="What it means")
    def meaning(self, attempt: MpesaTransaction) -> str:
        if not attempt.result_code:
            return "—"
        result = lookup(attempt.result_code)
        if attempt.state == "failed" and not result.final:
            return "Safaricom refused the request itself. The phone was not asked and nothing was charged."
        return result.staff

    @display(description="CheckoutRequestID (its end, the phone number, is blanked)")
    def checkout_id(self, attempt: MpesaTransaction) -> str:
        return blank_phones(attempt.checkout_request_id or "—")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[MpesaTransaction], search_term: str
    ) -> tuple[QuerySet[MpesaTransaction], bool]:
        """A full phone number is found through its keyed hash; the number itself stands in no row."""
        try:
            hashes = gateway.phone_hashes(read_msisdn(search_term))
        except NotAPhone:
            found: tuple[QuerySet[MpesaTransaction], bool]
            found = super().get_search_results(request, queryset, search_term)
            return found
        return queryset.filter(phone_hash__in=hashes), False
