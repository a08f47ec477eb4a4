"""The buyer's pages about paying: checkout, confirmation, and where an order is found again. Rendered from the
ledger; nothing in an address makes an order paid."""

from http import HTTPStatus
from types import SimpleNamespace

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orders import selectors as shop
from orders.models import Order
from payments.checkout import live_attempt, order_that_got, paying_attempt, poll_id_of
from payments.facts import PROMPT_LIFE, order_is_paid
from payments.models import MpesaTransaction


@require_safe
@never_cache
def checkout(request: HttpRequest, token: str) -> HttpResponse:
    order = shop.order_by_token(token)
    if order is None:
        return _unknown_order(request)
    if order_is_paid(order):
        return HttpResponseRedirect(_confirmation_url(order))
    attempt = live_attempt(order.id)
    context = {
        "order": order,
        "items": shop.items_of(order),
        "attempt": _resumable(attempt) if attempt else None,
        "confirmation_url": _confirmation_url(order),
    }
    return render(request, "payments/checkout.html", context)


@require_safe
@never_cache
def confirmation(request: HttpRequest) -> HttpResponse:
    if not request.GET.get("order"):
        return _find_order(request)
    order = shop.order_by_token(request.GET["order"])
    if order is None:
        return _unknown_order(request)
    paying = paying_attempt(order.id)
    context = {
        "state": "paid" if order_is_paid(order) else "pending",
        "order": order,
        "items": shop.items_of(order),
        "receipt": paying.receipt if paying else None,
        "paid_at": (paying and paying.paid_at) or order.paid_at,
        "amount_kes": order.total_kes,
        "checkout_url": reverse("checkout", args=[order.token]),
    }
    return render(request, "payments/confirmation.html", context)


def _find_order(request: HttpRequest) -> HttpResponse:
    """For whoever lost the address of an order, or was sent here by a page that names none. Code and receipt stand in
    the buyer's M-PESA message; the code alone, which others see too, opens nothing."""
    code, receipt = (request.GET.get(name, "").strip()[:40] for name in ("code", "receipt"))
    order = order_that_got(code=code, receipt=receipt) if code and receipt else None
    if order is not None:
        return HttpResponseRedirect(_confirmation_url(order))
    has_asked = bool(code or receipt)
    context = {"state": "find_order", "code": code, "receipt": receipt, "has_asked": has_asked}
    return render(request, "payments/confirmation.html", context)


def _unknown_order(request: HttpRequest) -> HttpResponse:
    context = {"state": "unknown_order"}
    return render(request, "payments/confirmation.html", context, status=HTTPStatus.NOT_FOUND)


def _resumable(attempt: MpesaTransaction) -> SimpleNamespace:
    left = attempt.created_at + PROMPT_LIFE - timezone.now()
    return SimpleNamespace(
        poll_id=poll_id_of(attempt),
        seconds_left=max(0, int(left.total_seconds())),
    )


def _confirmation_url(order: Order) -> str:
    return f"{reverse('confirmation')}?order={order.token}"
