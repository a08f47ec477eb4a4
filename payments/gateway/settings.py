"""Settings → configured things for the rooms above: the Daraja client, the keys, the limits.

Beside checks.py the only reader of settings in payments. No rule about money here.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from payments.daraja import (
    CertificateUnreadable,
    DarajaClient,
    Initiator,
    Merchant,
    ResultAddresses,
    TransactionType,
    public_key,
)
from payments.gateway.clock import now
from payments.gateway.token import SharedTokens
from payments.phones import phone_hash
from payments.signing import Keyring, read_retired

BASE_URLS = {
    "simulator": "http://127.0.0.1:8001",
    "sandbox": "https://sandbox.safaricom.co.ke",
    "production": "https://api.safaricom.co.ke",
}


def base_url() -> str:
    """MPESA_BASE_URL where set, else the environment's own address."""
    try:
        return settings.MPESA_BASE_URL or BASE_URLS[settings.MPESA_ENVIRONMENT]
    except KeyError:
        known = ", ".join(BASE_URLS)
        raise ImproperlyConfigured(f"MPESA_ENVIRONMENT is one of {known}.") from None


def merchant() -> Merchant:
    """Who is paid: the paybill, or the till with its store number."""
    return Merchant(
        short_code=settings.MPESA_BUSINESS_SHORT_CODE,
        passkey=settings.MPESA_PASSKEY,
        transaction_type=TransactionType(settings.MPESA_TRANSACTION_TYPE),
        till_number=settings.MPESA_TILL_NUMBER or None,
    )


def short_codes() -> list[str]:
    """What a statement of ours may be of: the paybill, or the store number and its till."""
    paid = merchant()
    return [code for code in (paid.short_code, paid.till_number) if code]


def client() -> DarajaClient:
    """This process's client; its connections are reused."""
    return _client(
        base_url(),
        settings.MPESA_CONSUMER_KEY,
        settings.MPESA_CONSUMER_SECRET,
        merchant(),
        settings.SECRET_KEY,
    )


def no_token_since() -> datetime | None:
    """Since when Safaricom gives no token, so that nobody can be asked to pay. None where it does."""
    return _tokens(base_url(), settings.MPESA_CONSUMER_KEY, settings.SECRET_KEY).refused_since()


@cache
def _tokens(url: str, key: str, sealing_key: str) -> SharedTokens:
    return SharedTokens(app=key, base_url=url, sealing_key=sealing_key, clock=now)


@cache
def _client(url: str, key: str, secret: str, paid: Merchant, sealing_key: str) -> DarajaClient:
    return DarajaClient(
        base_url=url,
        consumer_key=key,
        consumer_secret=secret,
        merchant=paid,
        tokens=_tokens(url, key, sealing_key),
        clock=timezone.now,
    )


def callback_url(token: str) -> str:
    """Where Safaricom tells us about one attempt."""
    return f"{settings.MPESA_CALLBACK_URL.rstrip('/')}/{token}"


def result_addresses(token: str) -> ResultAddresses:
    """Where Safaricom tells what came of one order: beside the callback's address, on the same host."""
    front, _, _ = settings.MPESA_CALLBACK_URL.partition("/api/")
    return ResultAddresses(
        result_url=f"{front.rstrip('/')}/api/payments/results/{token}",
        timeout_url=f"{front.rstrip('/')}/api/payments/timeouts/{token}",
    )


def notice_tokens() -> list[str]:
    """The secret parts of the address at which payments by hand are told of, one for each key of the ledger: the first
    is registered, all are heard."""
    ring = keyring()
    return [
        hmac.new(key.encode(), b"notices of payments by hand", hashlib.sha256).hexdigest()[:48]
        for key in (*ring.keys, *ring.retired)
    ]


def notice_addresses() -> tuple[str, str]:
    """Where a payment by hand is confirmed, and where it is asked about before. No word is in it that they refuse."""
    front, _, _ = settings.MPESA_CALLBACK_URL.partition("/api/")
    token, front = notice_tokens()[0], front.rstrip("/")
    return f"{front}/api/payments/confirmed/{token}", f"{front}/api/payments/validated/{token}"


def feed_secrets() -> list[str]:
    """What signs the receipts that another system hands on. Empty: none does."""
    return list(settings.RECEIPTS_SECRETS)


def is_paybill() -> bool:
    return merchant().transaction_type is TransactionType.PAYBILL


def refuses_unknown_accounts() -> bool:
    """Whether a payment by hand that can mean no order is refused before it is made."""
    return bool(settings.C2B_REFUSES_UNKNOWN_ACCOUNTS)


