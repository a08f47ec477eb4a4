"""What staff do with an order to send money back: stop it, say that it never went, say that they have looked. And the
form that orders one. Permission, form, one call, a message. No rule about money here."""

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from orders.models import MAX_TOTAL_KES
from payments import gateway, manual
from payments.desk import settlements
from payments.desk.addresses import address, page_of
from payments.desk.pages import Button, refuse_without, row_or_404, show
from payments.desk.settlements import UndoForm, reason_field
from payments.facts import REVERSAL_FAILED
from payments.manual import ActionRefused
from payments.models import HandSettlement, Reversal

NEVER_WENT = "payments.undo_decision"
REVIEW = "payments.mark_looked_at"


SENT_BACK = "Safaricom is asked to send it back. How far it is stands under Sent back by M-PESA."


class SendBackForm(forms.Form):
    amount_kes = forms.IntegerField(
        label="Amount that goes back (KES)",
        min_value=1,
        max_value=MAX_TOTAL_KES,
        help_text="All of it, or a part. Safaricom does so once for each receipt: the rest can only go by the portal.",
    )
    reason = reason_field("Why", at_least=5, rows=2)


def urls() -> list[URLPattern]:
    wrap = admin.site.admin_view
    return [
        path("<path:object_id>/never-went/", wrap(_never_went), name="payments_reversal_never-went"),
        path("<path:object_id>/looked-at/", wrap(_reviewed), name="payments_reversal_looked-at"),
    ]


def buttons(request: HttpRequest, row: Reversal) -> list[Button]:
    may, found = request.user.has_perm, []
    if may(NEVER_WENT) and not _refusal(row):
        found.append(Button("never-went", _label(row), address(row, "never-went", row.pk), opens=True))
    if may(REVIEW) and Reversal.objects.filter(REVERSAL_FAILED, pk=row.pk).exists():
        found.append(Button("looked-at", "Mark looked at", address(row, "looked-at", row.pk)))
    return found


def _label(row: Reversal) -> str:
    return "Stop it …" if row.state == Reversal.State.DUE else "It never went …"


def _refusal(row: Reversal) -> str:
    waits = HandSettlement.objects.filter(
        money=row.receipt_id, what=HandSettlement.What.NEVER_WENT, decision=HandSettlement.Decision.WAITING
    )
    if waits.exists():
        return "That waits for a second person already."
    return manual.refusal_to_say_never_went(row, now=gateway.now())


def _never_went(request: HttpRequest, object_id: str) -> HttpResponse:
    refuse_without(request, NEVER_WENT)
    row = row_or_404(Reversal.objects.select_related("receipt"), object_id)
    if refusal := _refusal(row):
        messages.warning(request, refusal)
        return HttpResponseRedirect(page_of(row))
    form = UndoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by, reason = request.user.get_username(), form.cleaned_data["reason"]
        try:
            said = manual.say_never_went(row.pk, reason=reason, by=by, now=gateway.now())
        except ActionRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, settlements.outcome(said, "Ended: the money counts as here."))
            return HttpResponseRedirect(page_of(row))
    words = _label(row).removesuffix(" …")
    told = {"title": f"{words}: {row}", "row": row, "form": form, "button": words, "back": page_of(row)}
    return show(request, "desk/reversal_action.html", told, of=row, status=400 if form.errors else 200)


def _reviewed(request: HttpRequest, object_id: str) -> HttpResponse:
    refuse_without(request, REVIEW)
    row = row_or_404(Reversal.objects.all(), object_id)
    if request.method == "POST":
        try:
            manual.mark_reversal_reviewed(row.pk, by=request.user.get_username(), now=gateway.now())
        except ActionRefused as refused:
            messages.warning(request, str(refused))
        else:
            messages.success(request, "Marked as looked at.")
    return HttpResponseRedirect(page_of(row))
