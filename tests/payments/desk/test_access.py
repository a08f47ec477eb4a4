"""Role × page of the desk: seen, hidden from the sidebar, or refused to whoever types its address."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from payments.models import MpesaTransaction
from tests.support.payments.desk import ROLES, at_desk, staff_member, words_of

EVERYBODY = set(ROLES)
PAGES: dict[
    str, set[str]
] = {  # the lists of the desk by their model, and the pages of no model by their name
    "payments.mpesatransaction": EVERYBODY,
    "payments.callbackdelivery": EVERYBODY,
    "payments.handsettlement": EVERYBODY,
    "payments.statement": EVERYBODY,
    "payments.receipt": EVERYBODY,
    "payments.refund": EVERYBODY,
    "payments.reversal": EVERYBODY,
    "payments.lookup": EVERYBODY,
    "payments.posting": {"auditor"},
    "payments.alertmessage": {"supervisor", "auditor"},
    "payments.statementline": EVERYBODY,
    "orders.order": EVERYBODY,
    "orders.orderitem": EVERYBODY,
    "orders.mix": EVERYBODY,
    "desk-day": EVERYBODY,
    "payments.paymentevent": {"auditor"},
    "payments.idempotencykey": {"auditor"},
    "payments.darajatoken": {"auditor"},
    "payments.querybudget": {"auditor"},
    "payments.heartbeat": {"auditor"},
    "payments.stoppedphone": set(),
    "payments.seal": {"auditor"},
    "payments.sealedinpart": {"auditor"},
    "payments.awaited": {"auditor"},
    "auth.user": {"auditor"},
    "auth.group": {"auditor"},
    "desk-ledger-check": {"auditor"},
}
OF_NO_MODEL = {"desk-day", "desk-ledger-check"}
MAY_ADD = {"orders.mix": {"supervisor"}}


def address_of(page: str, what: str = "changelist") -> str:
    return reverse(page if page in OF_NO_MODEL else f"admin:{page.replace('.', '_')}_{what}")


def made_link(owner: Client, member: User) -> str:
    page = words_of(owner.post(reverse("admin:auth_user_password_change", args=[member.pk])))
    found = re.search(r">(http[^<]+)</textarea>", page)
    assert found is not None, page
    return found[1].removeprefix("http://testserver")


def test_every_page_of_the_desk_stands_in_the_table() -> None:
    registered = {model._meta.label_lower for model in admin.site._registry}
    assert registered | OF_NO_MODEL == set(PAGES)


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_each_role_sees_its_pages_and_no_others(role: str, db: None) -> None:
    client = at_desk(role)
    told = {page: client.get(address_of(page)).status_code for page in PAGES}
    assert told == {page: 200 if role in may else 403 for page, may in PAGES.items()}


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_the_sidebar_offers_what_a_role_sees_and_nothing_else(role: str, db: None) -> None:
    sidebar = words_of(at_desk(role).get("/admin/")).split("</nav>", maxsplit=1)[0]
    offered = {page for page in PAGES if f'href="{address_of(page)}"' in sidebar}
    assert offered - {page for page, may in PAGES.items() if role in may} == set()
    if role in ROLES:
        assert {"payments.mpesatransaction", "orders.order", "desk-day"} <= offered


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_nobody_adds_what_the_shop_writes_itself(role: str, db: None) -> None:
    client = at_desk(role)
    for page in PAGES.keys() - OF_NO_MODEL:
        expected = 200 if role in MAY_ADD.get(page, ()) else 403
        assert client.get(address_of(page, "add")).status_code == expected, page


@pytest.mark.parametrize("role", [*ROLES, "owner"])
def test_nobody_deletes_a_payment_its_events_or_its_order(
    role: str, click: Callable[..., MpesaTransaction], admin_client: Client
) -> None:
    attempt = click()
    client = admin_client if role == "owner" else at_desk(role)
    for row in (attempt, attempt.order, attempt.events.latest("id")):
        page = f"{row._meta.label_lower}"
        told = {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"}
        client.post(address_of(page), told)
        delete = reverse(f"admin:{page.replace('.', '_')}_delete", args=[row.pk])
        assert client.post(delete, {"post": "yes"}).status_code == 403
        row.refresh_from_db()


def test_a_supervisor_can_not_raise_himself(db: None) -> None:
    member = staff_member("supervisor")
    client = Client()
    client.force_login(member)
    page = reverse("admin:auth_user_change", args=[member.pk])
    told: dict[str, Any] = {"username": member.username, "is_superuser": "on", "is_staff": "on"}
    assert client.post(page, told).status_code == 403
    member.refresh_from_db()
    assert not member.is_superuser


def test_the_permission_to_change_people_makes_no_owner(db: None) -> None:
    """Nobody has it by his role; but an owner could give it, not knowing what it is worth."""
    member = staff_member("supervisor")
    member.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    client = Client()
    client.force_login(member)
    for row in (member, Group.objects.get(name="viewer")):
        page = reverse(f"admin:auth_{row._meta.model_name}_change", args=[row.pk])
        told = {"username": member.username, "is_superuser": "on", "is_staff": "on", "name": "viewer"}
        assert client.post(page, told).status_code == 403
    member.refresh_from_db()
    assert not member.is_superuser


def test_an_auditor_sees_the_staff_and_changes_nobody(db: None) -> None:
    client, member = at_desk("auditor"), staff_member("viewer")
    page = reverse("admin:auth_user_change", args=[member.pk])
    shown = client.get(page)
    assert shown.status_code == 200
    assert "Make a link" not in words_of(shown)
    assert "algorithm" not in words_of(shown)
    assert client.post(page, {"username": "other", "is_superuser": "on"}).status_code == 403
    member.refresh_from_db()
    assert (member.username, member.is_superuser) == ("viewer", False)


def test_the_owner_gives_roles_in_words(admin_client: Client, db: None) -> None:
    member = staff_member("viewer")
    page = words_of(admin_client.get(reverse("admin:auth_user_change", args=[member.pk])))
    for role in ROLES:
        assert f"{role.capitalize()}: " in page
    listed = words_of(admin_client.get(reverse("admin:auth_user_changelist")))
    assert "Viewer" in listed
    assert "Owner" in listed


def test_a_person_made_at_the_desk_chooses_his_password_behind_a_link(admin_client: Client) -> None:
    assert admin_client.post(reverse("admin:auth_user_add"), {"username": "njoki"}).status_code == 302
    njoki = User.objects.get(username="njoki")
    assert njoki.is_staff
    assert not njoki.has_usable_password()
    page = words_of(admin_client.get(reverse("admin:auth_user_change", args=[njoki.pk])))
    assert "Make a link for a new one" in page
    assert "algorithm" not in page
    link = made_link(admin_client, njoki)
    stranger = Client()
    form = stranger.get(link).headers["Location"]
    assert link not in form  # its key stands in no address that is passed on
    assert "Choose your password" in words_of(stranger.get(form))
    assert "too short" in words_of(stranger.post(form, {"password1": "short", "password2": "short"}))
    told = {"password1": "a-long-passphrase", "password2": "a-long-passphrase"}
    assert "opens the desk" in words_of(stranger.post(form, told, follow=True))
    njoki.refresh_from_db()
    assert njoki.check_password("a-long-passphrase")
    assert "used up, too old" in words_of(Client().get(link))
    assert LogEntry.objects.filter(object_id=njoki.pk, change_message__contains="Made a link").exists()


def test_a_link_for_a_new_password_is_over_after_a_day_and_wrong_ones_say_so(
    admin_client: Client, settings: Any
) -> None:
    member = staff_member("viewer")
    link = made_link(admin_client, member)
    for wrong in (f"{link[:-3]}/", link.replace("new-password/", "new-password/z"), f"{link}x/"):
        assert "used up, too old" in words_of(Client().get(wrong))
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "used up, too old" in words_of(Client().get(link))


@pytest.mark.parametrize("what", ["password_change", "sessions"])
def test_only_the_owner_makes_a_link_or_ends_sessions(what: str, admin_client: Client) -> None:
    member = staff_member("viewer")
    page = reverse(f"admin:auth_user_{what}", args=[member.pk])
    for role in ("supervisor", "auditor", "nobody"):
        client = at_desk(role)
        assert (client.get(page).status_code, client.post(page).status_code) == (403, 403)
    assert admin_client.get(page).status_code == 200
    for odd in ("0", "x", "9" * 30, "1 OR 1=1"):
        assert admin_client.get(f"/admin/auth/user/{odd}/{page.split('/')[-2]}/").status_code == 404


def test_the_owner_ends_somebodys_sessions(admin_client: Client) -> None:
    member, client = staff_member("viewer"), Client()
    client.post(
        "/admin/login/", {"login": "viewer", "password": "a-long-passphrase"}, headers={"user-agent": "Tecno"}
    )
    assert client.get("/admin/").status_code == 200
    page = reverse("admin:auth_user_sessions", args=[member.pk])
    assert "Tecno" in words_of(admin_client.get(page))
    assert "logged out everywhere" in words_of(admin_client.post(page, follow=True))
    assert client.get("/admin/").status_code == 302


def test_everybody_sees_where_he_is_logged_in_and_ends_the_others(db: None) -> None:
    staff_member("viewer")
    clients = [Client() for _ in range(3)]
    for n, client in enumerate(clients):
        told = {"login": "viewer", "password": "a-long-passphrase"}
        client.post("/admin/login/", told, headers={"user-agent": f"Browser {n}"})
    page = words_of(clients[0].get("/admin/logged-in/"))
    assert [f"Browser {n}" in page for n in range(3)] == [True] * 3
    clients[0].post("/admin/logged-in/")
    assert [client.get("/admin/").status_code for client in clients] == [200, 302, 302]


def test_whoever_changes_his_password_is_logged_out_elsewhere(db: None) -> None:
    member, clients = staff_member("viewer"), [Client(), Client()]
    for client in clients:
        client.post("/admin/login/", {"login": "viewer", "password": "a-long-passphrase"})
    told = {
        "oldpassword": "a-long-passphrase",
        "password1": "another-passphrase",
        "password2": "another-passphrase",
    }
    refused = clients[0].post("/admin/password_change/", {**told, "oldpassword": "x"})
    assert "Please type your current" in words_of(refused)
    clients[0].post("/admin/password_change/", told)
    member.refresh_from_db()
    assert member.check_password("another-passphrase")
    assert [client.get("/admin/").status_code for client in clients] == [200, 302]


def test_nobody_is_renamed_or_deleted_for_the_history_names_them(admin_client: Client, db: None) -> None:
    member = staff_member("viewer")
    page = reverse("admin:auth_user_change", args=[member.pk])
    assert admin_client.post(page, {"username": "other", "first_name": "Njeri"}).status_code == 302
    member.refresh_from_db()
    assert (member.username, member.first_name, member.is_active) == ("viewer", "Njeri", False)
    delete = reverse("admin:auth_user_delete", args=[member.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=member.pk).exists()


def test_an_owner_does_not_lock_himself_out(admin_client: Client, admin_user: User) -> None:
    page = reverse("admin:auth_user_change", args=[admin_user.pk])
    assert admin_client.post(page, {"first_name": "DJ"}).status_code == 302
    admin_user.refresh_from_db()
    assert (admin_user.first_name, admin_user.is_superuser, admin_user.is_active) == ("DJ", True, True)


def test_a_stranger_is_asked_to_log_in_everywhere(db: None) -> None:
    for page in PAGES:
        assert Client().get(address_of(page)).headers["Location"].startswith("/admin/login/"), page
