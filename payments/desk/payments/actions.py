"""What staff do on a payment's page: permission, form, one call, a message. No rule about money here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from payments import manual
from payments.desk.payments.forms import DeclineForm, NoteForm, RefundForm, SettleForm
from payments.desk.words import kes, moment
from payments.enquiries import Outcome
from payments.manual import ActionRefused, Row
from payments.models import HandSettlement, MpesaTransaction

ADDRESS = "admin:payments_mpesatransaction_"


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing to do with one payment. `do` makes the one call (manual/) and returns what to tell the person.

    `refusal`: empty where it makes sense for the payment as it stands; else it is not offered, and refused in these
    words. `form`: None where a button is enough.
    """

    name: str
    label: str
    icon: str
    permission: str
    do: Callable[[MpesaTransaction, dict[str, Any], str], str]
    refusal: Callable[[Row], str] = lambda _row: ""
    form: type[forms.Form] | None = None
    lead: str = ""  # a sentence above the form
    main: bool = False


def _ask(attempt: MpesaTransaction, _told: Mapping[str, Any], by: str) -> str:
    asked = manual.ask_now(attempt.pk, by=by, clock=timezone.now)
    return told_of(asked)


def told_of(asked: manual.Asked) -> str:
    if asked.outcome is Outcome.NOT_ASKED:
        free_at = asked.again_at
        later = f"Try again at {moment(free_at)[-8:]}." if free_at else "Try again in a moment."
        return (
            f"Not asked just now: Safaricom allows only so many questions, or could not be reached. {later}"
        )
    return {
        Outcome.PAID: "Safaricom says: paid.",
        Outcome.NOT_PAID: "Safaricom says: not paid.",
        Outcome.PROCESSING: "Safaricom says: still waiting for the buyer.",
        Outcome.NO_ANSWER: "Safaricom took the question and had no answer yet.",
    }[asked.outcome]


def _note(attempt: MpesaTransaction, told: Mapping[str, Any], by: str) -> str:
    manual.write_note(attempt.pk, text=told["text"], by=by, now=timezone.now())
    return "The note is kept."


def _mark(attempt: MpesaTransaction, _told: Mapping[str, Any], by: str) -> str:
    manual.mark_reviewed(attempt.pk, by=by, now=timezone.now())
    return "Marked as looked at."


def _settle(attempt: MpesaTransaction, told: Mapping[str, Any], by: str) -> str:
    settled = manual.propose_settlement(attempt.pk, told["claim"], by=by, now=timezone.now())
    if settled.decision == HandSettlement.Decision.WAITING:
        return f"{kes(settled.amount_kes)} is above the limit for one person: a second one must confirm it."
    return "Settled."


def _refund(attempt: MpesaTransaction, told: Mapping[str, Any], by: str) -> str:
    manual.record_refund(
        attempt.pk,
        reference=told["reference"],
        amount_kes=told["amount_kes"],
        reason=told["reason"],
        by=by,
        now=timezone.now(),
    )
    return "The refund is recorded."


def _refusal_to_settle(row: Row) -> str:
    if manual.waiting_settlement(row.id) is not None:
        return "A settlement of this payment waits for a second person already."
    return manual.refusal_to_settle(row, now=timezone.now())


ACTIONS = (
    Action(
        name="ask",
        label="Ask Safaricom now",
        icon="contact_support",
        permission="payments.ask_safaricom",
        do=_ask,
        refusal=manual.refusal_to_ask,
        main=True,
    ),
    Action(
        name="settle",
        label="Settle by hand …",
        icon="gavel",
        permission="payments.settle_by_hand",
        do=_settle,
        refusal=_refusal_to_settle,
        form=SettleForm,
        lead="Only with evidence that the money is with us: you vouch for it with your name.",
    ),
    Action(
        name="refund",
        label="Refund recorded …",
        icon="undo",
        permission="payments.record_refund",
        do=_refund,
        refusal=manual.refusal_to_refund,
        form=RefundForm,
        lead="First send the money back in the M-PESA portal. Here you only note that it was done.",
    ),
    Action(
        name="looked-at",
        label="Mark looked at",
        icon="visibility",
        permission="payments.mark_looked_at",
        do=_mark,
        refusal=manual.refusal_to_mark,
    ),
    Action(
        name="note",
        label="Keep note",
        icon="edit_note",
        permission="payments.write_note",
        do=_note,
        form=NoteForm,
        lead="For whoever opens this payment next.",
    ),
)


