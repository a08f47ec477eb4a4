"""The audit trail in the desk: every event of every payment, newest first, in words. Nobody can change one."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from payments.desk import words
from payments.desk.addresses import page_of
from payments.desk.lists import search
from payments.desk.lists.filters import ChoiceFilter, Choices, DaysFilter
from payments.desk.lists.rows import ManyRows
from payments.desk.pages import row_or_404
from payments.desk.payments import timeline
from payments.models import PaymentEvent

PERMISSION = "payments.see_audit"

Events = QuerySet[PaymentEvent]


class KindFilter(ChoiceFilter):
    title = "What"
    parameter_name = "kind"

    def choices_offered(self) -> Choices:
        return [(kind, words.raised(kind.replace("_", " "))) for kind in timeline.KINDS]

    def chosen(self, rows: Events, value: str) -> Events:
        return rows.filter(kind=value)


class PersonFilter(ChoiceFilter):
    title = "Who"
    parameter_name = "by"

    def choices_offered(self) -> Choices:
        return [(name, name) for name in User.objects.order_by("username").values_list("username", flat=True)]

    def offers(self, value: str) -> bool:  # noqa: ARG002 — the history may name who is here no more
        return True

    def chosen(self, rows: Events, value: str) -> Events:
        took_part = Q(facts__by=value) | Q(facts__confirmed_by=value)
        return rows.filter(took_part, source=PaymentEvent.Source.STAFF)


@admin.register(PaymentEvent)
class PaymentEventAdmin(ManyRows):
    list_display = ("when", "payment", "what", "who", "said")
    list_display_links = ("when",)
    list_filter = (("source", ChoicesDropdownFilter), KindFilter, PersonFilter, ("at", DaysFilter))
    list_select_related = ("attempt",)
    search_fields = ("attempt__receipt",)
    search_help_text = "The payment's order code, receipt, full phone number, or checkout id"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_view_permission(self, request: HttpRequest, obj: PaymentEvent | None = None) -> bool:  # noqa: ARG002
        return request.user.has_perm(PERMISSION)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 — Django's
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002 — Django's
    ) -> HttpResponse:
        """An event is read among the others of its payment."""
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        event = row_or_404(PaymentEvent.objects.select_related("attempt"), object_id)
        return HttpResponseRedirect(page_of(event.attempt))

    @display(description="When", ordering="id")
    def when(self, event: PaymentEvent) -> str:
        return words.on_one_line(words.moment(event.at))

    @display(description="Payment")
    def payment(self, event: PaymentEvent) -> SafeString:
        attempt = event.attempt
        return format_html(
            '<a class="dk-link" href="{}">{}</a><br>{}',
            page_of(attempt),
            attempt.account_reference,
            attempt.phone_masked,
        )

    @display(description="What happened")
    def what(self, event: PaymentEvent) -> str:
        return timeline.entry(event).title

    @display(description="Who")
    def who(self, event: PaymentEvent) -> str:
        return timeline.entry(event).who

    @display(description="In their words")
    def said(self, event: PaymentEvent) -> str:
        return timeline.entry(event).words or words.NONE

    def found(self, rows: Events, term: str) -> Events:
        return search.by_their_payments(rows, term)
