"""Links to what was paid for: whom they open for, what comes, in which pieces, and what each edited character does."""

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.delivery import archive_of, offered
from orders.delivery.links import archive_link, link_to
from orders.delivery.views import ZIPS_AT_ONCE, zips
from orders.models import Mix, Order, OrderItem
from orders.selectors import items_of
from orders.services import give_back, receive, undo
from tests.support.music import mix_with_music, ordered, paid, wav

pytestmark = pytest.mark.django_db


@pytest.fixture
def mix() -> Mix:
    return mix_with_music()


@pytest.fixture
def order(mix: Mix) -> Order:
    return paid(mix)


def link(order: Order) -> str:
    (offer,) = offered(order, items_of(order), now=timezone.now())
    assert offer.link
    return offer.link


def why(answer: Any) -> str:
    return str(answer.content.decode().partition('data-why="')[2].partition('"')[0])


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_paid_mix_comes_as_it_was_uploaded(client: Client, order: Order, mix: Mix) -> None:
    answer = client.get(link(order))
    content = body(answer)
    assert (answer.status_code, content) == (200, wav(mix.slug))
    assert answer["Content-Length"] == str(len(content)) == str(mix.audio_bytes)
    assert answer["Content-Type"] == "audio/wav"
    assert answer["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Disposition"] == 'attachment; filename="DJ Kraph - Nairobi After Dark.wav"'


def test_head_tells_and_sends_nothing(client: Client, order: Order, mix: Mix) -> None:
    answer = client.head(link(order))
    assert (answer.status_code, answer["Content-Length"]) == (200, str(mix.audio_bytes))
    assert order.items.get().downloads == 0


