"""What staff do with a receipt's money: place a part of it, keep a part, record a refund, say that they have looked.
Permission, form, one call, a message. No rule about money here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from orders.models import MAX_TOTAL_KES, Order
from payments import gateway, manual
from payments.attention import PART_TAKEN_BACK
from payments.desk import settlements
from payments.desk.addresses import address, page_of
from payments.desk.pages import Button, refuse_without, row_or_404, show
from payments.desk.reversals.actions import SENT_BACK, SendBackForm
from payments.desk.settlements import RefundForm, reason_field
from payments.desk.words import kes
from payments.facts import LEFT_UNDECIDED, WAS_REVERSED_UNSEEN, is_to_send_back
from payments.manual import ActionRefused
from payments.models import Receipt

PLACE = "payments.attach_money"
REFUND = "payments.record_refund"
REVIEW = "payments.mark_looked_at"


class KeepForm(forms.Form):
    amount_kes = forms.IntegerField(
        label="How much (KES)", min_value=1, max_value=MAX_TOTAL_KES, help_text="Whole shillings."
    )
    reason = reason_field("Why", at_least=10)


class PlaceForm(KeepForm):
    target = forms.CharField(
        label="For which order?",
        max_length=100,
        help_text="Its code, like DK34679ACD.",
        error_messages={"required": "Type the order's code."},
    )
    field_order = ("target", "amount_kes", "reason")


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing to do with one receipt. `do` makes the one call and returns what to tell the person; `makes_sense` says
    where it is offered."""

    name: str
    label: str
    permission: str
    do: Callable[[Receipt, dict[str, Any], str], str]
    makes_sense: Callable[[Receipt], bool]
    form: type[forms.Form] | None = None
    lead: str = ""
    main: Callable[[Receipt], bool] = lambda _receipt: False

    @property
    def words(self) -> str:
        return self.label.removesuffix(" …")


def _place(receipt: Receipt, told: dict[str, Any], by: str) -> str:
    placed = manual.place_part(receipt.pk, by=by, now=gateway.now(), **told)
    order = Order.objects.get(pk=placed.order_id or 0)
    left = f"{kes(order.to_pay_kes)} still to pay" if order.to_pay_kes else "it is paid"
    return settlements.outcome(placed, f"{kes(told['amount_kes'])} is order {order.code}'s now: {left}.")


def _keep(receipt: Receipt, told: dict[str, Any], by: str) -> str:
    kept = manual.keep_part(receipt.pk, by=by, now=gateway.now(), **told)
    return settlements.outcome(kept, f"{kes(told['amount_kes'])} is kept.")


def _refund(receipt: Receipt, told: dict[str, Any], by: str) -> str:
    recorded = manual.refund_receipt(receipt.pk, by=by, now=gateway.now(), **told)
    return settlements.outcome(recorded, "The refund is recorded.")


def _send_back(receipt: Receipt, told: dict[str, Any], by: str) -> str:
    ordered = manual.send_back(receipt.pk, by=by, now=gateway.now(), **told)
    return settlements.outcome(ordered, SENT_BACK)


def _may_be_sent_back(receipt: Receipt) -> bool:
    return not manual.refusal_to_send_back(receipt)


def _review(receipt: Receipt, _told: dict[str, Any], by: str) -> str:
    manual.mark_receipt_reviewed(receipt.pk, by=by, now=gateway.now())
    return "Marked as looked at."


def _is_nobodys(receipt: Receipt) -> bool:
    return not manual.refusal_to_place(receipt)


def _can_go_back(receipt: Receipt) -> bool:
    return not manual.refusal_to_refund_receipt(receipt)


def _is_unseen(receipt: Receipt) -> bool:
    to_see = WAS_REVERSED_UNSEEN | LEFT_UNDECIDED | PART_TAKEN_BACK
    return Receipt.objects.filter(to_see, pk=receipt.pk).exists()


ACTIONS = (
    Action(
        name="place",
        label="A part for an order …",
        permission=PLACE,
        do=_place,
        makes_sense=_is_nobodys,
        form=PlaceForm,
        lead="Ask the customer for the order's code. What is more than the order costs is to be sent back.",
    ),
    Action(
        name="keep",
        label="Keep a part …",
        permission=PLACE,
        do=_keep,
        makes_sense=_is_nobodys,
        form=KeepForm,
        lead="Only what nobody will ask back. The reason stands in the book.",
    ),
    Action(
        name="send-back",
        label="Send it back by M-PESA …",
        permission=REFUND,
        do=_send_back,
        makes_sense=_may_be_sent_back,
        form=SendBackForm,
        lead="Safaricom is asked to send it back to the phone that paid. It is asked once; here you see how far it is.",
        main=is_to_send_back,
    ),
    Action(
        name="refund",
        label="Record a refund …",
        permission=REFUND,
        do=_refund,
        makes_sense=_can_go_back,
        form=RefundForm,
        lead="First send the money back in the M-PESA portal. Here you only note that it was done.",
        main=is_to_send_back,
    ),
    Action(name="looked-at", label="Mark looked at", permission=REVIEW, do=_review, makes_sense=_is_unseen),
)


def urls() -> list[URLPattern]:
    wrap = admin.site.admin_view
    return [
        path(
            f"<path:object_id>/{action.name}/",
            wrap(_view_of(action)),
            name=f"payments_receipt_{action.name}",
        )
        for action in ACTIONS
    ]


def buttons(request: HttpRequest, receipt: Receipt) -> list[Button]:
    may = request.user.has_perm
    return [
        Button(
            name=action.name,
            label=action.label,
            address=address(receipt, action.name, receipt.pk),
            opens=action.form is not None,
            main=action.main(receipt),
        )
        for action in ACTIONS
        if may(action.permission) and action.makes_sense(receipt)
    ]


def _view_of(action: Action) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, object_id: str) -> HttpResponse:
        refuse_without(request, action.permission)
        receipt = row_or_404(Receipt.objects.all(), object_id)
        if not action.makes_sense(receipt) or (action.form is None and request.method != "POST"):
            return HttpResponseRedirect(page_of(receipt))
        form = action.form(request.POST or None) if action.form else None
        if request.method == "POST" and (form is None or form.is_valid()):
            try:
                done = action.do(receipt, form.cleaned_data if form else {}, request.user.get_username())
            except ActionRefused as refused:
                if form is None:
                    messages.warning(request, str(refused))
                    return HttpResponseRedirect(page_of(receipt))
                form.add_error(None, str(refused))
            else:
                messages.success(request, done)
                return HttpResponseRedirect(page_of(receipt))
        told = {
            "title": f"{action.words}: {receipt}",
            "action": action,
            "receipt": receipt,
            "form": form,
            "button": action.words,
            "back": page_of(receipt),
        }
        return show(
            request, "desk/receipt_action.html", told, of=receipt, status=400 if form and form.errors else 200
        )

    return view
