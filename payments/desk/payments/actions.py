"""What staff do on a payment's page: permission, form, one call, a message. No rule about money here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from payments import gateway, ledger, manual
from payments.desk import settlements
from payments.desk.addresses import address, page_of
from payments.desk.pages import Button, refuse_without, row_or_404, show
from payments.desk.payments import asking, story
from payments.desk.payments.forms import NoteForm, SettleForm
from payments.desk.reversals.actions import SENT_BACK, SendBackForm
from payments.desk.settlements import RefundForm, UndoForm
from payments.enquiries import Outcome
from payments.facts import is_paid
from payments.manual import ActionRefused, Row
from payments.models import HandSettlement, MpesaTransaction, Refund

SETTLE = "payments.settle_by_hand"
UNDO = "payments.undo_decision"


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing to do with one payment. `do` makes the one call (manual/) and returns what to tell the person, or the
    page where it goes on.

    `refusal`: empty where it makes sense for the payment as it stands; else it is not offered, and refused in these
    words. `form`: None where a button is enough.
    """

    name: str
    label: str
    icon: str
    permission: str
    do: Callable[[MpesaTransaction, dict[str, Any], str], str | HttpResponse]
    refusal: Callable[[Row], str] = lambda _row: ""
    form: type[forms.Form] | None = None
    lead: str = ""  # a sentence above the form
    advice: Callable[[MpesaTransaction], str] = lambda _attempt: ""  # and one of this payment
    main: bool = False

    @property
    def words(self) -> str:
        """Its label where the form is open already."""
        return self.label.removesuffix(" …")

    def button(self, attempt: MpesaTransaction) -> Button:
        return Button(
            name=self.name,
            label=self.label,
            address=address(attempt, self.name, attempt.pk),
            opens=self.form is not None,
            main=self.main,
        )


def _ask(attempt: MpesaTransaction, _told: Mapping[str, Any], by: str) -> str | HttpResponse:
    asked = manual.ask_now(attempt.pk, by=by, clock=gateway.now)
    if asked.outcome is Outcome.NOT_ASKED:
        return HttpResponseRedirect(asking.address_for([attempt.pk]))
    return asking.told_of(asked)


def _note(attempt: MpesaTransaction, told: Mapping[str, Any], by: str) -> str:
    manual.write_note(attempt.pk, text=told["text"], by=by, now=gateway.now())
    return "The note is kept."


def _mark(attempt: MpesaTransaction, _told: Mapping[str, Any], by: str) -> str:
    manual.mark_reviewed(attempt.pk, by=by, now=gateway.now())
    return "Marked as looked at."


def _settle(attempt: MpesaTransaction, told: Mapping[str, Any], by: str) -> str:
    settled = manual.propose_settlement(attempt.pk, told["claim"], by=by, now=gateway.now())
    return settlements.outcome(settled, "Settled.")


def _refund(attempt: MpesaTransaction, told: Mapping[str, Any], by: str) -> str:
    recorded = manual.record_refund(
        attempt.pk,
        reference=told["reference"],
        amount_kes=told["amount_kes"],
        reason=told["reason"],
        by=by,
        now=gateway.now(),
    )
    return settlements.outcome(recorded, "The refund is recorded.")


def _send_back(attempt: MpesaTransaction, told: Mapping[str, Any], by: str) -> str:
    receipt = ledger.valid_receipt(attempt.pk)
    if receipt is None:
        raise ActionRefused("No money has come with it, so there is none to send back.")
    ordered = manual.send_back(
        receipt.pk, amount_kes=told["amount_kes"], reason=told["reason"], by=by, now=gateway.now()
    )
    return settlements.outcome(ordered, SENT_BACK)


def _refusal_to_send_back(row: Row) -> str:
    receipt = ledger.valid_receipt(row.id) if is_paid(row) else None
    if receipt is None:
        return "No money has come with it, so there is none to send back."
    return manual.refusal_to_send_back(receipt)


def _undo(attempt: MpesaTransaction, told: Mapping[str, Any], by: str) -> str:
    undone = manual.undo_decision(attempt.pk, reason=told["reason"], by=by, now=gateway.now())
    return settlements.outcome(
        undone, "Taken back. What was decided stands in the history, and so does this."
    )


def _refund_to_undo(attempt_id: int) -> Refund | None:
    """The last one that was recorded and has not been seen on a statement."""
    return Refund.objects.filter(attempt_id=attempt_id, state=Refund.State.SENT).order_by("-id").first()


