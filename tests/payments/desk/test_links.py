"""Staff see how often a mix was taken, and end links that were passed on."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from orders.models import Order
from tests.support.music import mix_with_music, ordered, paid

pytestmark = pytest.mark.django_db


def somebody(role: str) -> Client:
    client = Client()
    person = User.objects.create_user(role, is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    client.force_login(person)
    return client


def address(order: Order) -> str:
    return f"/admin/orders/order/{order.pk}/"


def link_on(order: Order) -> str:
    page = Client().get(f"/confirmation.html?order={order.token}").content.decode()
    return page.partition('href="/downloads/')[2].partition('"')[0]


def test_a_press_ends_the_links_that_are_out() -> None:
    order, cashier = paid(mix_with_music()), somebody("cashier")
    old = link_on(order)
    assert Client().get(f"/downloads/{old}").status_code == 200
    page = cashier.get(address(order) + "change/").content.decode()
    assert "New download links" in page
    said = cashier.post(address(order) + "new-links/", follow=True).content.decode()
    assert "open nothing any more" in said
    assert Client().get(f"/downloads/{old}").status_code == 404
    assert Client().get(f"/downloads/{link_on(order)}").status_code == 200
    page = cashier.get(address(order) + "change/").content.decode()
    assert 'data-label="Downloads" class="dk-number">2<' in page


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_who_only_looks_is_refused(role: str) -> None:
    order, person = paid(mix_with_music()), somebody(role)
    assert "New download links" not in person.get(address(order) + "change/").content.decode()
    assert person.post(address(order) + "new-links/").status_code == 403
    assert Order.objects.get().link_round == 0


def test_what_is_not_paid_has_none_to_renew_and_a_look_changes_nothing() -> None:
    order, cashier = ordered(mix_with_music()), somebody("cashier")
    assert "New download links" not in cashier.get(address(order) + "change/").content.decode()
    assert cashier.get(address(order) + "new-links/").status_code == 405


def test_a_missing_file_is_told_to_staff() -> None:
    mix = mix_with_music()
    order = paid(mix)
    mix.audio = ""
    mix.save()
    assert "Its file is missing" in somebody("cashier").get(address(order) + "change/").content.decode()
