"""A value of the wrong type or out of range ends whatever was started, with one line that names it."""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djkraph.environment import Environment, WrongValue
from tests.support.places import ROOT
from tests.support.races.machines import free_port
from tests.support.web import web

LONG = "9" * 40
NUMBERS = {  # the least that each takes
    "TRUSTED_PROXIES": 0,
    "STATEMENT_FILES_DAYS": 1,
    "AUDIO_MAX_MB": 1,
    "DOWNLOAD_LINK_DAYS": 1,
    "PUSH_RATE_PER_ADDRESS": 0,
    "ORDER_RATE_PER_ADDRESS": 0,
    "STATUS_RATE_PER_ADDRESS": 0,
    "WEB_THREADS": 2,
    "PUSHES_IN_FLIGHT": 1,
    "STRANGERS_KEPT_DAYS": 0,
    "PUSH_LIMIT_PER_PHONE": 0,
    "HSTS_SECONDS": 0,
    "UNPAID_PROMPTS_PER_PHONE_A_DAY": 0,
    "ORDER_LIFE_HOURS": 1,
    "SETTLED_ALONE_UP_TO_KES": 0,
    "DESK_LOGIN_FAILURES": 1,
    "DESK_LOCK_MINUTES": 1,
    "DESK_IDLE_MINUTES": 1,
    "MPESA_QUERY_BUDGET_PER_MINUTE": 1,
}
NO_NUMBER = ("x", "1.5", "1e3", "0x10", "1 000", "1,000", "²", "١", LONG, "-", "1;")
YES_NO = (
    "DATABASE_PREPARES",
    "DEBUG",
    "SECURE_SSL_REDIRECT",
    "HSTS_INCLUDE_SUBDOMAINS",
    "HSTS_PRELOAD",
    "REQUIRE_PRICED_ORDERS",
    "CALLBACK_ADDRESSES_ENFORCED",
    "C2B_REFUSES_UNKNOWN_ACCOUNTS",
)
ADDRESSES = ("MPESA_BASE_URL", "MPESA_CALLBACK_URL", "ALERT_WEBHOOK_URL", "DESK_URL")
NO_ADDRESS = (
    "nonsense",
    "host/path",
    "ftp://host/",
    "https://",
    "https:///path",
    "https://a b/",
    "https://h:x/",
)
WRONG: dict[str, tuple[str, ...]] = {
    **{name: (*NO_NUMBER, str(least - 1)) for name, least in NUMBERS.items()},
    **dict.fromkeys(YES_NO, ("perhaps", "2", "None", "tru")),
    **dict.fromkeys(ADDRESSES, NO_ADDRESS),
    "MPESA_ENVIRONMENT": ("prod", "Production", "live"),
    "MPESA_TRANSACTION_TYPE": ("CustomerPayBill", "paybill"),
    "ALLOWED_HOSTS": ("https://pay.djkraph.co.ke", "pay.djkraph.co.ke, other", "a/b"),
    "CSRF_TRUSTED_ORIGINS": ("pay.djkraph.co.ke", "https://pay.djkraph.co.ke/", "https://a, https://b"),
    "CORS_ALLOWED_ORIGINS": ("djkraph.co.ke", "https://djkraph.co.ke/cart", "*"),
    "CALLBACK_ADDRESSES": ("196.201.212", "196.201.212.69 ,196.201.212.74", "safaricom"),
    "ALERT_EMAILS": ("kraph", "kraph@djkraph.co.ke; otieno@djkraph.co.ke"),
    "DATABASE_URL": ("kraph", "mysql://u:geheim@h/x", "postgres://u:geheim@h:port/x"),
    "CACHE_URL": ("redis", "foo://u:geheim@h", "redis://u:geheim@h:port"),
    "EMAIL_URL": ("smtp.gmail.com", "foo://u:geheim@h", "smtp+tls://u:geheim@h:port"),
}
SECRETS = (
    "SECRET_KEY", "LEDGER_KEY", "LEDGER_KEYS_RETIRED", "MPESA_CONSUMER_KEY", "MPESA_CONSUMER_SECRET",
    "MPESA_PASSKEY", "ALERT_WEBHOOK_SECRET", "MPESA_INITIATOR_PASSWORD", "RECEIPTS_SECRETS",
)  # fmt: skip
WITH_PASSWORDS = ("DATABASE_URL", "CACHE_URL", "EMAIL_URL")
ANY_TEXT = (
    "SPOOL_DIR", "STATEMENTS_DIR", "MIXES_DIR", "DOWNLOADS_BY_PROXY", "MPESA_BUSINESS_SHORT_CODE", "MPESA_TILL_NUMBER",
    "MPESA_INITIATOR_NAME", "MPESA_CERTIFICATE", "EMAIL_FROM", "SHOP_CONTACT_PHONE", "SHOP_CONTACT_EMAIL",
)  # fmt: skip


