"""The inbox takes what Safaricom sends; of strangers' posts so many, and for so long."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from payments import callbacks
from payments.callbacks import strangers
from payments.models import CallbackDelivery, MpesaTransaction
from payments.states import State
from tests.support.payments.callback_bodies import success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import SAFARICOM, Click

STRANGER = "203.0.113.9"
NOWHERE = "a" * 48


def post(client: Client, token: str = NOWHERE, address: str = STRANGER, about: str = "ws_CO_1") -> int:
    path = f"/api/payments/callback/{token}".rstrip("/")
    body = success(about)
    return client.post(path, body, content_type="application/json", REMOTE_ADDR=address).status_code


@pytest.fixture(autouse=True)
def _small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "PER_ADDRESS", 3)
    monkeypatch.setattr(strangers, "UNREAD", 5)


@pytest.mark.django_db
@pytest.mark.parametrize("token", [NOWHERE, ""], ids=["an address of nobody", "the bare address"])
def test_one_address_is_heard_so_often_and_no_more(client: Client, token: str) -> None:
    assert [post(client, token) for _ in range(5)] == [200, 200, 200, 403, 403]
    assert post(client, token, address="203.0.113.10") == 200
    assert CallbackDelivery.objects.count() == 4


@pytest.mark.django_db
def test_all_together_fill_the_inbox_so_far_and_no_further(client: Client) -> None:
    told = [post(client, address=f"203.0.113.{number}") for number in range(8)]
    assert told == [200] * 5 + [403] * 3
    CallbackDelivery.objects.update(reviewed_at=timezone.now())  # a person has looked at them
    cache.delete("strangers:full")
    assert post(client, address="203.0.113.99") == 200


def test_however_full_it_is_a_callback_of_ours_is_taken(
    client: Client, click: Click, safaricom: FakeDaraja
) -> None:
    click()
    for _ in range(8):
        post(client)
    assert post(client) == 403
    assert post(client, token=safaricom.last_token) == 200  # from an address that nobody publishes
    assert MpesaTransaction.objects.get().state == State.COMPLETED


@pytest.mark.django_db
def test_however_full_it_is_safaricom_s_addresses_are_heard(client: Client) -> None:
    for _ in range(8):
        post(client)
    assert [post(client, address=SAFARICOM) for _ in range(8)] == [200] * 8


@pytest.mark.django_db
def test_a_cache_that_is_away_loses_no_callback(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ConnectionError

    for name in ("get", "add", "incr"):
        monkeypatch.setattr(strangers.cache, name, away, raising=False)
    assert post(client) == 200


def test_what_was_never_ours_goes_after_its_days_and_nothing_else_does(
    client: Client, click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    settings.STRANGERS_KEPT_DAYS = 30
    click()
    post(client, about="ws_CO_nobodys")
    post(client)  # about one of ours, by its id
    post(client, token=safaricom.last_token)
    post(client, address=SAFARICOM, about="ws_CO_nobodys")
    long_ago = clock() - timedelta(days=31)
    CallbackDelivery.objects.update(received_at=long_ago)
    post(client, about="ws_CO_nobodys")
    before = set(CallbackDelivery.objects.values_list("id", flat=True))
    assert callbacks.forget_strangers(now=clock()) == 1
    left = set(CallbackDelivery.objects.values_list("id", flat=True))
    assert before - left == {min(before)}
    assert callbacks.forget_strangers(now=clock()) == 0
