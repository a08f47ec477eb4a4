"""The callback inbox in the desk: the list, and one delivery with what to do about it. No rule about money here."""

import logging
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from djkraph.admin import ReadOnly
from payments import manual
from payments.desk import words
from payments.desk.inbox import figures
from payments.desk.lists import search
from payments.desk.lists.filters import DaysFilter
from payments.desk.lists.pager import InfinitePaginator
from payments.manual import ActionRefused
from payments.models import PROBLEM_VERDICTS, CallbackDelivery

log = logging.getLogger(__name__)

AT_MOST = 100  # deliveries at once
READ_AGAIN = "payments.replay_delivery"
MARK = "payments.mark_looked_at"

Deliveries = QuerySet[CallbackDelivery]


class ProblemFilter(admin.SimpleListFilter):
    title = "Needs a look"
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:  # noqa: ARG002 — Django's
        return [("1", "Needs a look")]

    def queryset(self, request: HttpRequest, queryset: Deliveries) -> Deliveries:  # noqa: ARG002 — Django's
        if self.value() != "1":
            return queryset
        return queryset.filter(verdict__in=PROBLEM_VERDICTS, reviewed_at=None)


@admin.register(CallbackDelivery)
class CallbackDeliveryAdmin(ReadOnly, ModelAdmin):
    list_display = ("came", "verdict_badge", "source", "payment", "looked")
    list_filter = (("verdict", ChoicesDropdownFilter), ProblemFilter, ("received_at", DaysFilter))
    list_filter_submit = True
    list_per_page = AT_MOST // 2
    list_disable_select_all = True
    list_select_related = ("attempt",)
    search_fields = ("checkout_request_id",)  # shows the box; what is found is found by the payment
    search_help_text = "The payment's order code, receipt, phone number, or checkout id"
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = ("read_selected", "mark_selected")
    ordering = ("-id",)

    # --- the list -----------------------------------------------------------------------------------------

    @display(description="Came", ordering="id")
    def came(self, delivery: CallbackDelivery) -> str:
        return words.moment(delivery.received_at)

    @display(
        description="What became of it",
        label={
            CallbackDelivery.Verdict(key).label: meaning.colour for key, meaning in figures.MEANINGS.items()
        },
    )
    def verdict_badge(self, delivery: CallbackDelivery) -> str:
        return delivery.get_verdict_display()

    @display(description="From")
    def source(self, delivery: CallbackDelivery) -> str:
        told = figures.source(delivery)
        return f"{told[0].upper()}{told[1:]}"

    @display(description="Payment")
    def payment(self, delivery: CallbackDelivery) -> str | SafeString:
        if delivery.attempt is None:
            return "—"
        page = reverse("admin:payments_mpesatransaction_change", args=[delivery.attempt.pk])
        return format_html('<a class="dk-link" href="{}">{}</a>', page, delivery.attempt.account_reference)

    @display(description="Looked at by")
    def looked(self, delivery: CallbackDelivery) -> str:
        return delivery.reviewed_by or "—"

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: Deliveries,
        search_term: str,
    ) -> tuple[Deliveries, bool]:
        return search.by_their_payments(queryset, search_term), False

    # --- what is done about them --------------------------------------------------------------------------

    def has_read_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(READ_AGAIN)

    def has_mark_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MARK)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        needed = {"read_selected": READ_AGAIN, "mark_selected": MARK}.get(request.POST.get("action", ""))
        if needed and not request.user.has_perm(needed):
            raise PermissionDenied
        answer: HttpResponse = super().changelist_view(request, extra_context)
        return answer

    @action(description="Read the selected ones once more", permissions=["read"])
    def read_selected(self, request: HttpRequest, queryset: Deliveries) -> HttpResponse | None:
        return self._for_each(request, queryset, "Read once more", self._read)

    @action(description="Mark the selected ones as looked at", permissions=["mark"])
    def mark_selected(self, request: HttpRequest, queryset: Deliveries) -> HttpResponse | None:
        return self._for_each(request, queryset, "Marked as looked at", self._mark)

    def _for_each(
        self, request: HttpRequest, queryset: Deliveries, title: str, do: Any
    ) -> HttpResponse | None:
        """Does it to each, oldest first, and shows what came of each. One that fails stops no other."""
        chosen = list(queryset.order_by("id")[: AT_MOST + 1])
        if len(chosen) > AT_MOST:
            messages.warning(request, f"Nothing was done: choose at most {AT_MOST} at once.")
            return None
        became = [(delivery, _became(do, request, delivery)) for delivery in chosen]
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "became": became,
            "back": reverse("admin:payments_callbackdelivery_changelist"),
        }
        return TemplateResponse(request, "desk/inbox_done.html", context)

    def _read(self, request: HttpRequest, delivery: CallbackDelivery) -> str:
        by = request.user.get_username()
        verdict = manual.read_delivery_again(delivery.pk, by=by, now=timezone.now())
        told = f"Read once more: {verdict.label[0].lower()}{verdict.label[1:]}."
        self.log_change(request, delivery, told)
        return told

    def _mark(self, request: HttpRequest, delivery: CallbackDelivery) -> str:
        manual.mark_delivery_reviewed(delivery.pk, by=request.user.get_username(), now=timezone.now())
        return "Marked as looked at."

    # --- one delivery -------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "payments_callbackdelivery_"
        return [
            path("<path:object_id>/read/", wrap(self._act_view(READ_AGAIN, self._read)), name=f"{name}read"),
            path("<path:object_id>/looked-at/", wrap(self._act_view(MARK, self._mark)), name=f"{name}mark"),
            *super().get_urls(),
        ]

    def _act_view(self, permission: str, do: Any) -> Any:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            delivery = self._delivery_or_404(request, object_id)
            try:
                messages.success(request, do(request, delivery))
            except ActionRefused as refused:
                messages.warning(request, str(refused))
            return HttpResponseRedirect(reverse("admin:payments_callbackdelivery_change", args=[delivery.pk]))

        return view

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        delivery = self._delivery_or_404(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Callback {delivery.pk}",
            "opts": self.opts,
            "original": delivery,
            **_page(request, delivery),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "desk/delivery.html", context)

    def _delivery_or_404(self, request: HttpRequest, object_id: str) -> CallbackDelivery:
        found = self.get_object(request, object_id)
        if not isinstance(found, CallbackDelivery):
            raise Http404("There is no such callback.")
        return found


def _page(request: HttpRequest, delivery: CallbackDelivery) -> dict[str, Any]:
    kind = ContentType.objects.get_for_model(CallbackDelivery)
    done = LogEntry.objects.filter(content_type=kind, object_id=str(delivery.pk))
    return {
        "delivery": delivery,
        "meaning": figures.MEANINGS[delivery.verdict],
        "sentence": figures.sentence(delivery),
        "source": figures.source(delivery),
        "body": figures.body(delivery),
        "done": done.select_related("user").order_by("action_time", "id"),
        "needs_look": not manual.refusal_to_mark_delivery(delivery),
        "may_read": request.user.has_perm(READ_AGAIN) and not manual.refusal_to_read_again(delivery),
        "may_mark": request.user.has_perm(MARK) and not manual.refusal_to_mark_delivery(delivery),
    }


def _became(do: Any, request: HttpRequest, delivery: CallbackDelivery) -> str:
    try:
        return str(do(request, delivery))
    except ActionRefused as refused:
        return str(refused)
    except Exception:  # one of many: the others are still to be done, and the log has the traceback
        log.exception("A selected callback could not be handled")
        return "It could not be done: the reason stands in the shop's log. Nothing was changed."
