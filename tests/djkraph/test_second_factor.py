"""Second factors at the desk: who is asked for one, by what, and that no older session and no lost phone opens a way
round it."""

import json
import re
import time
from typing import Any
from unittest import mock

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from djkraph.staff import factors
from payments.desk import DEEDS

PASSWORD = "a-long-passphrase"
ENROL = "/admin/second-factor/"
APP = "/admin/second-factor/app/"
DESK = "/admin/payments/mpesatransaction/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _live(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = True


def member(role: str = "supervisor", name: str = "njeri") -> User:
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True, is_superuser=role == "owner")
    if role not in ("owner", "nobody"):
        user.groups.add(Group.objects.get(name=role))
    return user


def log_in(name: str = "njeri", password: str = PASSWORD) -> tuple[Client, Any]:
    client = Client()
    return client, client.post(f"/admin/login/?next={DESK}", {"login": name, "password": password})


def digits(secret: str, *, steps: int = 0) -> str:
    """What an app shows so many half minutes from now."""
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + steps))


def set_up_app(client: Client) -> str:
    """As a person does it; the secret."""
    page = client.get(APP).content.decode()
    secret = re.search(r'id="secret">(\w+)<', page)
    assert secret is not None, page
    with mock.patch("django.db.transaction.on_commit", lambda told: told()):  # no test commits
        answer = client.post(APP, {"code": digits(secret[1])})
    assert answer.headers["Location"] == "/admin/second-factor/codes/", answer.content.decode()
    return secret[1]


def enrolled(role: str = "supervisor") -> tuple[User, str]:
    user = member(role)
    client, _ = log_in()
    return user, set_up_app(client)


def recovery_codes(user: User) -> list[str]:
    codes = Authenticator.objects.get(user=user, type="recovery_codes")
    return list(codes.wrap().get_unused_codes())


@pytest.mark.parametrize(
    ("role", "asked"),
    [("viewer", False), ("cashier", False), ("auditor", False), ("supervisor", True), ("owner", True)],
)
def test_whoever_may_move_money_sees_nothing_before_a_second_factor(role: str, asked: bool) -> None:
    member(role)
    client, answer = log_in()
    assert answer.headers["Location"] == DESK
    for page in (DESK, "/admin/", "/admin/report/", "/admin/orders/mix/", "/admin/logged-in/"):
        seen = client.get(page)
        assert (seen.headers.get("Location") == ENROL) is asked, page
    if asked:
        assert "a stolen password alone must not open it" in client.get(ENROL).content.decode()
        assert client.get("/admin/password_change/").status_code == 200


