"""What staff do with a recorded refund: say that it never left. Permission, form, one call, a message. No rule about
money here."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from payments import gateway, manual
from payments.desk import settlements
from payments.desk.addresses import address, page_of
from payments.desk.pages import Button, refuse_without, row_or_404, show
from payments.desk.settlements import UndoForm
from payments.manual import ActionRefused
from payments.models import HandSettlement, Refund

UNDO = "payments.undo_decision"
LABEL = "Refund never left …"


def urls() -> list[URLPattern]:
    return [path("<path:object_id>/undo/", admin.site.admin_view(_undo), name="payments_refund_undo")]


def buttons(request: HttpRequest, refund: Refund) -> list[Button]:
    if not request.user.has_perm(UNDO) or manual.refusal_to_undo_refund(refund) or _waits(refund):
        return []
    return [Button("undo", LABEL, address(refund, "undo", refund.pk), opens=True)]


def _waits(refund: Refund) -> bool:
    return refund.decisions.filter(decision=HandSettlement.Decision.WAITING).exists()


def _undo(request: HttpRequest, object_id: str) -> HttpResponse:
    refuse_without(request, UNDO)
    refund = row_or_404(Refund.objects.select_related("receipt", "attempt"), object_id)
    if refusal := manual.refusal_to_undo_refund(refund):
        messages.warning(request, refusal)
        return HttpResponseRedirect(page_of(refund))
    form = UndoForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            done = _done(refund, form.cleaned_data["reason"], request.user.get_username())
        except ActionRefused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, done)
            return HttpResponseRedirect(page_of(refund))
    words = LABEL.removesuffix(" …")
    told = {
        "title": f"{words}: {refund}",
        "refund": refund,
        "form": form,
        "button": words,
        "back": page_of(refund),
    }
    return show(request, "desk/refund_action.html", told, of=refund, status=400 if form.errors else 200)


def _done(refund: Refund, reason: str, by: str) -> str:
    undone = manual.undo_refund(refund.pk, reason=reason, by=by, now=gateway.now())
    return settlements.outcome(
        undone, f"The refund {refund.reference} is taken back: its money is here again."
    )
