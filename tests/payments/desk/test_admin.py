"""The desk: everything can be seen and found; nothing the ledger owns can be changed by anybody."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from orders.models import Mix
from payments import callbacks
from payments.models import Alert, DarajaToken, MpesaTransaction
from tests.support.payments.callback_bodies import success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import WANJIRU, FakeDaraja

Click = Callable[..., MpesaTransaction]


@pytest.fixture
def paid(click: Click, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    attempt = click()
    callbacks.receive_callback(
        token=safaricom.last_token,
        body=json.dumps(success()).encode(),
        source_address="196.201.212.69",
        now=clock(),
    )
    attempt.refresh_from_db()
    return attempt


def models_of_ours() -> list[Any]:
    return [model for model in admin.site._registry if model._meta.app_label in ("orders", "payments")]


def test_every_model_is_in_the_desk() -> None:
    from django.apps import apps

    ours = {*apps.get_app_config("orders").get_models(), *apps.get_app_config("payments").get_models()}
    assert ours - set(models_of_ours()) == {Alert}  # told by its messages, which are there


@pytest.mark.parametrize("model", models_of_ours(), ids=lambda model: model.__name__)
def test_every_list_and_page_opens(
    model: Any, paid: MpesaTransaction, mixes: list[Mix], admin_client: Client
) -> None:
    DarajaToken.objects.create(name="app", sealed="sealed-token")
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    listing = admin_client.get(address)
    assert listing.status_code == 200
    row = model.objects.first()
    if row is not None:
        page = admin_client.get(f"{address}{row.pk}/change/", follow=True)  # an event leads to its payment
        assert page.status_code == 200
        assert WANJIRU not in page.content.decode()
        assert "sealed-token" not in page.content.decode()


@pytest.mark.parametrize("model", models_of_ours(), ids=lambda model: model.__name__)
def test_nobody_changes_or_deletes_what_a_service_owns(
    model: Any, paid: MpesaTransaction, admin_client: Client
) -> None:
    row = model.objects.first()
    if model is Mix or row is None:
        return
    address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    assert admin_client.get(f"{address}add/").status_code == 403
    assert admin_client.post(f"{address}{row.pk}/change/", {"state": "failed"}).status_code == 403
    assert admin_client.post(f"{address}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("find", [WANJIRU, "0712 345 678", "UKN4AB12CD", "code", "CART1", "ws_CO_1"])
def test_a_payment_is_found_by_what_a_caller_can_say(
    find: str, paid: MpesaTransaction, admin_client: Client
) -> None:
    term = paid.account_reference if find == "code" else find
    found = admin_client.get("/admin/payments/mpesatransaction/", {"q": term})
    assert paid.account_reference in found.content.decode()
    other = admin_client.get("/admin/payments/mpesatransaction/", {"q": "0798765432"})
    assert paid.account_reference not in other.content.decode()


def test_a_payments_page_tells_its_story(paid: MpesaTransaction, admin_client: Client) -> None:
    page = admin_client.get(f"/admin/payments/mpesatransaction/{paid.pk}/change/").content.decode()
    for words in ("Paid", "KES 1,500", "2547••••5678", "UKN4AB12CD", "Safaricom&#x27;s callback", "Applied"):
        assert words in page, words
    told = ("The buyer asked to pay", "Safaricom took the request", "the order is paid with it")
    assert page.index(told[0]) < page.index(told[1]) < page.index(told[2])


def test_a_mix_is_edited_but_never_deleted(mixes: list[Mix], admin_client: Client) -> None:
    address = f"/admin/orders/mix/{mixes[0].pk}/"
    assert admin_client.get(f"{address}change/").status_code == 200
    assert admin_client.post(f"{address}delete/", {"post": "yes"}).status_code == 403


def test_strangers_are_asked_to_log_in(client: Client) -> None:
    assert client.get("/admin/payments/mpesatransaction/").status_code == 302