def test_outside_a_live_shop_name_and_password_are_enough(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    member()
    client, _ = log_in()
    assert client.get(DESK).status_code == 200


@pytest.mark.parametrize("environment", ["simulator", "sandbox", "production"])
def test_a_live_shop_asks_for_it(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import runpy

    from tests.support.places import ROOT

    monkeypatch.setenv("MPESA_ENVIRONMENT", environment)
    made = runpy.run_path(str(ROOT / "djkraph" / "settings.py"))
    assert made["SECOND_FACTOR_REQUIRED"] is (environment == "production")


def test_what_moves_money_are_permissions_that_exist() -> None:
    held = {
        f"{each.content_type.app_label}.{each.codename}"
        for each in Permission.objects.filter(group__name="supervisor").select_related("content_type")
    }
    assert factors._moves_money() <= held


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_each_deed_about_money_asks_for_one(deed: Any) -> None:
    user = member("nobody")
    assert not factors.must_have(user)
    app, codename = deed.permission.split(".")
    user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    assert factors.must_have(User.objects.get(pk=user.pk))


def test_it_is_set_up_at_the_first_log_in_and_asked_for_at_the_next() -> None:
    member()
    client, _ = log_in()
    secret = set_up_app(client)
    codes = client.get("/admin/second-factor/codes/").content.decode()
    assert len(re.findall(r'class="dk-code">\d{8}<', codes)) == 10
    assert client.get(DESK).status_code == 200
    again, answer = log_in()
    assert answer.headers["Location"] == "/admin/login/second-factor/"
    assert again.get(DESK).headers["Location"].startswith("/admin/login/")
    page = again.post("/admin/login/second-factor/", {"code": "000000"})
    assert "Incorrect code" in page.content.decode()
    assert again.get(DESK).status_code == 302
    answer = again.post("/admin/login/second-factor/", {"code": digits(secret, steps=1)})
    assert answer.headers["Location"] == DESK
    assert again.get(DESK).status_code == 200


def test_a_code_opens_once(settings: Any) -> None:
    user, secret = enrolled()
    code = digits(secret, steps=1)
    for expected in (302, 200):
        client, _ = log_in()
        assert client.post("/admin/login/second-factor/", {"code": code}).status_code == expected
    used = recovery_codes(user)[0]
    for expected in (302, 200):
        client, _ = log_in()
        assert client.post("/admin/login/second-factor/", {"code": used}).status_code == expected
    assert len(recovery_codes(user)) == 9


def test_codes_can_not_be_guessed() -> None:
    _, secret = enrolled()
    client, _ = log_in()
    for number in range(5):
        client.post("/admin/login/second-factor/", {"code": f"{number:06}"})
    client, _ = log_in()
    page = client.post("/admin/login/second-factor/", {"code": digits(secret, steps=1)})
    assert "Too many failed login attempts" in page.content.decode()


def test_a_session_from_before_it_is_asked_for_it() -> None:
    """Whoever has the password logs in first and waits until the other has set it up."""
    member()
    thief, _ = log_in()
    set_up_app(log_in()[0])
    asked = thief.get(DESK)
    assert asked.headers["Location"].startswith("/admin/second-factor/code/?")
    assert thief.get(asked.headers["Location"]).status_code == 200
    thief.post(asked.headers["Location"], {"code": "000000"})
    assert thief.get(DESK).status_code == 302
    for way in (APP, f"{APP}remove/", "/admin/second-factor/codes/", "/admin/second-factor/keys/add/"):
        assert "Turn it on" not in thief.get(way).content.decode()


ABOUT_IT = (
    "",
    "app/",
    "app/remove/",
    "codes/",
    "codes/new/",
    "codes/file/",
    "keys/",
    "keys/add/",
)


@pytest.mark.parametrize("role", ["cashier", "supervisor"])
@pytest.mark.parametrize("page", ABOUT_IT)
def test_a_password_alone_reads_and_changes_no_second_factor(page: str, role: str) -> None:
    """A session opened by a stolen password before there was a factor, which gives that password again."""
    user = member(role)
    thief, _ = log_in()
    set_up_app(log_in()[0])
    had = sorted(Authenticator.objects.values_list("pk", "data"))
    thief.post("/admin/reauthenticate/", {"password": PASSWORD})
    for asked in (thief.get(ENROL + page), thief.post(ENROL + page, {"name": "mine", "code": "000000"})):
        assert asked.status_code == 302
        assert asked.headers["Location"].startswith("/admin/second-factor/code/?next=")
    assert sorted(Authenticator.objects.values_list("pk", "data")) == had
    assert recovery_codes(user)


def test_a_session_that_shows_it_goes_on() -> None:
    member()
    earlier, _ = log_in()
    secret = set_up_app(log_in()[0])
    asked = earlier.get(DESK).headers["Location"]
    assert earlier.post(asked, {"code": digits(secret, steps=1)}).headers["Location"] == DESK
    assert earlier.get(DESK).status_code == 200


def test_the_last_one_is_not_removed_by_whoever_must_have_one(settings: Any) -> None:
    user, secret = enrolled()
    client, _ = log_in()
    client.post("/admin/login/second-factor/", {"code": digits(secret, steps=1)})
    page = client.get(f"{APP}remove/").content.decode()
    assert "You cannot deactivate two-factor authentication" in page
    client.post(f"{APP}remove/")
    assert factors.has_one(user)
    key = Authenticator.objects.create(user=user, type="webauthn", data={"name": "phone", "credential": {}})
    client.post(f"{APP}remove/")
    assert not Authenticator.objects.filter(type="totp").exists()
    client.post(f"/admin/second-factor/keys/{key.pk}/remove/")
    assert factors.has_one(user)
    settings.SECOND_FACTOR_REQUIRED = False
    client.post(f"/admin/second-factor/keys/{key.pk}/remove/")
    assert not Authenticator.objects.filter(user=user).exists()


def test_secrets_are_kept_encrypted_and_read_after_a_new_key(settings: Any) -> None:
    user, secret = enrolled()
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    assert not set(recovery_codes(user)) & set(re.findall(r"\d{8}", kept))
    old, settings.LEDGER_KEY = settings.LEDGER_KEY[0], ["a-new-key-of-the-ledger-that-is-long-enough"]
    settings.LEDGER_KEYS_RETIRED = [f"{old}@2026-11-01T00:00:00+03:00"]
    client, _ = log_in()
    assert client.post("/admin/login/second-factor/", {"code": digits(secret, steps=1)}).status_code == 302


def test_who_lost_all_of_them_has_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    _, secret = enrolled("owner")
    inside, _ = log_in()
    inside.post("/admin/login/second-factor/", {"code": digits(secret, steps=1)})
    assert inside.get(DESK).status_code == 200
    call_command("reset_second_factor", "njeri")
    assert "njeri: 1 second factors forgotten, 2 sessions ended." in capsys.readouterr().out
    assert inside.get(DESK).headers["Location"].startswith("/admin/login/")
    client, answer = log_in()
    assert answer.headers["Location"] == DESK
    assert client.get(DESK).headers["Location"] == ENROL
    with pytest.raises(CommandError, match="Nobody at the desk has the user name 'nobody'"):
        call_command("reset_second_factor", "nobody")


ODD = ("", "x", "{}", "[]", "null", '{"id": 1}', '{"rawId": "x", "response": {}}', "9" * 9999, "[" * 9999)
TAKES_PASSKEYS = (
    "login/passkey/",
    "login/second-factor/",
    "second-factor/keys/add/",
    "second-factor/keys/is-it-you/",
)


@pytest.mark.parametrize("told", ODD, ids=lambda told: told[:20])
@pytest.mark.parametrize("at", TAKES_PASSKEYS)
def test_a_passkey_that_makes_no_sense_gets_a_word(at: str, told: str) -> None:
    user, _ = enrolled()
    client, _ = log_in()
    if at.startswith("second-factor/"):
        Authenticator.objects.all().delete()
        client, _ = log_in()
    answer = client.post(f"/admin/{at}", {"credential": told, "name": "x"}, follow=True)
    assert answer.status_code == 200
    assert client.get(DESK).status_code == 302
    assert not Authenticator.objects.filter(user=user, type="webauthn").exists()