def initiator() -> Initiator | None:
    """Who acts for the shop beyond taking payments. None: it is switched off. Raises ImproperlyConfigured where the
    certificate's file can't be read."""
    name, password = settings.MPESA_INITIATOR_NAME, settings.MPESA_INITIATOR_PASSWORD
    if not (name and password and settings.MPESA_CERTIFICATE):
        return None
    return _initiator(name, password, str(Path(settings.BASE_DIR, settings.MPESA_CERTIFICATE)))


@cache
def _initiator(name: str, password: str, file: str) -> Initiator:
    try:
        certificate = Path(file).read_bytes()
        public_key(certificate)
    except (OSError, CertificateUnreadable):
        raise ImproperlyConfigured(
            "MPESA_CERTIFICATE names no file of a certificate: it must be Safaricom's, as PEM or DER."
        ) from None
    return Initiator(name=name, password=password, certificate=certificate)


def is_safaricom(address: str | None) -> bool:
    """Whether a callback's source is one of the addresses that Safaricom publishes. A signal, not a proof."""
    return address in settings.CALLBACK_ADDRESSES


def only_safaricom_may_call_back() -> bool:
    enforced: bool = settings.CALLBACK_ADDRESSES_ENFORCED
    return enforced


def spool_folder() -> Path:
    return Path(settings.SPOOL_DIR)


def statement_folder() -> Path:
    """Where the files of statements are kept as they came."""
    return Path(settings.STATEMENTS_DIR)


def statement_files_days() -> int:
    return settings.STATEMENT_FILES_DAYS


def keyring() -> Keyring:
    return _keyring(tuple(settings.LEDGER_KEY), tuple(settings.LEDGER_KEYS_RETIRED))


@cache
def _keyring(keys: tuple[str, ...], retired: tuple[str, ...]) -> Keyring:
    return Keyring(keys, dict(read_retired(each) for each in retired))


def phone_hashes(msisdn: str) -> list[str]:
    """This number's hash under each key, live ones before retired ones: the first is written, all are searched."""
    ring = keyring()
    return [phone_hash(msisdn, key) for key in (*ring.keys, *ring.retired)]


def prompts_per_phone() -> int:
    """Prompts that one phone may get in ten minutes."""
    return settings.PUSH_LIMIT_PER_PHONE


def unpaid_prompts_a_day() -> int:
    """Prompts that one phone may get in 24 hours for what it does not pay."""
    return settings.UNPAID_PROMPTS_PER_PHONE_A_DAY


def order_life() -> timedelta:
    """After this an unpaid order ends."""
    return timedelta(hours=settings.ORDER_LIFE_HOURS)


def pushes_in_flight() -> int:
    """How many pushes one process may have in flight."""
    return settings.PUSHES_IN_FLIGHT


def strangers_kept_days() -> int:
    """How long posts stay in the inbox that were never ours."""
    return settings.STRANGERS_KEPT_DAYS


def priced_orders_only() -> bool:
    return settings.REQUIRE_PRICED_ORDERS


def queries_per_minute() -> int:
    return settings.MPESA_QUERY_BUDGET_PER_MINUTE


def settled_alone_up_to() -> int:
    """How much (KES) one member of staff may decide about alone in a day, all decisions about money together."""
    return settings.SETTLED_ALONE_UP_TO_KES


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Where a program of the shop's owner is told, and what signs it. `anywhere`: on a developer's machine it may stand
    on http and at a private address."""

    url: str = field(repr=False)  # it may hold a token
    secret: str = field(repr=False)
    anywhere: bool


def alert_emails() -> list[str]:
    """Who is told by mail."""
    return settings.ALERT_EMAILS


def alert_webhook() -> Webhook | None:
    if not (settings.ALERT_WEBHOOK_URL and settings.ALERT_WEBHOOK_SECRET):
        return None
    demo = settings.DEBUG or settings.MPESA_ENVIRONMENT == "simulator"
    return Webhook(url=settings.ALERT_WEBHOOK_URL, secret=settings.ALERT_WEBHOOK_SECRET, anywhere=demo)


def desk_url(path: str) -> str:
    """This page of the desk, for whoever is not at it. Where DESK_URL is empty, at the host that Safaricom calls."""
    called = urlsplit(settings.MPESA_CALLBACK_URL)
    return f"{settings.DESK_URL.rstrip('/') or f'{called.scheme}://{called.netloc}'}{path}"
