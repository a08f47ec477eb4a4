"""GET /api/orders/<token>: how an order stands, and its downloads once it is paid."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import Order
from orders.services import give_back, receive
from tests.support.music import mix_with_music, ordered, paid, wav

pytestmark = pytest.mark.django_db


def told(client: Client, order: Order) -> Any:
    answer = client.get(f"/api/orders/{order.token}")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    return answer.json()


def test_an_open_order_has_nothing_to_download(client: Client) -> None:
    order = ordered(mix_with_music())
    assert told(client, order) == {
        "success": True,
        "order": {
            "code": order.code,
            "state": "open",
            "total_kes": 1500,
            "received_kes": 0,
            "to_pay_kes": 1500,
        },
        "downloads": [],
        "archive": None,
    }


def test_a_paid_one_has_its_mixes(client: Client) -> None:
    mix = mix_with_music()
    answer = told(client, paid(mix))
    assert answer["order"]["state"] == "paid"
    ((download), archive) = answer["downloads"], answer["archive"]
    (one,) = download
    assert {name: one[name] for name in ("mix", "title", "bytes", "sha256")} == {
        "mix": "nairobi", "title": "Nairobi After Dark", "bytes": len(wav("nairobi")), "sha256": mix.audio_sha256,
    }  # fmt: skip
    assert b"".join(client.get(one["url"]).streaming_content) == wav("nairobi")  # type: ignore[arg-type]
    assert client.get(archive)["Content-Type"] == "application/zip"


def test_part_paid_refunded_and_ended_say_so(client: Client) -> None:
    mix = mix_with_music()
    part, back, old = ordered(mix), paid(mix), ordered(mix)
    receive(part.id, cents=60_050, at=timezone.now())
    give_back(back.id, cents=150_000, at=timezone.now())
    Order.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=30))
    assert told(client, part)["order"] | {"code": ""} == {
        "code": "", "state": "part_paid", "total_kes": 1500, "received_kes": 600.5, "to_pay_kes": 900,
    }  # fmt: skip
    assert [told(client, each)["order"]["state"] for each in (back, old)] == ["refunded", "ended"]
    assert [told(client, each)["downloads"] for each in (part, back, old)] == [[], [], []]


@pytest.mark.parametrize("token", ["nobody-s", "a" * 64, "-"])
def test_an_unknown_one_is_404_in_our_json(client: Client, token: str) -> None:
    answer = client.get(f"/api/orders/{token}")
    assert answer.status_code == 404
    assert (answer.json()["success"], answer.json()["code"]) == (False, "unknown_order")


def test_it_is_read_only(client: Client) -> None:
    order = ordered(mix_with_music())
    assert client.post(f"/api/orders/{order.token}", {}, "application/json").status_code == 405
