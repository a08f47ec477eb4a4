"""`manage.py check`: what a shop may not be run with, each in a sentence."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import run_checks

from payments.checks import live_shop_is_safe, mpesa_settings_make_sense
from tests.support.places import ROOT


def ids(messages: list[Any]) -> list[str]:
    assert all(str(message.msg).endswith(".") for message in messages)
    return [message.id.removeprefix("payments.") for message in messages]


def test_no_check_asks_the_database() -> None:
    """`migrate` runs them before there is a table: a check that looks into one would stop a new shop's first step.
    (This test may not use the database, so that it fails where a check does.)"""
    assert [found for found in run_checks() if not found.is_silenced()] == []


def test_the_demo_makes_sense() -> None:
    assert ids(mpesa_settings_make_sense()) == []


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("MPESA_TRANSACTION_TYPE", "CustomerBuyGoodsOnline", "E003"),
        ("LEDGER_KEY", [], "E004"),
        ("LEDGER_KEY", [""], "E004"),
        ("LEDGER_KEYS_RETIRED", ["an-old-key"], "E008"),
        ("LEDGER_KEYS_RETIRED", ["@2026-11-01T00:00:00+03:00"], "E008"),
        ("LEDGER_KEYS_RETIRED", ["an-old-key@2026-11-01T00:00:00"], "E008"),
        ("LEDGER_KEYS_RETIRED", ["an-old-key@yesterday"], "E008"),
        ("LEDGER_KEYS_RETIRED", ["tests-only-ledger-key@2026-11-01T00:00:00+03:00"], "E009"),
        ("ALERT_WEBHOOK_URL", "https://hooks.djkraph.co.ke/desk", "E013"),
    ],
)
def test_nonsense_is_refused_everywhere(setting: str, value: Any, expected: str, settings: Any) -> None:
    setattr(settings, setting, value)
    assert ids(mpesa_settings_make_sense()) == [expected]


@pytest.fixture
def live(settings: Any) -> Any:
    """A shop that may go live."""
    settings.MPESA_ENVIRONMENT = "production"
    settings.MPESA_PASSKEY = "a-passkey-of-its-own"
    settings.MPESA_BUSINESS_SHORT_CODE = "600123"
    settings.MPESA_CONSUMER_KEY = "a-key-of-its-own"
    settings.MPESA_CALLBACK_URL = "https://pay.djkraph.co.ke/api/payments/callback"
    settings.DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"}}
    settings.LEDGER_KEY = ["of its own"]
    settings.SECRET_KEY = "of its own too"
    return settings


def test_a_live_shop_is_told_of_nothing() -> None:
    """The whole of `check --deploy`, Django's own and the libraries' too, as docs/go-live.md has it run."""
    told = {
        "SECRET_KEY": "".join(chr(33 + n) for n in range(60)),
        "LEDGER_KEY": "of its own",
        "ALLOWED_HOSTS": "pay.djkraph.co.ke",
        "SECURE_SSL_REDIRECT": "True",
        "DATABASE_URL": "postgres://kraph:secret@db/kraph",
        "MPESA_ENVIRONMENT": "production",
        "MPESA_PASSKEY": "a-passkey-of-its-own",
        "MPESA_BUSINESS_SHORT_CODE": "600123",
        "MPESA_CONSUMER_KEY": "a-key-of-its-own",
        "MPESA_CONSUMER_SECRET": "a-secret-of-its-own",
        "MPESA_CALLBACK_URL": "https://pay.djkraph.co.ke/api/payments/callback",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env={**os.environ, "DJANGO_SETTINGS_MODULE": "djkraph.settings", **told},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


def test_a_live_shop_passes(live: Any) -> None:
    assert ids(live_shop_is_safe()) == []


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("MPESA_ENVIRONMENT", "simulator", "E101"),
        ("MPESA_ENVIRONMENT", "sandbox", "E101"),
        ("MPESA_BUSINESS_SHORT_CODE", "174379", "E102"),
        ("MPESA_CONSUMER_KEY", "simulator-consumer-key", "E103"),
        ("MPESA_CALLBACK_URL", "http://pay.djkraph.co.ke/cb", "E104"),
        ("MPESA_CALLBACK_URL", "https://localhost/cb", "E104"),
        ("MPESA_CALLBACK_URL", "nonsense", "E104"),
        ("MPESA_CALLBACK_URL", "https://Pay.djkraph.co.ke/cb", "E107"),
        ("DATABASES", {"default": {"ENGINE": "django.db.backends.sqlite3"}}, "E105"),
        ("ALERT_WEBHOOK_URL", "http://hooks.djkraph.co.ke/desk", "E108"),
        ("LEDGER_KEY", ["demo-only-not-for-a-live-shop"], "E106"),
        ("LEDGER_KEY", ["new", "demo-only-not-for-a-live-shop"], "E106"),
        ("SECRET_KEY", "demo-only-not-for-a-live-shop", "E106"),
    ],
)
def test_a_shop_that_is_not_safe_is_refused(setting: str, value: Any, expected: str, live: Any) -> None:
    setattr(live, setting, value)
    assert ids(live_shop_is_safe()) == [expected]


@pytest.mark.parametrize("url", ["hooks.djkraph.co.ke", "ftp://hooks.djkraph.co.ke/desk", "https:///desk"])
def test_a_webhook_that_is_no_address_is_refused(url: str, settings: Any) -> None:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = url, "a-secret"
    assert ids(mpesa_settings_make_sense()) == ["E012"]


def test_mails_that_would_only_be_printed_are_refused(live: Any) -> None:
    live.ALERT_EMAILS = ["kraph@djkraph.co.ke"]
    live.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert ids(live_shop_is_safe()) == ["E109"]
    live.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert ids(live_shop_is_safe()) == []


def test_the_sandbox_passkey_is_refused(live: Any) -> None:
    live.MPESA_PASSKEY = live.SANDBOX_PASSKEY
    assert ids(live_shop_is_safe()) == ["E102"]
