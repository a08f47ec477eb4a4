"""The callback inbox in the desk: the list, and one delivery with what to do about it. No rule about money here."""

import logging
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from payments import gateway, manual
from payments.desk import words
from payments.desk.addresses import address, list_of, page_of
from payments.desk.inbox import figures
from payments.desk.lists import search
from payments.desk.lists.filters import ChoiceFilter, Choices, DaysFilter
from payments.desk.lists.rows import ManyRows
from payments.desk.pages import Button, DetailPage, refuse_without, row_or_404, show
from payments.manual import ActionRefused
from payments.models import PROBLEM_VERDICTS, CallbackDelivery

log = logging.getLogger(__name__)

AT_MOST = 100  # deliveries at once
READ_AGAIN = "payments.replay_delivery"
MARK = "payments.mark_looked_at"

Deliveries = QuerySet[CallbackDelivery]


class ProblemFilter(ChoiceFilter):
    title = "Needs a look"
    parameter_name = "problem"

    def choices_offered(self) -> Choices:
        return [("1", "Needs a look")]

    def chosen(self, rows: Deliveries, value: str) -> Deliveries:  # noqa: ARG002 — there is but one
        return rows.filter(verdict__in=PROBLEM_VERDICTS, reviewed_at=None)


@admin.register(CallbackDelivery)
class CallbackDeliveryAdmin(ManyRows, DetailPage):
    detail_template = "desk/delivery.html"
    list_display = ("came", "verdict_badge", "source", "payment", "looked")
    list_filter = (("verdict", ChoicesDropdownFilter), ProblemFilter, ("received_at", DaysFilter))
    list_disable_select_all = True
    list_select_related = ("attempt",)
    search_fields = ("checkout_request_id",)
    search_help_text = "The payment's order code, receipt, phone number, or checkout id"
    actions = ("read_selected", "mark_selected")

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
        return words.raised(figures.source(delivery))

    @display(description="Payment")
    def payment(self, delivery: CallbackDelivery) -> str | SafeString:
        if delivery.attempt is None:
            return words.NONE
        attempt = delivery.attempt
        return format_html('<a class="dk-link" href="{}">{}</a>', page_of(attempt), attempt.account_reference)

    @display(description="Looked at by")
    def looked(self, delivery: CallbackDelivery) -> str:
        return delivery.reviewed_by or words.NONE

    def found(self, rows: Deliveries, term: str) -> Deliveries:
        return search.by_their_payments(rows, term)

    # --- what is done about them --------------------------------------------------------------------------

    def has_read_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(READ_AGAIN)

    def has_mark_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MARK)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        needed = {"read_selected": READ_AGAIN, "mark_selected": MARK}.get(request.POST.get("action", ""))
        if needed:
            refuse_without(request, needed)
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
        told = {"title": title, "became": became, "back": list_of(CallbackDelivery)}
        return show(request, "desk/inbox_done.html", told, of=CallbackDelivery)

    def _read(self, request: HttpRequest, delivery: CallbackDelivery) -> str:
        by = request.user.get_username()
        verdict = manual.read_delivery_again(delivery.pk, by=by, now=gateway.now())
        told = f"Read once more: {words.lowered(verdict.label)}."
        self.log_change(request, delivery, told)
        return told

    def _mark(self, request: HttpRequest, delivery: CallbackDelivery) -> str:
        manual.mark_delivery_reviewed(delivery.pk, by=request.user.get_username(), now=gateway.now())
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
            refuse_without(request, permission)
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            delivery = row_or_404(CallbackDelivery.objects.all(), object_id)
            try:
                messages.success(request, do(request, delivery))
            except ActionRefused as refused:
                messages.warning(request, str(refused))
            return HttpResponseRedirect(page_of(delivery))

        return view

    def detail_rows(self, request: HttpRequest) -> Deliveries:
        return super().detail_rows(request).select_related("attempt")

    def detail(self, request: HttpRequest, row: CallbackDelivery) -> dict[str, Any]:
        meaning = figures.MEANINGS[row.verdict]
        return {
            "title": f"Callback {row.pk}",
            "delivery": row,
            "badges": _badges(row, meaning.tone),
            "sentence": figures.sentence(row),
            "notices": [meaning],
            "buttons": _buttons(request, row),
            "body": figures.body(row),
            "as_bytes": figures.dump(row),
            "timeline": figures.history(row),
        }


def _badges(delivery: CallbackDelivery, tone: str) -> list[words.Badge]:
    whose = "Safaricom's address" if delivery.from_safaricom else "Another address"
    needs_look = [] if manual.refusal_to_mark_delivery(delivery) else [words.Badge("Needs a look", "warn")]
    return [words.Badge(delivery.get_verdict_display(), tone), words.Badge(whose), *needs_look]


def _buttons(request: HttpRequest, delivery: CallbackDelivery) -> list[Button]:
    """What this person may do about it, and what makes sense."""
    may, found = request.user.has_perm, []
    if may(READ_AGAIN) and not manual.refusal_to_read_again(delivery):
        found.append(Button("read", "Read once more", address(delivery, "read", delivery.pk)))
    if may(MARK) and not manual.refusal_to_mark_delivery(delivery):
        found.append(Button("looked-at", "Mark as looked at", address(delivery, "mark", delivery.pk)))
    return found


def _became(do: Any, request: HttpRequest, delivery: CallbackDelivery) -> str:
    try:
        return str(do(request, delivery))
    except ActionRefused as refused:
        return str(refused)
    except Exception:  # one of many: the others are still to be done, and the log has the traceback
        log.exception("A selected callback could not be handled")
        return "It could not be done: the reason stands in the shop's log. Nothing was changed."