def _undo_refund(attempt: MpesaTransaction, told: Mapping[str, Any], by: str) -> str:
    refund = _refund_to_undo(attempt.pk)
    if refund is None:
        raise ActionRefused("There is no refund that could be taken back.")
    undone = manual.undo_refund(refund.pk, reason=told["reason"], by=by, now=gateway.now())
    return settlements.outcome(
        undone, f"The refund {refund.reference} is taken back: its money is here again."
    )


def _refusal_to_undo_refund(row: Row) -> str:
    return "" if _refund_to_undo(row.id) else "There is no refund that could be taken back."


def _refusal_to_settle(row: Row) -> str:
    if manual.waiting_settlement(row.id) is not None:
        return "A settlement of this payment waits for a second person already."
    return manual.refusal_to_settle(row, now=gateway.now())


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
        permission=SETTLE,
        do=_settle,
        refusal=_refusal_to_settle,
        form=SettleForm,
        lead="Only with evidence that the money is with us: you vouch for it with your name.",
    ),
    Action(
        name="send-back",
        label="Send it back by M-PESA …",
        icon="undo",
        permission="payments.record_refund",
        do=_send_back,
        refusal=_refusal_to_send_back,
        form=SendBackForm,
        lead="Safaricom is asked to send it back to the phone that paid. It is asked once; here you see how far it is.",
        advice=story.advice_on_refund,
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
        advice=story.advice_on_refund,
    ),
    Action(
        name="undo",
        label="Take back the decision …",
        icon="history",
        permission=UNDO,
        do=_undo,
        refusal=manual.refusal_to_undo,
        form=UndoForm,
        lead="Only where it was wrong: the money never came, was another's, or the receipt was typed wrong.",
    ),
    Action(
        name="undo-refund",
        label="Refund never left …",
        icon="history",
        permission=UNDO,
        do=_undo_refund,
        refusal=_refusal_to_undo_refund,
        form=UndoForm,
        lead="First look in the M-PESA portal that it did not leave. Then the money counts as here again.",
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


def urls() -> list[URLPattern]:
    """The addresses of all actions of one payment, and of deciding a proposed settlement."""
    wrap = admin.site.admin_view
    found = [
        path(
            f"<path:object_id>/{action.name}/",
            wrap(_view_of(action)),
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


def _view_of(action: Action) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, object_id: str) -> HttpResponse:
        refuse_without(request, action.permission)
        attempt = row_or_404(MpesaTransaction.objects.select_related("order"), object_id)
        if action.form is None and request.method != "POST":
            return HttpResponseRedirect(page_of(attempt))  # from the log-in page, after an idle time
        if refusal := action.refusal(attempt):
            messages.warning(request, refusal)
            return HttpResponseRedirect(page_of(attempt))
        form = action.form(request.POST or None, initial=_suggested(attempt)) if action.form else None
        if request.method == "POST" and (form is None or form.is_valid()):
            done = _done(request, action, attempt, form)
            if done is not None:
                return done
        told = {
            "title": f"{action.words}: {attempt.account_reference}",
            "action": action,
            "advice": action.advice(attempt),
            "attempt": attempt,
            "form": form,
            "button": action.words,
            "back": page_of(attempt),
        }
        status = 400 if form and form.errors else 200
        return show(request, "desk/action.html", told, of=attempt, status=status)

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
            return HttpResponseRedirect(page_of(attempt))
        form.add_error(None, str(refused))
        return None
    if isinstance(message, HttpResponse):
        return message
    messages.success(request, message)
    return HttpResponseRedirect(page_of(attempt))


def _claim(form: forms.Form) -> dict[str, Any]:
    return {"claim": form.claim()} if isinstance(form, SettleForm) else {}


def _suggested(attempt: MpesaTransaction) -> dict[str, Any]:
    """What is known already: a receipt. An amount is never suggested: it must be read from the evidence."""
    return {"receipt": attempt.receipt or ""}


def _decide_settlement(
    request: HttpRequest, object_id: str, settlement_id: int, verdict: str
) -> HttpResponse:
    attempt = row_or_404(MpesaTransaction.objects.all(), object_id)
    proposal = row_or_404(HandSettlement.objects.filter(attempt=attempt), settlement_id)
    refuse_without(request, settlements.permission_of(proposal))
    if request.method == "POST":
        settlements.decide(request, proposal, verdict)
    return HttpResponseRedirect(page_of(attempt))