def listed() -> set[str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return {line.split("=")[0] for line in lines if line and not line.startswith("#")}


@pytest.fixture
def settings_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    def read(**values: str) -> dict[str, Any]:
        for name in listed():
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "djkraph" / "settings.py"))

    return read


def refused(settings_with: Callable[..., dict[str, Any]], name: str, value: str) -> str:
    with pytest.raises(WrongValue) as ended:
        settings_with(**{name: value})
    said = str(ended.value.code)
    assert said.startswith(f"{name} ")
    assert ": it must be " in said
    assert said.endswith(".")
    assert "\n" not in said
    return said


def test_every_variable_is_in_one_of_the_tables() -> None:
    assert listed() == {*WRONG, *SECRETS, *ANY_TEXT}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_refused_in_one_line(
    name: str, value: str, settings_with: Callable[..., dict[str, Any]]
) -> None:
    said = refused(settings_with, name, value)
    assert "geheim" not in said
    assert len(said) < 300


def test_pushes_leave_threads_to_the_others(settings_with: Callable[..., dict[str, Any]]) -> None:
    assert "from 1 to 239" in refused(settings_with, "PUSHES_IN_FLIGHT", "240")
    assert settings_with(WEB_THREADS="2")["PUSHES_IN_FLIGHT"] == 1
    with pytest.raises(WrongValue):
        settings_with(WEB_THREADS="8", PUSHES_IN_FLIGHT="8")


@pytest.mark.parametrize("name", sorted({*WRONG, *SECRETS, *ANY_TEXT}))
@pytest.mark.parametrize("value", [" 1", "1 ", "1\n", "\t1"])
def test_blanks_at_the_ends_are_refused_and_not_cut(
    name: str, value: str, settings_with: Callable[..., dict[str, Any]]
) -> None:
    said = refused(settings_with, name, value)
    assert (repr(value) in said) == (
        name not in SECRETS and not name.endswith(("DATABASE_URL", "CACHE_URL", "EMAIL_URL"))
    )


def test_no_secret_is_shown(settings_with: Callable[..., dict[str, Any]]) -> None:
    for name in SECRETS:
        assert "geheim" not in refused(settings_with, name, "geheim ")


@pytest.mark.parametrize("name", [*NUMBERS, *YES_NO])
def test_empty_is_the_default(name: str, settings_with: Callable[..., dict[str, Any]]) -> None:
    empty, bare = settings_with(**{name: ""}), settings_with()
    assert [empty[each] for each in bare if each.isupper() and each != "UNFOLD"] == [
        bare[each] for each in bare if each.isupper() and each != "UNFOLD"
    ]


@pytest.mark.parametrize(
    ("said", "meant"), [("True", True), ("on", True), ("1", True), ("no", False), ("0", False)]
)
def test_yes_and_no_have_several_words(
    said: str, meant: bool, settings_with: Callable[..., dict[str, Any]]
) -> None:
    assert settings_with(REQUIRE_PRICED_ORDERS=said)["REQUIRE_PRICED_ORDERS"] is meant


@given(st.text(max_size=200).filter(lambda text: "\x00" not in text))
def test_whatever_it_holds_it_is_read_or_refused_in_one_line(value: str) -> None:
    env = Environment({"X": value})
    for read in (
        lambda: env.whole("X", 1, least=0, most=9),
        lambda: env.yes_no("X", False),
        lambda: env.one_of("X", "a", words=("a", "b")),
        lambda: env.address("X"),
        lambda: env.origins("X"),
        lambda: env.hosts("X", ["a"]),
        lambda: env.ip_addresses("X", ["::1"]),
        lambda: env.mail_addresses("X"),
        lambda: env.database_url("X", "sqlite:///x"),
        lambda: env.cache("X", "locmemcache://"),
        lambda: env.mail("X", "consolemail://"),
        lambda: env.words("X"),
        lambda: env.text("X", secret=True),
    ):
        said = ""
        try:
            read()
        except WrongValue as ended:
            said = str(ended.code)
        assert "\n" not in said


def ended(tmp_path: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=bare | {"WEB_THREADS": "many", "DATABASE_URL": f"sqlite:///{tmp_path / 'none.sqlite3'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    ["check", "check --deploy", "migrate --noinput", "reconcile_payments --watch", "run_demo", "balance"],
)
def test_every_command_ends_with_that_line_alone(command: str, tmp_path: Path) -> None:
    done = ended(tmp_path, "manage.py", *command.split())
    assert done.returncode == 1
    assert done.stderr == "WEB_THREADS is 'many': it must be a whole number from 2 to 10,000.\n"


def test_the_web_does_not_start(tmp_path: Path) -> None:
    done = ended(tmp_path, *web(free_port(), workers=2))
    assert done.returncode != 0
    assert "WEB_THREADS is 'many'" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout
