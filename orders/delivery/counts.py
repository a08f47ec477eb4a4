"""How often a mix was taken: counted, never capped."""

from django.db.models import F
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from orders.models import OrderItem


def count_download(request: HttpRequest, given: HttpResponseBase, item: OrderItem) -> None:
    asked = request.headers.get("Range", "").replace(" ", "")
    is_beginning = not asked or asked.startswith(
        "bytes=0-"
    )  # what goes on from the middle was counted before
    if request.method == "GET" and given.status_code in (200, 206) and is_beginning:
        OrderItem.objects.filter(pk=item.pk).update(
            downloads=F("downloads") + 1, downloaded_at=timezone.now()
        )
