"""`manage.py check`: what a shop must not be run with. Reads settings only."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from djkraph.settings import DEMO_SECRET
from payments.models import MpesaTransaction
from payments.signing import read_retired

TILL = MpesaTransaction.Channel.TILL


@register("mpesa")
def mpesa_settings_make_sense(**_: Any) -> list[CheckMessage]:
    """Wrong in every environment, though each value by itself may be right (djkraph/environment.py)."""
    return list(_everywhere())


@register("mpesa", deploy=True)
def live_shop_is_safe(**_: Any) -> list[CheckMessage]:
    """`check --deploy`: what a shop that takes real money must have."""
    return list(_live())


def _everywhere() -> Iterator[CheckMessage]:
    if settings.MPESA_TRANSACTION_TYPE == TILL and not settings.MPESA_TILL_NUMBER:
        yield Error(
            "A till needs MPESA_TILL_NUMBER; MPESA_BUSINESS_SHORT_CODE is then its store number.",
            id="payments.E003",
        )
    if not settings.LEDGER_KEY or not all(settings.LEDGER_KEY):
        yield Error("LEDGER_KEY is empty: the ledger can't be signed.", id="payments.E004")
    yield from _retired_keys()
    yield from _alerts()


def _alerts() -> Iterator[CheckMessage]:
    if not settings.ALERT_WEBHOOK_URL:
        return
    address = urlsplit(settings.ALERT_WEBHOOK_URL)
    if address.scheme not in ("http", "https") or not address.hostname:
        yield Error("ALERT_WEBHOOK_URL is an address like https://host/path.", id="payments.E012")
    if not settings.ALERT_WEBHOOK_SECRET:
        yield Error(
            "ALERT_WEBHOOK_URL needs ALERT_WEBHOOK_SECRET, a long random text that signs each post.",
            id="payments.E013",
        )


def _retired_keys() -> Iterator[CheckMessage]:
    for each in settings.LEDGER_KEYS_RETIRED:
        try:
            key, _ = read_retired(each)
        except ValueError:
            yield Error(
                "LEDGER_KEYS_RETIRED names each key as key@time, the time with its zone: "
                "an-old-key@2026-11-01T00:00:00+03:00.",
                id="payments.E008",
            )
        else:
            if key in settings.LEDGER_KEY:
                yield Error(
                    "LEDGER_KEYS_RETIRED names a key that is in LEDGER_KEY too: take it out there.",
                    id="payments.E009",
                )


def _live() -> Iterator[CheckMessage]:
    if settings.MPESA_ENVIRONMENT != "production":
        yield Error(
            f"MPESA_ENVIRONMENT is {settings.MPESA_ENVIRONMENT!r}: a live shop uses 'production'.",
            id="payments.E101",
        )
    if settings.SANDBOX_PASSKEY == settings.MPESA_PASSKEY or settings.MPESA_BUSINESS_SHORT_CODE == "174379":
        yield Error("These are the sandbox's short code or passkey: use the shop's own.", id="payments.E102")
    if settings.MPESA_CONSUMER_KEY.startswith("simulator-"):
        yield Error("MPESA_CONSUMER_KEY is the simulator's: use the Daraja app's own.", id="payments.E103")
    yield from _live_address()
    yield from _live_alerts()
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield Error("A live shop needs PostgreSQL: set DATABASE_URL.", id="payments.E105")
    if DEMO_SECRET in settings.LEDGER_KEY or settings.SECRET_KEY == DEMO_SECRET:
        yield Error("SECRET_KEY and LEDGER_KEY must be secrets of your own.", id="payments.E106")


def _live_address() -> Iterator[CheckMessage]:
    address = urlsplit(settings.MPESA_CALLBACK_URL)
    if address.scheme != "https" or address.hostname in (None, "localhost", "127.0.0.1", "::1"):
        yield Error(
            "MPESA_CALLBACK_URL must be a public https address: Safaricom delivers there.", id="payments.E104"
        )
    elif address.netloc != address.netloc.lower():
        yield Error("MPESA_CALLBACK_URL: write the host in lower case.", id="payments.E107")


def _live_alerts() -> Iterator[CheckMessage]:
    if settings.ALERT_WEBHOOK_URL and urlsplit(settings.ALERT_WEBHOOK_URL).scheme != "https":
        yield Error("ALERT_WEBHOOK_URL must be an https address.", id="payments.E108")
    if settings.ALERT_EMAILS and settings.EMAIL_BACKEND.endswith(".console.EmailBackend"):
        yield Error(
            "ALERT_EMAILS names people, and EMAIL_URL only prints: say how mail leaves, "
            "smtp+tls://user:password@host:587.",
            id="payments.E109",
        )
