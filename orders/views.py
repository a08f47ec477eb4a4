"""The shop's pages and its API: each looks up, makes one call, and answers."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from djkraph.documented import REFUSALS
from djkraph.http import ApiProblem
from djkraph.throttling import OrdersPerAddress
from orders import selectors
from orders.covers import draw_cover
from orders.models import Mix, Order, OrderItem
from orders.serializers import (
    MAX_ITEMS,
    MixesAnswerSerializer,
    PlacedOrderSerializer,
    PlaceOrderSerializer,
)
from orders.services import OrderRefused, place_order


@require_safe
def mixes_page(request: HttpRequest) -> HttpResponse:
    return render(request, "orders/mixes.html", {"mixes": selectors.mixes_on_sale()})


@require_safe
def cart_page(request: HttpRequest) -> HttpResponse:
    return render(request, "orders/cart.html")


@require_safe
@cache_control(max_age=86_400, public=True)
def cover(_request: HttpRequest, slug: str) -> HttpResponse:
    mix = get_object_or_404(Mix, slug=slug)
    return HttpResponse(draw_cover(slug=mix.slug, title=mix.title), content_type="image/svg+xml")


class MixesView(APIView):
    """What the mixes in a cart cost now. A slug that is no longer sold is left out."""

    @extend_schema(
        parameters=[OpenApiParameter("slug", str, many=True, description="A mix in the cart, by its slug")],
        responses={200: MixesAnswerSerializer, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        mixes = selectors.mixes_in_cart(request.query_params.getlist("slug")[:MAX_ITEMS])
        return Response(
            {
                "success": True,
                "mixes": [_mix_json(mix) for mix in mixes],
                "total_kes": sum(mix.price_kes for mix in mixes),
            }
        )


class OrdersView(APIView):
    """Places an order for the mixes in a cart, at our own prices. The same cart is one order: where the browser names
    the one it placed, and nothing has changed since, that is the answer (200)."""

    throttle_classes = (OrdersPerAddress,)

    @extend_schema(
        request=PlaceOrderSerializer,
        responses={200: PlacedOrderSerializer, 201: PlacedOrderSerializer, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        asked = PlaceOrderSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        told, now = asked.validated_data, timezone.now()
        slugs = [item["mix"] for item in told["items"]]
        born_after = now - timedelta(hours=settings.ORDER_LIFE_HOURS)
        earlier = selectors.order_of_cart(told.get("order") or "", slugs=slugs, born_after=born_after)
        if earlier is not None and told.get("email", earlier.email) == earlier.email:
            return Response(_order_json(earlier, selectors.items_of(earlier)))
        try:
            order = place_order(mix_slugs=slugs, email=told.get("email", ""), now=now)
        except OrderRefused as refused:
            raise ApiProblem(str(refused), code=refused.code, status=status.HTTP_400_BAD_REQUEST) from refused
        return Response(_order_json(order, selectors.items_of(order)), status=status.HTTP_201_CREATED)


def _mix_json(mix: Mix) -> dict[str, Any]:
    return {
        "slug": mix.slug,
        "title": mix.title,
        "price_kes": mix.price_kes,
        "minutes": mix.minutes,
        "cover": reverse("cover", args=[mix.slug]),
        "preview": reverse("preview", args=[mix.slug]) if mix.preview else None,
    }


def _order_json(order: Order, items: list[OrderItem]) -> dict[str, Any]:
    return {
        "success": True,
        "accountReference": order.code,
        "amount": order.total_kes,
        "currency": "KES",
        "items": [{"title": item.title, "price_kes": item.price_kes} for item in items],
        "checkoutUrl": reverse("checkout", args=[order.token]),
    }
