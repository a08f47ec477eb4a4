"""What staff do about an order's downloads: give it new links, so that those it had open nothing any more."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path

from orders import services
from orders.models import Order
from payments.desk.addresses import address, page_of
from payments.desk.pages import Button, refuse_without, row_or_404
from payments.facts import order_is_paid

MAY = "payments.write_note"
DONE = "The order has new download links, on its buyer’s page. Those that were passed on before open nothing any more."


def urls() -> list[URLPattern]:
    return [path("<path:object_id>/new-links/", admin.site.admin_view(_renew), name="orders_order_new-links")]


def buttons(request: HttpRequest, order: Order) -> list[Button]:
    offered = order.is_priced and order_is_paid(order) and request.user.has_perm(MAY)
    return (
        [Button("new-links", "New download links", address(order, "new-links", order.pk))] if offered else []
    )


def _renew(request: HttpRequest, object_id: str) -> HttpResponse:
    refuse_without(request, MAY)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    order = row_or_404(Order.objects.all(), object_id)
    services.renew_links(order.pk)
    messages.success(request, DONE)
    return HttpResponseRedirect(page_of(order))