def urls(model_admin: "ModelAdmin[MpesaTransaction]") -> list[URLPattern]:
    """The addresses of all actions of one payment, and of deciding a proposed settlement."""
    wrap = model_admin.admin_site.admin_view
    found = [
        path(
            f"<path:object_id>/{action.name}/",
            wrap(_view_of(action, model_admin)),
            name=f"payments_mpesatransaction_{action.name}",
        )
        for action in ACTIONS
    ]
    return [
        *found,
        path(
            "<path:object_id>/settlement/<int:settlement_id>/<str:verdict>/",
            wrap(_decide_settlement),
            name="payments_mpesatransaction_settlement",
        ),
    ]


def offered(request: HttpRequest, attempt: MpesaTransaction) -> list[Action]:
    """What this person may do with this payment, and what makes sense."""
    may = request.user.has_perm
    return [action for action in ACTIONS if may(action.permission) and not action.refusal(attempt)]


def page_of(attempt_id: int) -> str:
    return reverse(f"{ADDRESS}change", args=[attempt_id])


def attempt_or_404(object_id: str) -> MpesaTransaction:
    number = int(object_id) if object_id.isascii() and object_id.isdigit() and len(object_id) < 18 else 0
    attempt = MpesaTransaction.objects.select_related("order").filter(pk=number).first()
    if attempt is None:
        raise Http404("There is no such payment.")
    return attempt


def _view_of(action: Action, model_admin: "ModelAdmin[MpesaTransaction]") -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, object_id: str) -> HttpResponse:
        _refuse_without(request, action.permission)
        attempt = attempt_or_404(object_id)
        if action.form is None and request.method != "POST":
            return HttpResponseRedirect(page_of(attempt.pk))  # from the log-in page, after an idle time
        if refusal := action.refusal(attempt):
            messages.warning(request, refusal)
            return HttpResponseRedirect(page_of(attempt.pk))
        form = action.form(request.POST or None, initial=_suggested(attempt)) if action.form else None
        if request.method == "POST" and (form is None or form.is_valid()):
            done = _done(request, action, attempt, form)
            if done is not None:
                return done
        context = {
            **model_admin.admin_site.each_context(request),
            "title": f"{action.label.removesuffix(' …')}: {attempt.account_reference}",
            "opts": MpesaTransaction._meta,
            "original": attempt,
            "action": action,
            "attempt": attempt,
            "form": form,
            "back": page_of(attempt.pk),
        }
        return TemplateResponse(
            request, "desk/action.html", context, status=400 if form and form.errors else 200
        )

    return view


def _done(
    request: HttpRequest, action: Action, attempt: MpesaTransaction, form: forms.Form | None
) -> HttpResponse | None:
    """Makes the call; None: it was refused, and the form says why."""
    told = {**form.cleaned_data, **_claim(form)} if form else {}
    try:
        message = action.do(attempt, told, request.user.get_username())
    except ActionRefused as refused:
        if form is None:
            messages.warning(request, str(refused))
            return HttpResponseRedirect(page_of(attempt.pk))
        form.add_error(None, str(refused))
        return None
    messages.success(request, message)
    return HttpResponseRedirect(page_of(attempt.pk))


def _claim(form: forms.Form) -> dict[str, Any]:
    return {"claim": form.claim()} if isinstance(form, SettleForm) else {}


def _suggested(attempt: MpesaTransaction) -> dict[str, Any]:
    """What is known already: a receipt, and the refund of all that came. An amount is never suggested for settling:
    it must be read from the evidence."""
    return {"receipt": attempt.receipt or ""}


def _decide_settlement(
    request: HttpRequest, object_id: str, settlement_id: int, verdict: str
) -> HttpResponse:
    _refuse_without(request, "payments.settle_by_hand")
    attempt = attempt_or_404(object_id)
    if request.method != "POST":
        return HttpResponseRedirect(page_of(attempt.pk))
    if not HandSettlement.objects.filter(id=settlement_id, attempt=attempt).exists():
        raise Http404("There is no such settlement.")
    try:
        messages.success(request, _decide(request, settlement_id, verdict))
    except ActionRefused as refused:
        messages.warning(request, str(refused))
    return HttpResponseRedirect(page_of(attempt.pk))


def _decide(request: HttpRequest, settlement_id: int, verdict: str) -> str:
    by, now = request.user.get_username(), timezone.now()
    if verdict == "confirm":
        manual.confirm_settlement(settlement_id, by=by, now=now)
        return "Confirmed: the payment is settled."
    if verdict != "decline":
        raise Http404("There is nothing at this address.")
    form = DeclineForm(request.POST)
    if not form.is_valid():
        raise ActionRefused("Say in a few words why it is declined.")
    manual.decline_settlement(settlement_id, why=form.cleaned_data["why"], by=by, now=now)
    return "Declined: nothing was settled."


def _refuse_without(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied
