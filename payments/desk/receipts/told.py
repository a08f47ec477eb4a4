"""Receipts that Safaricom's unsigned notices told of, and what it says of them when it is asked: a list. Read-only."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from djkraph.admin import ReadOnly
from payments.desk import words
from payments.desk.addresses import page_of
from payments.desk.lists.filters import DaysFilter
from payments.desk.lists.rows import ManyRows
from payments.models import Lookup

TONES = {"due": "info", "asked": "info", "confirmed": "ok", "denied": "bad"}


@admin.register(Lookup)
class LookupAdmin(ManyRows, ReadOnly, ModelAdmin):
    list_display = ("told", "receipt", "amount", "account_no", "how_far", "words")
    list_display_links = None
    list_filter = (("state", ChoicesDropdownFilter), ("told_at", DaysFilter))
    list_select_related = ("booked_as",)
    search_fields = ("code",)
    search_help_text = "Receipt"

    @display(description="Told", ordering="id")
    def told(self, row: Lookup) -> str:
        return words.on_one_line(words.moment(row.told_at))

    @display(description="Receipt")
    def receipt(self, row: Lookup) -> str | SafeString:
        if row.booked_as is None:
            return row.code
        return format_html('<a class="dk-link" href="{}">{}</a>', page_of(row.booked_as), row.code)

    @display(description="Amount, as told")
    def amount(self, row: Lookup) -> str:
        return words.on_one_line(words.kes(row.amount_kes))

    @display(description="What Safaricom says")
    def how_far(self, row: Lookup) -> SafeString:
        return format_html(
            '<span class="dk-badge dk-badge--{}">{}</span>', TONES[row.state], row.get_state_display()
        )

    def found(self, rows: QuerySet[Lookup], term: str) -> QuerySet[Lookup]:
        return rows.filter(code=term.strip().upper())

    def has_view_permission(self, request: HttpRequest, obj: Lookup | None = None) -> bool:
        return bool(super().has_view_permission(request, obj))
