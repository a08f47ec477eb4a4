"""The audit trail in the desk: every event of every payment, newest first, in words. Nobody can change one."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from djkraph.admin import ReadOnly
from payments.desk import words
from payments.desk.lists import search
from payments.desk.lists.filters import DaysFilter
from payments.desk.lists.pager import InfinitePaginator
from payments.desk.payments import timeline
from payments.models import PaymentEvent

PERMISSION = "payments.see_audit"

Events = QuerySet[PaymentEvent]


class KindFilter(admin.SimpleListFilter):
    title = "What"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:  # noqa: ARG002 — Django's
        return [(kind, kind.replace("_", " ").capitalize()) for kind in timeline.KINDS]

    def queryset(self, request: HttpRequest, queryset: Events) -> Events:  # noqa: ARG002 — Django's
        return queryset.filter(kind=self.value()) if self.value() in timeline.KINDS else queryset


class PersonFilter(admin.SimpleListFilter):
    title = "Who"
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:  # noqa: ARG002 — Django's
        return [(name, name) for name in User.objects.order_by("username").values_list("username", flat=True)]

    def queryset(self, request: HttpRequest, queryset: Events) -> Events:  # noqa: ARG002 — Django's
        if not self.value():
            return queryset
        took_part = Q(facts__by=self.value()) | Q(facts__confirmed_by=self.value())
        return queryset.filter(took_part, source=PaymentEvent.Source.STAFF)


@admin.register(PaymentEvent)
class PaymentEventAdmin(ReadOnly, ModelAdmin):
    list_display = ("when", "payment", "what", "who", "said")
    list_display_links = ("when",)
    list_filter = (("source", ChoicesDropdownFilter), KindFilter, PersonFilter, ("at", DaysFilter))
    list_filter_submit = True
    list_per_page = 50
    list_select_related = ("attempt",)
    search_fields = ("attempt__receipt",)  # shows the box; what is found is found by the payment
    search_help_text = "The payment's order code, receipt, full phone number, or checkout id"
    paginator = InfinitePaginator
    show_full_result_count = False
    ordering = ("-id",)

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
        event = self.get_object(request, object_id)
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        if event is None:
            raise Http404
        return HttpResponseRedirect(_payments_page(event))

    @display(description="When", ordering="id")
    def when(self, event: PaymentEvent) -> str:
        return words.on_one_line(words.moment(event.at))

    @display(description="Payment")
    def payment(self, event: PaymentEvent) -> SafeString:
        attempt = event.attempt
        return format_html(
            '<a class="dk-link" href="{}">{}</a><br>{}',
            _payments_page(event),
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
        return timeline.entry(event).words or "—"

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 — Django's
        queryset: Events,
        search_term: str,
    ) -> tuple[Events, bool]:
        return search.by_their_payments(queryset, search_term), False


def _payments_page(event: PaymentEvent) -> str:
    return reverse("admin:payments_mpesatransaction_change", args=[event.attempt_id])
