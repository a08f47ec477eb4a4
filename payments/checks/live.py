"""What makes a live shop unsafe: one list, which `check --deploy`, the web, the worker and `release` all refuse to
start with, and which docs/go-live.md shows. Reads settings and, for one entry, tries the disk; asks nobody, looks up no
name.

A live shop is one with MPESA_ENVIRONMENT=production.
"""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from djkraph.settings import DEMO_SECRET, SANDBOX_PASSKEY
from payments.daraja import CertificateUnreadable, public_key
from payments.models import MpesaTransaction

Settings = Any  # django.conf.settings, or whatever has its names
TILL = MpesaTransaction.Channel.TILL
SHORTEST_SECRET = 32  # characters
SANDBOX_SHORT_CODE = "174379"
SIMULATORS_CERTIFICATE = "payments/simulator/static/certificate.pem"
SAFARICOM = ("api.safaricom.co.ke",)
RATES = (
    "PUSH_RATE_PER_ADDRESS",
    "ORDER_RATE_PER_ADDRESS",
    "STATUS_RATE_PER_ADDRESS",
    "PUSH_LIMIT_PER_PHONE",
    "UNPAID_PROMPTS_PER_PHONE_A_DAY",
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`wrong`: the values that it refuses, `say`: what is said of them, each for people; `is_wrong` of the settings."""

    variable: str
    wrong: str
    say: str
    is_wrong: Callable[[Settings], bool]

    def __str__(self) -> str:
        return f"{self.variable} {self.say}"


def unsafe(settings: Settings) -> Iterator[Rule]:
    """The rules that these settings break, in the order of the list."""
    return (rule for rule in RULES if rule.is_wrong(settings))


# --- secrets --------------------------------------------------------------------------------------------


def _secret(variable: str, values: Callable[[Settings], Iterable[str]]) -> tuple[Rule, ...]:
    def any_of(is_wrong: Callable[[str], bool]) -> Callable[[Settings], bool]:
        return lambda settings: any(is_wrong(each) for each in values(settings))

    return (
        Rule(
            variable=variable,
            wrong="empty",
            say="is empty: it needs a long random text.",
            is_wrong=lambda settings: not any(values(settings)),
        ),
        Rule(
            variable=variable,
            wrong="the demo's",
            say="is the demo's, which everybody knows: it needs a long random text of your own.",
            is_wrong=any_of(lambda each: each == DEMO_SECRET),
        ),
        Rule(
            variable=variable,
            wrong=f"shorter than {SHORTEST_SECRET} characters",
            say=f"is too short: it needs at least {SHORTEST_SECRET} random characters.",
            is_wrong=any_of(lambda each: 0 < len(each) < SHORTEST_SECRET and each != DEMO_SECRET),
        ),
        Rule(
            variable=variable,
            wrong="with blanks at an end",
            say="has blanks at an end: write it without them.",
            is_wrong=any_of(lambda each: each != each.strip()),
        ),
    )


def _ledger_keys(settings: Settings) -> Sequence[str]:
    keys: Sequence[str] = settings.LEDGER_KEY
    return keys


SECRETS = (
    *_secret("SECRET_KEY", lambda settings: [settings.SECRET_KEY]),
    *_secret("LEDGER_KEY", _ledger_keys),
    Rule(
        variable="LEDGER_KEY",
        wrong="the same as SECRET_KEY",
        say="is the same as SECRET_KEY: use two, so that one that leaks does not open both.",
        is_wrong=lambda settings: bool(settings.SECRET_KEY) and settings.SECRET_KEY in settings.LEDGER_KEY,
    ),
)


# --- Safaricom ------------------------------------------------------------------------------------------


def _from_safaricom(variable: str) -> tuple[Rule, ...]:
    def is_wrong(of: Callable[[str], bool]) -> Callable[[Settings], bool]:
        return lambda settings: of(getattr(settings, variable))

    return (
        Rule(
            variable=variable,
            wrong="empty",
            say="is empty: use what Safaricom gave your app.",
            is_wrong=is_wrong(lambda value: not value),
        ),
        Rule(
            variable=variable,
            wrong="the simulator's, the public sandbox's",
            say="is the simulator's or the public sandbox's: use what Safaricom gave your app.",
            is_wrong=is_wrong(lambda value: value.startswith("simulator-") or value == SANDBOX_PASSKEY),
        ),
        Rule(
            variable=variable,
            wrong="with a blank in it",
            say="holds a blank: copy it once more, without.",
            is_wrong=is_wrong(lambda value: bool(re.search(r"\s", value))),
        ),
    )


def _base_url_is_strange(settings: Settings) -> bool:
    address = urlsplit(settings.MPESA_BASE_URL)
    return bool(settings.MPESA_BASE_URL) and (address.scheme != "https" or address.hostname not in SAFARICOM)


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(r"[0-9]+", value, re.ASCII))


MERCHANT = (
    Rule(
        variable="MPESA_BASE_URL",
        wrong="any host that isn't Safaricom's",
        say=f"is not Safaricom's: leave it empty, or https://{SAFARICOM[0]}.",
        is_wrong=_base_url_is_strange,
    ),
    *_from_safaricom("MPESA_CONSUMER_KEY"),
    *_from_safaricom("MPESA_CONSUMER_SECRET"),
    *_from_safaricom("MPESA_PASSKEY"),
    Rule(
        variable="MPESA_BUSINESS_SHORT_CODE",
        wrong="anything but digits",
        say="has something else than digits in it: write the number of the paybill, or of the till's store.",
        is_wrong=lambda settings: not _is_number(settings.MPESA_BUSINESS_SHORT_CODE),
    ),
    Rule(
        variable="MPESA_BUSINESS_SHORT_CODE",
        wrong=f"the sandbox's, {SANDBOX_SHORT_CODE}",
        say="is the sandbox's: use the shop's own.",
        is_wrong=lambda settings: settings.MPESA_BUSINESS_SHORT_CODE == SANDBOX_SHORT_CODE,
    ),
    Rule(
        variable="MPESA_TILL_NUMBER",
        wrong="anything but digits; empty with CustomerBuyGoodsOnline",
        say="is not a till's number: write its digits (empty for a paybill).",
        is_wrong=lambda settings: (
            not _is_number(settings.MPESA_TILL_NUMBER)
            if settings.MPESA_TILL_NUMBER or settings.MPESA_TRANSACTION_TYPE == TILL
            else False
        ),
    ),
    Rule(
        variable="MPESA_TILL_NUMBER",
        wrong=f"the sandbox's, {SANDBOX_SHORT_CODE}",
        say="is the sandbox's: use the shop's own.",
        is_wrong=lambda settings: settings.MPESA_TILL_NUMBER == SANDBOX_SHORT_CODE,
    ),
)


# --- where Safaricom delivers ---------------------------------------------------------------------------


def _callback(is_wrong: Callable[[SplitResult], bool]) -> Callable[[Settings], bool]:
    return lambda settings: is_wrong(urlsplit(settings.MPESA_CALLBACK_URL))


def is_public(host: str | None) -> bool:
    """As far as a name by itself tells: it is looked up nowhere."""
    name = (host or "").rstrip(".").casefold()
    try:
        return ip_address(name).is_global
    except ValueError:
        labels = name.split(".")
    is_a_name = len(labels) > 1 and all(labels) and not labels[-1].isdigit()
    return is_a_name and labels[-1] not in (
        "local",
        "localhost",
        "localdomain",
        "internal",
        "lan",
        "home",
        "test",
    )


CALLBACK = (
    Rule(
        variable="MPESA_CALLBACK_URL",
        wrong="not https",
        say="is not https: Safaricom delivers to no other.",
        is_wrong=_callback(lambda address: address.scheme != "https"),
    ),
    Rule(
        variable="MPESA_CALLBACK_URL",
        wrong="a private, loopback or `.local` host",
        say="names a host that Safaricom can't reach: it must be public.",
        is_wrong=_callback(lambda address: not is_public(address.hostname)),
    ),
    Rule(
        variable="MPESA_CALLBACK_URL",
        wrong="upper case",
        say="has upper case in it: write it in lower case.",
        is_wrong=lambda settings: settings.MPESA_CALLBACK_URL.lower() != settings.MPESA_CALLBACK_URL,
    ),
    Rule(
        variable="MPESA_CALLBACK_URL",
        wrong="blanks",
        say="has blanks in it: write it without.",
        is_wrong=lambda settings: bool(re.search(r"\s|%20", settings.MPESA_CALLBACK_URL)),
    ),
    Rule(
        variable="MPESA_CALLBACK_URL",
        wrong="a query (`?…`) or a fragment (`#…`)",
        say="has a query: a secret is put behind its path, so it ends with the path.",
        is_wrong=lambda settings: bool(re.search(r"[?#]", settings.MPESA_CALLBACK_URL)),
    ),
    Rule(
        variable="MPESA_CALLBACK_URL",
        wrong='the word "mpesa"',
        say='has the word "mpesa" in it, which Safaricom refuses: /api/payments/callback has not.',
        is_wrong=lambda settings: "mpesa" in settings.MPESA_CALLBACK_URL.casefold(),
    ),
)


# --- who sends money back -------------------------------------------------------------------------------


def _initiator(settings: Settings) -> tuple[str, str, str]:
    return settings.MPESA_INITIATOR_NAME, settings.MPESA_INITIATOR_PASSWORD, settings.MPESA_CERTIFICATE


def _certificate_is_not_theirs(settings: Settings) -> bool:
    if not settings.MPESA_CERTIFICATE:
        return False
    try:
        file = Path(settings.BASE_DIR, settings.MPESA_CERTIFICATE).read_bytes()
        public_key(file)
    except (OSError, CertificateUnreadable):
        return True
    return file == Path(settings.BASE_DIR, SIMULATORS_CERTIFICATE).read_bytes()


INITIATOR = (
    Rule(
        variable="MPESA_INITIATOR_NAME",
        wrong="some of MPESA_INITIATOR_NAME, MPESA_INITIATOR_PASSWORD and MPESA_CERTIFICATE, and not all",
        say="goes with MPESA_INITIATOR_PASSWORD and MPESA_CERTIFICATE: set all three, or none.",
        is_wrong=lambda settings: any(_initiator(settings)) and not all(_initiator(settings)),
    ),
    Rule(
        variable="MPESA_INITIATOR_NAME",
        wrong="the simulator's",
        say="is the simulator's: use the initiator of the M-PESA portal, or leave it empty.",
        is_wrong=lambda settings: settings.MPESA_INITIATOR_NAME == "simulator-initiator",
    ),
    Rule(
        variable="MPESA_CERTIFICATE",
        wrong="no file of a certificate; the simulator's",
        say="is no file of Safaricom's certificate: take the one of the Daraja portal, as PEM or DER.",
        is_wrong=_certificate_is_not_theirs,
    ),
)


# --- the machine ----------------------------------------------------------------------------------------


def _spool_is_shut(settings: Settings) -> bool:
    try:
        Path(settings.SPOOL_DIR).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.SPOOL_DIR):
            return False
    except OSError:
        return True


def _rate(variable: str) -> Rule:
    return Rule(
        variable=variable,
        wrong="0",
        say="is 0: nobody could buy. It must be at least 1.",
        is_wrong=lambda settings: getattr(settings, variable) < 1,
    )


MACHINE = (
    Rule(
        variable="DEBUG",
        wrong="True",
        say="is True: an error would show the shop's insides to everybody.",
        is_wrong=lambda settings: settings.DEBUG,
    ),
    Rule(
        variable="DATABASE_URL",
        wrong="empty, SQLite",
        say="names SQLite: a live shop needs PostgreSQL, postgres://user:password@host:5432/name.",
        is_wrong=lambda settings: settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"),
    ),
    Rule(
        variable="ALLOWED_HOSTS",
        wrong="`*`; empty",
        say="must name the shop's own hosts, and not all (*).",
        is_wrong=lambda settings: (
            not settings.ALLOWED_HOSTS or any("*" in host for host in settings.ALLOWED_HOSTS)
        ),
    ),
    Rule(
        variable="TRUSTED_PROXIES",
        wrong="0 with SECURE_SSL_REDIRECT=True",
        say="is 0, and a proxy does the TLS: all buyers would share its address, and each page would lead to itself.",
        is_wrong=lambda settings: settings.SECURE_SSL_REDIRECT and settings.TRUSTED_PROXIES < 1,
    ),
    *map(_rate, RATES),
    Rule(
        variable="SPOOL_DIR",
        wrong="a folder that can't be written",
        say="can't be written: callbacks would be lost when the database is away.",
        is_wrong=_spool_is_shut,
    ),
)

RULES: tuple[Rule, ...] = (*MACHINE, *SECRETS, *MERCHANT, *CALLBACK, *INITIATOR)
