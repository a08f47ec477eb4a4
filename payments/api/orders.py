"""One order, for whoever has its token: how it stands, and its downloads once it is paid."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from djkraph.documented import REFUSALS
from djkraph.http import ApiProblem
from djkraph.throttling import StatusPerAddress
from orders import delivery
from orders import selectors as shop
from orders.models import Order
from payments import gateway
from payments.api.serializers import OrderAnswerSerializer
from payments.facts import is_part_paid, order_is_over, order_is_paid
from payments.ledger import CENTS, has_ended


class OrderView(APIView):
    throttle_classes = (StatusPerAddress,)

    @extend_schema(responses={200: OrderAnswerSerializer, **REFUSALS})
    def get(self, _request: Request, token: str) -> Response:
        order = shop.order_by_token(token)
        if order is None:
            message = "We do not know this order. Its address may have been cut short: open it again from where it was."
            raise ApiProblem(message, code="unknown_order", status=HTTPStatus.NOT_FOUND)
        now = gateway.now()
        offers = delivery.offered(order, shop.items_of(order), now=now)
        return Response(
            {
                "success": True,
                "order": {
                    "code": order.code,
                    "state": state_of(order),
                    "total_kes": order.total_kes,
                    "received_kes": _shillings(order.received_cents - order.returned_cents),
                    "to_pay_kes": order.to_pay_kes,
                },
                "downloads": [_download(offer) for offer in offers if offer.link],
                "archive": delivery.archive_of(order, offers, now=now),
            },
            headers={"Cache-Control": "no-store"},
        )


def state_of(order: Order) -> str:
    if order_is_paid(order):
        return "paid"
    if order_is_over(order):
        return "refunded"
    if is_part_paid(order):
        return "part_paid"
    return "ended" if has_ended(order, now=gateway.now()) else "open"


def _download(offer: delivery.Offer) -> dict[str, Any]:
    return {
        "mix": offer.slug,
        "title": offer.title,
        "url": offer.link,
        "bytes": offer.size,
        "sha256": offer.sha256,
    }


def _shillings(cents: int) -> int | float:
    return cents // CENTS if cents % CENTS == 0 else cents / CENTS
