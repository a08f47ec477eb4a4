"""`manage.py check`: what a shop may not be run with, each in a sentence."""

import socket
from typing import Any

import pytest
from django.core.checks import run_checks

from payments.checks import live_shop_is_safe, mpesa_settings_make_sense, nothing_unsafe_starts

REDIS = "django.core.cache.backends.redis.RedisCache"


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


def test_mails_that_would_only_be_printed_are_refused(settings: Any) -> None:
    before = ids(live_shop_is_safe())
    settings.ALERT_EMAILS = ["kraph@djkraph.co.ke"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert ids(live_shop_is_safe()) == [*before, "E109"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert ids(live_shop_is_safe()) == before


def test_a_webhook_of_a_live_shop_is_https(settings: Any) -> None:
    before = ids(live_shop_is_safe())
    settings.ALERT_WEBHOOK_URL = "http://hooks.djkraph.co.ke/desk"
    assert ids(live_shop_is_safe()) == [*before, "E108"]


def test_a_cache_that_cannot_be_reached_is_told_by_the_deploy_check(settings: Any) -> None:
    before = ids(live_shop_is_safe())
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        settings.CACHES = settings.CACHES | {
            "shared": {"BACKEND": REDIS, "LOCATION": f"redis://127.0.0.1:{port}/0"}
        }
        assert ids(live_shop_is_safe()) == before
    assert ids(live_shop_is_safe()) == [*before, "E103"]
    settings.MPESA_ENVIRONMENT = "production"
    assert "E103" not in ids(nothing_unsafe_starts())
