"""A live shop that is unsafe doesn't start: the web, the worker, `release` and `check --deploy` refuse one list."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djkraph.settings import DEMO_SECRET, SANDBOX_PASSKEY
from payments.checks import RULES
from payments.checks.live import is_public, unsafe
from payments.management.commands.live_refusals import table
from tests.support.places import ROOT
from tests.support.races.machines import free_port
from tests.support.web import web

OWN = "".join(chr(33 + n) for n in range(60) if chr(33 + n) not in ",$#")
LIVE = {
    "SECRET_KEY": OWN,
    "LEDGER_KEY": "ledger-" + OWN[::-1],
    "ALLOWED_HOSTS": "pay.djkraph.co.ke",
    "SECURE_SSL_REDIRECT": "True",
    "TRUSTED_PROXIES": "1",
    "DATABASE_URL": "postgres://kraph:secret@db/kraph",
    "MPESA_ENVIRONMENT": "production",
    "MPESA_PASSKEY": "a-passkey-of-its-own",
    "MPESA_BUSINESS_SHORT_CODE": "600123",
    "MPESA_CONSUMER_KEY": "a-key-of-its-own",
    "MPESA_CONSUMER_SECRET": "a-secret-of-its-own",
    "MPESA_CALLBACK_URL": "https://pay.djkraph.co.ke/api/payments/callback",
}
FROM_SAFARICOM = ("MPESA_CONSUMER_KEY", "MPESA_CONSUMER_SECRET", "MPESA_PASSKEY")
RATES = (
    "PUSH_RATE_PER_ADDRESS",
    "ORDER_RATE_PER_ADDRESS",
    "STATUS_RATE_PER_ADDRESS",
    "PUSH_LIMIT_PER_PHONE",
    "UNPAID_PROMPTS_PER_PHONE_A_DAY",
)

# what the setting holds, the variable that is named, a word of what is said of it
DANGERS: list[tuple[dict[str, Any], str, str]] = [
    ({"DEBUG": True}, "DEBUG", "True"),
    ({"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}}, "DATABASE_URL", "PostgreSQL"),
    *[
        ({"ALLOWED_HOSTS": hosts}, "ALLOWED_HOSTS", "hosts")
        for hosts in ([], ["*"], ["pay.djkraph.co.ke", "*"])
    ],
    ({"TRUSTED_PROXIES": 0}, "TRUSTED_PROXIES", "TLS"),
    *[({name: 0}, name, "at least 1") for name in RATES],
    ({"SPOOL_DIR": "/dev/null/spool"}, "SPOOL_DIR", "written"),
    ({"MPESA_INITIATOR_NAME": "kraph"}, "MPESA_INITIATOR_NAME", "all three"),
    ({"MPESA_INITIATOR_PASSWORD": "x"}, "MPESA_INITIATOR_NAME", "all three"),
    ({"MPESA_INITIATOR_NAME": "simulator-initiator"}, "MPESA_INITIATOR_NAME", "simulator's"),
    *[
        (
            {"MPESA_CERTIFICATE": file, "MPESA_INITIATOR_NAME": "kraph", "MPESA_INITIATOR_PASSWORD": "x"},
            "MPESA_CERTIFICATE",
            "certificate",
        )
        for file in ("README.md", "nowhere.pem", "payments/simulator/static/certificate.pem")
    ],
    ({"SECRET_KEY": ""}, "SECRET_KEY", "empty"),
    ({"SECRET_KEY": DEMO_SECRET}, "SECRET_KEY", "demo"),
    ({"SECRET_KEY": "x" * 31}, "SECRET_KEY", "short"),
    ({"SECRET_KEY": "x" * 40 + " "}, "SECRET_KEY", "blanks"),
    ({"LEDGER_KEY": []}, "LEDGER_KEY", "empty"),
    ({"LEDGER_KEY": [""]}, "LEDGER_KEY", "empty"),
    ({"LEDGER_KEY": [DEMO_SECRET]}, "LEDGER_KEY", "demo"),
    ({"LEDGER_KEY": ["y" * 40, DEMO_SECRET]}, "LEDGER_KEY", "demo"),
    ({"LEDGER_KEY": ["y" * 31]}, "LEDGER_KEY", "short"),
    ({"LEDGER_KEY": [" " + "y" * 40]}, "LEDGER_KEY", "blanks"),
    ({"LEDGER_KEY": [OWN]}, "LEDGER_KEY", "same as SECRET_KEY"),
    *[
        ({"MPESA_BASE_URL": address}, "MPESA_BASE_URL", "Safaricom's")
        for address in (
            "http://127.0.0.1:9000",
            "https://sandbox.safaricom.co.ke",
            "http://api.safaricom.co.ke",
            "https://api.safaricom.co.ke.example.com",
            "https://api.safaricom.co.ke@example.com",
        )
    ],
    *[
        ({name: value}, name, said)
        for name in FROM_SAFARICOM
        for value, said in (
            ("", "empty"),
            ("simulator-consumer-key", "simulator's"),
            (SANDBOX_PASSKEY, "sandbox's"),
            ("a b", "blank"),
        )
    ],
    ({"MPESA_BUSINESS_SHORT_CODE": "174379"}, "MPESA_BUSINESS_SHORT_CODE", "sandbox's"),
    *[
        ({"MPESA_BUSINESS_SHORT_CODE": code}, "MPESA_BUSINESS_SHORT_CODE", "digits")
        for code in ("", "60012a", "600 123", "600123\n", "٦٠٠١٢٣", "-600123")
    ],
    ({"MPESA_TILL_NUMBER": "5x"}, "MPESA_TILL_NUMBER", "digits"),
    ({"MPESA_TRANSACTION_TYPE": "CustomerBuyGoodsOnline"}, "MPESA_TILL_NUMBER", "digits"),
    ({"MPESA_TILL_NUMBER": "174379"}, "MPESA_TILL_NUMBER", "sandbox's"),
    *[
        ({"MPESA_CALLBACK_URL": address}, "MPESA_CALLBACK_URL", said)
        for address, said in (
            ("http://pay.djkraph.co.ke/cb", "https"),
            ("https://localhost/cb", "public"),
            ("https://127.0.0.1/cb", "public"),
            ("https://[::1]/cb", "public"),
            ("https://10.0.0.7/cb", "public"),
            ("https://192.168.1.4:8443/cb", "public"),
            ("https://172.16.3.3/cb", "public"),
            ("https://169.254.1.1/cb", "public"),
            ("https://[fd00::1]/cb", "public"),
            ("https://shop.local/cb", "public"),
            ("https://shop.local./cb", "public"),
            ("https://shop.localhost/cb", "public"),
            ("https://shop/cb", "public"),
            ("https://127.1/cb", "public"),
            ("https://2130706433/cb", "public"),
            ("https://Pay.djkraph.co.ke/cb", "lower case"),
            ("https://pay.djkraph.co.ke/Cb", "lower case"),
            ("https://pay.djkraph.co.ke/c b", "blanks"),
            ("https://pay.djkraph.co.ke/cb?token=1", "query"),
            ("https://pay.djkraph.co.ke/cb#x", "query"),
            ("https://pay.djkraph.co.ke/mpesa-callback", "mpesa"),
            ("https://mpesa.djkraph.co.ke/cb", "mpesa"),
        )
    ],
]


@pytest.fixture
def live(tmp_path: Path) -> SimpleNamespace:
    """The settings of a shop that may go live."""
    return SimpleNamespace(
        DEBUG=False,
        DATABASES={"default": {"ENGINE": "djkraph.postgresql"}},
        ALLOWED_HOSTS=["pay.djkraph.co.ke"],
        SECURE_SSL_REDIRECT=True,
        TRUSTED_PROXIES=1,
        PUSH_RATE_PER_ADDRESS=60,
        ORDER_RATE_PER_ADDRESS=60,
        STATUS_RATE_PER_ADDRESS=1200,
        PUSH_LIMIT_PER_PHONE=5,
        UNPAID_PROMPTS_PER_PHONE_A_DAY=12,
        SPOOL_DIR=str(tmp_path / "var" / "spool"),
        SECRET_KEY=OWN,
        LEDGER_KEY=["y" * 40],
        MPESA_BASE_URL="",
        MPESA_CONSUMER_KEY="a-key-of-its-own",
        MPESA_CONSUMER_SECRET="a-secret-of-its-own",
        MPESA_PASSKEY="a-passkey-of-its-own",
        MPESA_BUSINESS_SHORT_CODE="600123",
        MPESA_TILL_NUMBER="",
        MPESA_TRANSACTION_TYPE="CustomerPayBillOnline",
        MPESA_CALLBACK_URL="https://pay.djkraph.co.ke/api/payments/callback",
        MPESA_INITIATOR_NAME="",
        MPESA_INITIATOR_PASSWORD="",
        MPESA_CERTIFICATE="",
        BASE_DIR=ROOT,
    )


def said_of(live: SimpleNamespace, **changed: Any) -> list[str]:
    found = [str(rule) for rule in unsafe(SimpleNamespace(**vars(live) | changed))]
    assert all("\n" not in each and each.endswith(".") for each in found)
    return found


def test_a_safe_shop_is_told_of_nothing(live: SimpleNamespace) -> None:
    assert said_of(live) == []
    assert said_of(live, MPESA_BASE_URL="https://api.safaricom.co.ke", LEDGER_KEY=["y" * 40, "z" * 40]) == []
    assert said_of(live, MPESA_TRANSACTION_TYPE="CustomerBuyGoodsOnline", MPESA_TILL_NUMBER="5123456") == []


@pytest.mark.parametrize(("held", "variable", "word"), DANGERS)
def test_each_danger_is_named(held: dict[str, Any], variable: str, word: str, live: SimpleNamespace) -> None:
    found = said_of(live, **held)
    assert [each for each in found if each.startswith(f"{variable} ") and word in each]
    assert {each.split()[0] for each in found} == {variable}


def test_each_rule_has_its_danger(live: SimpleNamespace) -> None:
    told = {each for held, _, _ in DANGERS for each in said_of(live, **held)}
    assert told == {str(rule) for rule in RULES}


def test_no_secret_is_told(live: SimpleNamespace) -> None:
    for name in ("SECRET_KEY", *FROM_SAFARICOM):
        assert said_of(live, **{name: "ge heim "})
        assert "heim" not in "".join(said_of(live, **{name: "ge heim "}))


@given(st.text(max_size=60))
def test_any_host_is_public_or_not(host: str) -> None:
    assert is_public(host) in (True, False)


def test_the_table_in_go_live_is_the_list() -> None:
    assert table() in (ROOT / "docs" / "go-live.md").read_text(), "python manage.py live_refusals"


# --- the processes --------------------------------------------------------------------------------------


def ended(*command: str, **told: str) -> "subprocess.CompletedProcess[str]":
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=bare | {"DJANGO_SETTINGS_MODULE": "djkraph.settings"} | told,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_a_live_shop_is_told_that_nothing_is_wrong(tmp_path: Path) -> None:
    """The whole of `check --deploy`, Django's own and the libraries' too, as docs/go-live.md has it run."""
    done = ended("manage.py", "check", "--deploy", "--fail-level", "WARNING", **LIVE, SPOOL_DIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


STARTS: dict[str, Callable[[], list[str]]] = {
    "check --deploy": lambda: ["manage.py", "check", "--deploy"],
    "the web": lambda: web(free_port()),
    "the worker": lambda: ["manage.py", "reconcile_payments", "--watch"],
    "release": lambda: ["manage.py", "migrate", "--noinput"],
}


@pytest.mark.parametrize("start", STARTS)
def test_none_of_them_starts_unsafe(start: str, tmp_path: Path) -> None:
    wrong = {"MPESA_BUSINESS_SHORT_CODE": "174379", "ALLOWED_HOSTS": "*", "SPOOL_DIR": str(tmp_path)}
    done = ended(*STARTS[start](), **(LIVE | wrong))
    told = done.stderr + done.stdout
    assert done.returncode != 0
    assert told.count("MPESA_BUSINESS_SHORT_CODE is the sandbox's: use the shop's own.") == 1
    assert told.count("ALLOWED_HOSTS must name the shop's own hosts") == 1
    assert "Traceback" not in told


def test_a_sandbox_is_free_to_be_unsafe(tmp_path: Path) -> None:
    sandbox = {"MPESA_ENVIRONMENT": "sandbox", "DEBUG": "True", "SPOOL_DIR": str(tmp_path)}
    assert ended("manage.py", "check", **(LIVE | sandbox)).returncode == 0