def test_a_cut_download_goes_on(client: Client, order: Order, mix: Mix) -> None:
    whole, address = wav(mix.slug), link(order)
    first = client.get(address)
    rest = client.get(address, headers={"range": "bytes=1000-", "if-range": first["ETag"]})
    assert rest.status_code == 206
    assert rest["Content-Range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
    assert rest["Content-Length"] == str(len(whole) - 1000)
    assert body(rest) == whole[1000:]


@pytest.mark.parametrize("tag", ['"another"', 'W/"{}"', "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_another_file_since_comes_whole(client: Client, order: Order, mix: Mix, tag: str) -> None:
    asked = {"range": "bytes=1000-", "if-range": tag.format(mix.audio_sha256)}
    assert client.get(link(order), headers=asked).status_code == 200


def test_a_range_behind_the_end_says_where_it_ends(client: Client, order: Order, mix: Mix) -> None:
    answer = client.get(link(order), headers={"range": f"bytes={mix.audio_bytes}-"})
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{mix.audio_bytes}")
    assert answer.content == b""


def test_what_is_there_already_is_not_sent_again(client: Client, order: Order, mix: Mix) -> None:
    answer = client.get(link(order), headers={"if-none-match": f'"{mix.audio_sha256}"'})
    assert (answer.status_code, answer.content) == (304, b"")


def test_every_character_of_a_link_counts(client: Client, order: Order) -> None:
    address = link(order)
    for place, letter in enumerate(address):
        if place == 0:
            continue
        for other in {"0", "a", "A", "1", "-", "/", "_"} - {letter}:
            edited = address[:place] + other + address[place + 1 :]
            assert client.get(edited).status_code in (404, 405), edited
    other_case = (address.upper(), address.replace("downloads", "Downloads"))
    for odd in (address + "/", address + "%0A", address + "a", *other_case):
        assert client.get(odd).status_code == 404, odd


def test_a_link_opens_one_mix_of_one_order(client: Client, mix: Mix) -> None:
    other = mix_with_music("other", "Other")
    mine, theirs = paid(mix), paid(mix, other)
    address = link_to(theirs, mix.slug, now=timezone.now())
    assert client.get(address.replace(theirs.code, mine.code)).status_code == 404
    assert client.get(address.replace(mix.slug, other.slug)).status_code == 404
    unbought = link_to(mine, other.slug, now=timezone.now())  # as if it had been signed
    assert why(client.get(unbought)) == "not_there"


@pytest.mark.parametrize("days", [22, 400])
def test_a_link_ends_after_weeks(client: Client, order: Order, mix: Mix, days: int) -> None:
    old = link_to(order, mix.slug, now=timezone.now() - timedelta(days=days + 1))
    answer = client.get(old)
    assert (answer.status_code, why(answer)) == (410, "out_of_date")
    assert client.get(link(order)).status_code == 200  # the page gives a fresh one


def test_a_link_is_the_same_all_day(order: Order, mix: Mix) -> None:
    noon = timezone.now().replace(hour=12)
    assert link_to(order, mix.slug, now=noon) == link_to(order, mix.slug, now=noon + timedelta(hours=5))


def test_nothing_comes_before_all_is_paid(client: Client, mix: Mix) -> None:
    order = ordered(mix)
    assert offered(order, items_of(order), now=timezone.now()) == []
    address = link_to(order, mix.slug, now=timezone.now())
    assert (client.get(address).status_code, why(client.get(address))) == (403, "not_paid")
    receive(order.id, cents=100, at=timezone.now())
    assert why(client.get(address)) == "not_paid"
    assert why(client.get(archive_link(order, now=timezone.now()))) == "not_paid"


def test_nothing_comes_after_all_went_back_or_was_never_there(client: Client, mix: Mix) -> None:
    for end, told in ((give_back, "refunded"), (None, "not_paid")):
        order = paid(mix)
        address, zipped = link(order), archive_link(order, now=timezone.now())
        cents = 100 * order.total_kes
        if end:
            end(order.id, cents=cents, at=timezone.now())
        else:
            undo(order.id, received=cents, at=timezone.now())
        assert why(client.get(address)) == told
        assert why(client.get(zipped)) == told


def test_a_gift_back_leaves_the_music(client: Client, order: Order) -> None:
    give_back(order.id, cents=100, at=timezone.now())
    assert client.get(link(order)).status_code == 200


def test_new_links_end_the_old_ones(client: Client, order: Order) -> None:
    old = link(order)
    Order.objects.filter(pk=order.pk).update(link_round=1)
    order.refresh_from_db()
    assert client.get(old).status_code == 404
    assert client.get(link(order)).status_code == 200


def test_downloads_are_counted_where_they_begin(client: Client, order: Order) -> None:
    address = link(order)
    client.get(address)
    client.get(address, headers={"range": "bytes=1000-"})
    client.get(address, headers={"range": "bytes=0-"})
    client.get(archive_link(order, now=timezone.now()))
    item: OrderItem = order.items.get()
    assert (item.downloads, item.downloaded_at is not None) == (3, True)


def test_all_mixes_come_in_one_zip(client: Client, mix: Mix) -> None:
    twin = mix_with_music("nairobi-2", mix.title)
    order = paid(mix, twin)
    address = archive_of(order, offered(order, items_of(order), now=timezone.now()), now=timezone.now())
    assert address
    answer = client.get(address)
    assert answer["Content-Type"] == "application/zip"
    assert f"DJ Kraph {order.code}.zip" in answer["Content-Disposition"]
    got = zipfile.ZipFile(io.BytesIO(body(answer)))
    assert got.testzip() is None
    assert {name: got.read(name) for name in got.namelist()} == {
        "DJ Kraph - Nairobi After Dark.wav": wav(mix.slug),
        "DJ Kraph - Nairobi After Dark (2).wav": wav(twin.slug),
    }


def test_zips_are_not_made_without_end_at_once(client: Client, order: Order) -> None:
    address = archive_link(order, now=timezone.now())
    for _ in range(10):  # each gives its place back
        body(client.get(address))
    while zips.acquire(blocking=False):
        pass
    try:
        busy = client.get(address)
    finally:
        zips.release(ZIPS_AT_ONCE)
    assert (busy.status_code, why(busy), busy["Retry-After"]) == (503, "busy", "60")
    assert client.head(address).status_code == 200


def test_a_mix_without_its_file_says_so(client: Client, order: Order, mix: Mix) -> None:
    Mix.objects.filter(pk=mix.pk).update(audio="")
    address = link_to(order, mix.slug, now=timezone.now())
    assert (client.get(address).status_code, why(client.get(address))) == (404, "not_there")
    page = client.get(f"/confirmation.html?order={order.token}").content.decode()
    assert "is being made ready" in page


def test_a_preview_is_for_everybody_while_it_is_on_sale(client: Client, mix: Mix) -> None:
    answer = client.get("/previews/nairobi", headers={"range": "bytes=0-99"})
    assert (answer.status_code, len(body(answer))) == (206, 100)
    assert "attachment" not in answer.headers.get("Content-Disposition", "")
    assert client.get("/").content.decode().count('href="/previews/nairobi"') == 1
    assert client.get("/api/mixes?slug=nairobi").json()["mixes"][0]["preview"] == "/previews/nairobi"
    Mix.objects.update(on_sale=False)
    assert client.get("/previews/nairobi").status_code == 404


def test_a_proxy_may_send_the_file(client: Client, order: Order, mix: Mix, settings: Any) -> None:
    settings.DOWNLOADS_BY_PROXY = "/mixes/"
    answer = client.get(link(order))
    assert (answer["X-Accel-Redirect"], answer.content) == (f"/mixes/{mix.audio.name}", b"")
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "path", ["/downloads/../settings.py", "/downloads/%2e%2e/x", "/previews/../../x", "/mixes/x"]
)
def test_no_address_leads_elsewhere(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_order_s_page_has_its_links(client: Client, order: Order) -> None:
    page = client.get(f"/confirmation.html?order={order.token}").content.decode()
    assert link(order) in page
    assert ".zip" not in page  # one mix needs none
