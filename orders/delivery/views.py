"""What opens a link: the file, or a page that says why not and what to do."""

from http import HTTPStatus
from threading import BoundedSemaphore

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from orders import selectors
from orders.delivery import audio
from orders.delivery.archive import Zip, names_apart
from orders.delivery.counts import count_download
from orders.delivery.files import answer
from orders.delivery.links import ALL, Link, Says, what_it_says
from orders.delivery.offered import has_file
from orders.models import Mix, Order

ZIPS_AT_ONCE = 8  # of one process: each holds a thread for as long as it is taken

zips = BoundedSemaphore(ZIPS_AT_ONCE)


@require_safe
@never_cache
def download(request: HttpRequest, code: str, until: str, signature: str, slug: str) -> HttpResponseBase:
    link = Link(code=code, slug=slug, until=until, signature=signature)
    order, refused = _opened(request, link)
    if order is None:
        return refused
    item = order.items.select_related("mix").filter(mix__slug=slug).first()
    if item is None or not has_file(item.mix):
        return _refused(request, "not_there")
    mix = item.mix
    given = answer(
        request,
        mix.audio,
        size=mix.audio_bytes,
        etag=mix.audio_sha256,
        kind=audio.kind_of(mix.audio.name),
        name=audio.name_for(item.title, mix.audio.name),
    )
    count_download(request, given, item)
    return given


@require_safe
@never_cache
def archive(request: HttpRequest, code: str, until: str, signature: str) -> HttpResponseBase:
    order, refused = _opened(request, Link(code=code, slug=ALL, until=until, signature=signature))
    if order is None:
        return refused
    items = [item for item in selectors.items_of(order) if has_file(item.mix)]
    if not items:
        return _refused(request, "not_there")
    if request.method == "HEAD":
        return _as_zip(HttpResponse(), order)
    names = names_apart([audio.name_for(item.title, item.mix.audio.name) for item in items])
    files = [(name, item.mix.audio.path) for name, item in zip(names, items, strict=True)]
    if not zips.acquire(blocking=False):
        busy = _refused(request, "busy")
        busy.headers["Retry-After"] = "60"
        return busy
    given = StreamingHttpResponse(Zip(files, close=zips.release))
    for item in items:
        count_download(request, given, item)
    return _as_zip(given, order)


@require_safe
@cache_control(max_age=3600, public=True)
def preview(request: HttpRequest, slug: str) -> HttpResponseBase:
    mix = get_object_or_404(Mix.objects.filter(on_sale=True).exclude(preview=""), slug=slug)
    return answer(
        request,
        mix.preview,
        size=mix.preview_bytes,
        etag=mix.preview_sha256,
        kind=audio.kind_of(mix.preview.name),
    )


def _as_zip(given: HttpResponseBase, order: Order) -> HttpResponseBase:
    given.headers["Content-Type"] = "application/zip"
    name = f"DJ Kraph {order.code}.zip"
    given.headers["Content-Disposition"] = str(content_disposition_header(as_attachment=True, filename=name))
    return given


def _opened(request: HttpRequest, link: Link) -> tuple[Order | None, HttpResponse]:
    """The order that the link opens, or the page that says why not."""
    order = Order.objects.filter(code=link.code).first()
    says = Says.IS_NOT_OURS if order is None else what_it_says(link, order, now=timezone.now())
    if order is None or says is Says.IS_NOT_OURS:
        return None, _refused(request, "unknown")
    if says is Says.OUT_OF_DATE:
        return None, _refused(request, "out_of_date")
    if order.state != Order.State.PAID:
        return None, _refused(request, "refunded" if order.state == Order.State.REFUNDED else "not_paid")
    return order, HttpResponse()


STATUS = {
    "unknown": HTTPStatus.NOT_FOUND,
    "out_of_date": HTTPStatus.GONE,
    "refunded": HTTPStatus.FORBIDDEN,
    "not_paid": HTTPStatus.FORBIDDEN,
    "not_there": HTTPStatus.NOT_FOUND,
    "busy": HTTPStatus.SERVICE_UNAVAILABLE,
}


def _refused(request: HttpRequest, why: str) -> HttpResponse:
    return render(request, "orders/no_download.html", {"why": why}, status=STATUS[why])
