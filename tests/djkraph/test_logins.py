"""Who may try to log in at the desk, how long a session lasts, and that neither locks out who should come in."""

import time
from base64 import b64decode
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.core.internal import ratelimit
from django.conf import settings as shop
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from djkraph.models import CacheEntry
from djkraph.staff import accounts

LOGIN = "/admin/login/?next=/admin/password_change/"
RIGHT = "a-long-passphrase"
HERE, ELSEWHERE = "41.90.1.1", "41.90.1.2"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def akinyi() -> User:
    return User.objects.create_user("akinyi", password=RIGHT, is_staff=True)


def tries(password: str, name: str = "akinyi", *, at: str = HERE, times: int = 1, **headers: str) -> Any:
    """The last answer of somebody who types this so often, from an address."""
    for _ in range(times):
        answer = Client(REMOTE_ADDR=at, headers=headers).post(LOGIN, {"login": name, "password": password})
    return answer


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """As if so many minutes had gone by since now."""
    began = time.time()

    def go_on(minutes: float) -> None:
        clock = SimpleNamespace(time=lambda: began + 60 * minutes, monotonic=time.monotonic, sleep=time.sleep)
        for counts in (ratelimit, accounts):
            monkeypatch.setattr(counts, "time", clock)

    return go_on


def test_the_right_password_logs_in() -> None:
    assert tries(RIGHT).status_code == 302


def test_five_wrong_passwords_lock_the_name_at_that_address_in_words() -> None:
    said = tries("wrong", times=4).content.decode()
    assert "username and/or password you specified are not correct" in said
    assert tries(RIGHT).status_code == 302
    assert tries("wrong").status_code == 200  # the fifth
    locked = tries("wrong")
    assert locked.status_code == 429
    assert "Too many wrong passwords" in locked.content.decode()
    assert "in 15 minutes" in locked.content.decode()
    assert 0 < int(locked.headers["Retry-After"]) <= 15 * 60
    assert tries(RIGHT).status_code == 429
    call_command("unlock_logins")
    assert tries(RIGHT).status_code == 302


def test_the_lock_ends_by_itself_and_is_not_made_longer_by_trying(later: Callable[[float], None]) -> None:
    tries("wrong", times=5)
    later(14.2)
    locked = tries(RIGHT, times=3)
    assert (locked.status_code, "in 1 minute)" in locked.content.decode()) == (429, True)
    later(15.2)
    assert tries(RIGHT).status_code == 302


def test_a_stranger_elsewhere_locks_nobody_out() -> None:
    assert tries("wrong", at=ELSEWHERE, times=30).status_code == 429
    assert tries(RIGHT, at=HERE).status_code == 302


def test_one_address_that_tries_many_names_is_stopped() -> None:
    for number in range(20):
        tries("wrong", f"name{number}")
    assert tries(RIGHT).status_code == 429
    assert "for everybody at this internet address" in tries(RIGHT).content.decode()
    assert tries(RIGHT, at=ELSEWHERE).status_code == 302


def test_an_ipv6_household_is_one_address() -> None:
    for number in range(5):
        tries("wrong", at=f"2c0f:fe38:1:1::{number + 1}")
    assert tries(RIGHT, at="2c0f:fe38:1:1::ffff").status_code == 429
    assert tries(RIGHT, at="2c0f:fe38:1:2::1").status_code == 302


def test_an_ipv4_address_in_ipv6_clothes_is_itself() -> None:
    tries("wrong", at=f"::ffff:{HERE}", times=5)
    assert tries(RIGHT, at=HERE).status_code == 429
    assert tries(RIGHT, at=f"::ffff:{ELSEWHERE}").status_code == 302


def test_behind_proxies_the_address_is_counted_from_the_right(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    for number in range(5):
        tries(
            "wrong", **{"x-forwarded-for": f"10.0.0.{number}, {HERE}"}
        )  # what stands left is the client's own say
    assert tries(RIGHT, **{"x-forwarded-for": HERE}).status_code == 429
    assert tries(RIGHT, **{"x-forwarded-for": ELSEWHERE}).status_code == 302


def test_what_was_typed_is_kept_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    tries("s3cret-pass", "+254 712 345 678", times=7)
    kept = "".join(f"{entry.cache_key} {b64decode(entry.value)!r}" for entry in CacheEntry.objects.all())
    assert kept
    assert HERE not in kept
    for told in (kept, caplog.text):
        assert "12345678" not in told.replace(" ", "")
        assert "s3cret-pass" not in told
    assert "too many wrong passwords" in caplog.text


def test_whoever_is_no_staff_is_told_so_and_sent_round_no_circle(akinyi: User) -> None:
    User.objects.create_user("buyer", password=RIGHT)
    client = Client()
    told = client.post(LOGIN, {"login": "buyer", "password": RIGHT}, follow=True)
    assert "may not use the desk" in told.content.decode()
    client = Client()
    client.force_login(akinyi)
    User.objects.update(is_staff=False)
    assert client.get("/admin/", follow=True).redirect_chain == [("/admin/login/?next=/admin/", 302)]


def test_nobody_signs_up_or_asks_for_a_password_by_mail() -> None:
    for page in ("signup/", "password/reset/", "password_reset/", "accounts/signup/", "email/"):
        assert Client().get(f"/admin/{page}", follow=True).request["PATH_INFO"] == "/admin/login/"
        assert Client().get(f"/{page}").status_code == 404


def test_json_endpoints_know_nothing_of_locks(client: Client) -> None:
    tries("wrong", times=5, at="127.0.0.1")
    assert client.get("/health").status_code == 200
    assert client.post("/stkpush/status", {"checkoutRequestId": "x"}, "application/json").status_code == 404


def test_a_session_ends_after_idle_time_and_the_page_says_why(akinyi: User) -> None:
    client = Client()
    client.force_login(akinyi)
    page = "/admin/password_change/"
    Session.objects.update(expire_date=timezone.now() + timedelta(minutes=1))
    assert client.get(page).status_code == 200
    (session,) = Session.objects.all()  # every page makes it last from now on
    left = session.expire_date - timezone.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    answer = client.get(page, follow=True)
    assert "You were away for a while" in answer.content.decode()
    assert "You were away" not in Client().get("/admin/login/").content.decode()


def test_a_poll_and_a_buyers_page_make_no_session(client: Client) -> None:
    client.get("/cart")
    client.post("/stkpush/status", {"checkoutRequestId": "x"}, "application/json")
    assert Session.objects.count() == 0


def test_the_cookie_is_for_this_site_and_no_script() -> None:
    cookie = tries(RIGHT).cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["max-age"]  # gone with the browser
    assert shop.SESSION_COOKIE_SECURE == shop.SECURE_SSL_REDIRECT


def test_a_form_of_a_page_that_is_too_old_is_refused_in_words(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"login": "kraph", "password": "x"})
    assert answer.status_code == 403
    assert b"reload the page and do it again" in answer.content
    assert b"CSRF" not in answer.content
