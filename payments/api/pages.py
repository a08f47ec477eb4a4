"""The buyer's pages about paying: checkout, confirmation, and where an order is found again. Rendered from the
ledger; nothing in an address makes an order paid."""

from http import HTTPStatus
from types import SimpleNamespace
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orders import delivery
from orders import selectors as shop
from orders.models import Order, OrderItem
from payments import gateway
from payments.api.orders import state_of
from payments.checkout import (
    PushProblem,
    live_attempt,
    order_that_got,
    out_of_date,
    paying_attempt,
    poll_id_of,
    receipts_of,
    watched_attempt,
)
from payments.facts import PROMPT_LIFE, is_part_paid, order_is_paid
from payments.ledger import CENTS
from payments.models import MpesaTransaction


@require_safe
@never_cache
def checkout(request: HttpRequest, token: str) -> HttpResponse:
    order = shop.order_by_token(token)
    if order is None:
        return _unknown_order(request)
    if order_is_paid(order):
        return HttpResponseRedirect(_confirmation_url(order))
    live = live_attempt(order.id)
    attempt = _resumable(live) if live else None
    watched = None if live else watched_attempt(order.id)
    renewal = None if live else out_of_date(order, now=gateway.now())
    items = shop.items_of(order)
    context = {
        "order": order,
        "items": items,
        "came_kes": order.sums.has // CENTS if is_part_paid(order) else 0,
        "state": _checkout_state(attempt, renewal),
        "renewal": renewal,
        "renew_url": _renew_url(items),
        "attempt": attempt,
        "watch_id": poll_id_of(watched) if watched else "",
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
    items = shop.items_of(order)
    offers = delivery.offered(order, items, now=gateway.now())
    context = {
        "state": state_of(order),
        "order": order,
        "items": items,
        "bought": list(zip(items, offers, strict=False)),
        "archive": delivery.archive_of(order, offers, now=gateway.now()),
        "link_days": delivery.link_days(),
        "renew_url": _renew_url(items),
        "receipt": ", ".join(receipts_of(order)),
        "paid_at": (paying and paying.paid_at) or order.paid_at,
        "amount_kes": order.total_kes - order.waived_cents // CENTS,
        "came_kes": order.sums.has // CENTS,
        "checkout_url": reverse("checkout", args=[order.token]),
    }
    return render(request, "payments/confirmation.html", context)


def _checkout_state(attempt: SimpleNamespace | None, renewal: PushProblem | None) -> str:
    if attempt is not None:
        return "waiting" if attempt.seconds_left > 0 else "still-checking"
    return "form" if renewal is None else "renew"


def _renew_url(items: list[OrderItem]) -> str:
    """The cart with these mixes in it; of an order without items, the shelf."""
    if not items:
        return reverse("mixes")
    return f"{reverse('cart')}?{urlencode([('mix', item.mix.slug) for item in items])}"


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
    left = attempt.created_at + PROMPT_LIFE - gateway.now()
    return SimpleNamespace(
        poll_id=poll_id_of(attempt),
        amount_kes=attempt.amount_kes,
        seconds_left=max(0, int(left.total_seconds())),
    )


def _confirmation_url(order: Order) -> str:
    return f"{reverse('confirmation')}?order={order.token}"
