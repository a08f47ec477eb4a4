"""`manage.py check`: what a shop must not be run with. Reads settings only."""

import socket
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from payments.checks.live import RULES, unsafe
from payments.models import MpesaTransaction
from payments.signing import read_retired

__all__ = ("RULES",)

TILL = MpesaTransaction.Channel.TILL
CACHE_ANSWERS_WITHIN = 2.0  # seconds
REDIS_PORT = 6379


@register("mpesa")
def mpesa_settings_make_sense(**_: Any) -> list[CheckMessage]:
    """Wrong in every environment, though each value by itself may be right (djkraph/environment.py)."""
    return list(_everywhere())


@register("mpesa", deploy=True)
def live_shop_is_safe(**_: Any) -> list[CheckMessage]:
    """`check --deploy`: what a shop that takes real money must have, whatever this one is."""
    return list(_live())


@register("starting")
def nothing_unsafe_starts(**_: Any) -> list[CheckMessage]:
    """A live shop's commands run it before they begin, the web before it serves (djkraph/wsgi.py)."""
    return list(_unsafe()) if settings.MPESA_ENVIRONMENT == "production" else []


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
        yield from _unsafe()  # of a live one every command says it anyway
    yield from _live_alerts()
    yield from _cache()


def _unsafe() -> Iterator[CheckMessage]:
    for rule in unsafe(settings):
        yield Error(str(rule), id="payments.E102")


def _cache() -> Iterator[CheckMessage]:
    """Only asked here: the web starts without it, and says so on /health/ready."""
    for place in _servers(settings.CACHES["shared"].get("LOCATION") or ()):
        try:
            socket.create_connection(place, CACHE_ANSWERS_WITHIN).close()
        except OSError:
            yield Error(
                "CACHE_URL names a server that can't be reached: start it, or mend the address.",
                id="payments.E103",
            )
            return


def _servers(named: str | Sequence[str]) -> Iterator[tuple[str, int]]:
    for each in [named] if isinstance(named, str) else named:
        address = urlsplit(each)
        if address.scheme in ("redis", "rediss") and address.hostname:
            yield address.hostname, address.port or REDIS_PORT


def _live_alerts() -> Iterator[CheckMessage]:
    if settings.ALERT_WEBHOOK_URL and urlsplit(settings.ALERT_WEBHOOK_URL).scheme != "https":
        yield Error("ALERT_WEBHOOK_URL must be an https address.", id="payments.E108")
    if settings.ALERT_EMAILS and settings.EMAIL_BACKEND.endswith(".console.EmailBackend"):
        yield Error(
            "ALERT_EMAILS names people, and EMAIL_URL only prints: say how mail leaves, "
            "smtp+tls://user:password@host:587.",
            id="payments.E109",
        )
