"""`manage.py daraja_doctor`: each part well and ill, against the simulated Safaricom over HTTP."""

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder

from payments import enquiries, gateway
from payments.management import doctor
from payments.models import CallbackDelivery, Heartbeat, MpesaTransaction, QueryBudget
from tests.support.places import ROOT
from tests.support.shop import Shop
from tests.support.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)

PARTS = (
    "settings", "short code", "database", "migrations", "worker", "spool", "clock", "Safaricom's clock",
    "credentials", "passkey", "callback", "mail", "staff",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _everything_is_well(shop: Shop, tmp_path: Path, settings: Any) -> None:
    settings.SPOOL_DIR = str(tmp_path / "spool")
    enquiries.beat(enquiries.WORKER, now=gateway.now())
    User.objects.create_superuser("kraph", password="a-long-passphrase")


def ran() -> tuple[dict[str, str], str]:
    """(the part: how it is, what was said and what to do), and how the command ended."""
    out, ended = StringIO(), ""
    try:
        call_command("daraja_doctor", stdout=out)
    except CommandError as wrong:
        ended = str(wrong)
    told: dict[str, str] = {}
    part = ""
    for line in out.getvalue().splitlines():
        if line.startswith("         "):
            told[part] += " " + line.strip()
        elif ": " in line:
            sign, _, rest = line.partition("  ")
            part, _, said = rest.strip().partition(": ")
            told[part] = f"{sign.strip()} {said}"
    return told, ended


def only_wrong(part: str, *words: str) -> None:
    """This part is wrong and all before it are well; it is said how, and what to do."""
    told, ended = ran()
    wrong = [each for each, said in told.items() if said.startswith("WRONG")]
    assert wrong == [part], told
    assert all(word in told[part] for word in words), told[part]
    assert ended == "1 thing must be mended before the shop can take money."


def test_each_part_has_its_line_and_a_well_shop_ends_well() -> None:
    told, ended = ran()
    assert tuple(told) == PARTS
    assert ended == ""
    assert {part: said for part, said in told.items() if not said.startswith("ok")} == {
        "mail": "? Nobody is told by mail. Set ALERT_EMAILS and EMAIL_URL if somebody should be."
    }


def test_no_phone_is_asked_nothing_is_stored_and_one_question_is_put(simulator: Simulated) -> None:
    ran()
    assert (simulator.count("push"), simulator.count("query")) == (0, 1)
    assert not MpesaTransaction.objects.exists()
    assert QueryBudget.objects.get().turns == 1


def test_a_setting_that_makes_no_sense_is_told(settings: Any) -> None:
    settings.ALERT_WEBHOOK_URL = "https://hooks.djkraph.co.ke/"
    only_wrong("settings", "ALERT_WEBHOOK_SECRET")


@pytest.mark.parametrize("bank", sorted(doctor.BANKS))
def test_a_banks_pay_bill_is_not_the_shops_own(bank: str, settings: Any) -> None:
    settings.MPESA_BUSINESS_SHORT_CODE = bank
    assert doctor._short_code().state is doctor.State.WRONG
    assert "not the shop's own" in doctor._short_code().said
    settings.MPESA_BUSINESS_SHORT_CODE, settings.MPESA_TILL_NUMBER = "600123", bank
    assert doctor._short_code().state is doctor.State.WRONG


def test_a_database_that_is_away_is_wrong_and_what_stands_in_it_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away() -> datetime:
        raise OperationalError("gone")

    monkeypatch.setattr(gateway, "read_database", away)
    only_wrong("database", "DATABASE_URL")
    told, _ = ran()
    for part in ("migrations", "worker", "clock", "credentials", "passkey", "callback"):
        assert told[part].startswith("?"), part


def test_a_migration_that_is_ahead_is_told() -> None:
    last = MigrationRecorder.Migration.objects.filter(app="payments").latest("id")
    MigrationRecorder.Migration.objects.filter(id=last.pk).delete()
    try:
        only_wrong("migrations", "1 are not applied yet", "manage.py migrate")
    finally:
        MigrationRecorder.Migration.objects.create(app=last.app, name=last.name)


def test_a_worker_that_is_silent_is_told() -> None:
    enquiries.beat(enquiries.WORKER, now=gateway.now() - timedelta(days=1))
    only_wrong("worker", "reconcile_payments --watch")


def test_a_worker_that_was_never_seen_is_not_known() -> None:
    Heartbeat.objects.all().delete()
    assert ran()[0]["worker"].startswith("? It has not been seen yet.")


def test_a_spool_that_cannot_be_written_is_told(settings: Any) -> None:
    settings.SPOOL_DIR = "/dev/null/spool"
    assert doctor._spool().state is doctor.State.WRONG
    assert "SPOOL_DIR" in doctor._spool().to_do


@pytest.mark.parametrize(("seconds", "how"), [(90, "behind"), (-90, "ahead of")])
def test_a_clock_that_is_wrong_is_told(seconds: int, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shifted = datetime.now(UTC) + timedelta(seconds=seconds)
    monkeypatch.setattr(gateway, "read_database", lambda: shifted)
    only_wrong("clock", how, "the database's", "NTP")


def test_safaricoms_clock_is_read_from_its_answers() -> None:
    said = gateway.client().their_time()
    assert said is not None
    assert abs(said - datetime.now(UTC)) < timedelta(seconds=10)
    late = doctor._compared("clock", "Safaricom's", said - timedelta(minutes=5), timedelta(seconds=1))
    assert late.state is doctor.State.WRONG


@pytest.mark.parametrize("variable", ["MPESA_CONSUMER_KEY", "MPESA_CONSUMER_SECRET"])
def test_credentials_that_are_refused_are_told(variable: str, settings: Any) -> None:
    setattr(settings, variable, "somebody-elses")
    only_wrong("credentials", "Safaricom refuses them", "Daraja portal")
    assert ran()[0]["passkey"].startswith("?")


def test_a_passkey_that_is_refused_is_told(settings: Any) -> None:
    settings.MPESA_PASSKEY = "somebody-elses"
    only_wrong("passkey", "refuses it for this short code", "MPESA_PASSKEY")


def test_a_short_code_that_nobody_knows_is_told(settings: Any) -> None:
    settings.MPESA_BUSINESS_SHORT_CODE = "600999"
    only_wrong("passkey", "doesn't know this short code", "MPESA_BUSINESS_SHORT_CODE")


def test_no_free_question_is_no_fault(settings: Any) -> None:
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 1
    assert enquiries.take_turn(now=gateway.now())
    told, ended = ran()
    assert told["passkey"].startswith("? The shop's questions to Safaricom are all used up")
    assert ended == ""


def test_a_safaricom_that_is_away_is_not_known(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings.MPESA_BASE_URL = f"http://127.0.0.1:{port}"
    told, ended = ran()
    for part in ("Safaricom's clock", "credentials", "passkey"):
        assert told[part].startswith("?"), part
    assert ended == ""


def test_a_callback_address_inside_is_wrong_outside_not_known_and_proved_by_a_delivery(settings: Any) -> None:
    settings.MPESA_ENVIRONMENT = "sandbox"
    settings.MPESA_CALLBACK_URL = "https://shop.local/api/payments/callback"
    assert doctor._callback().state is doctor.State.WRONG
    settings.MPESA_CALLBACK_URL = "https://pay.djkraph.co.ke/api/payments/callback"
    assert doctor._callback().state is doctor.State.UNKNOWN
    assert "open https://pay.djkraph.co.ke/api/payments/callback/test" in doctor._callback().to_do
    CallbackDelivery.objects.create(received_at=gateway.now(), body="{}", from_safaricom=True)
    assert doctor._callback().state is doctor.State.UNKNOWN  # a stranger's


def test_a_delivery_to_a_payment_is_proof(shop: Shop, simulator: Simulated) -> None:
    shop.push("254712345600")
    simulator.settle()
    CallbackDelivery.objects.update(from_safaricom=True)
    assert doctor._callback().said.startswith("Safaricom delivered on ")


def test_mail_is_tried(settings: Any) -> None:
    settings.ALERT_EMAILS = ["kraph@djkraph.co.ke"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert doctor._mail().state is doctor.State.WRONG
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", taken.getsockname()[1]
    assert "doesn't take it" in doctor._mail().said


def test_nothing_private_is_said(settings: Any) -> None:
    out = StringIO()
    call_command("daraja_doctor", stdout=out)
    for secret in (settings.MPESA_PASSKEY, settings.MPESA_CONSUMER_SECRET, settings.SECRET_KEY):
        assert secret not in out.getvalue()


def test_an_unsafe_live_shop_is_told_so_and_not_stopped(tmp_path: Path, simulator: Simulated) -> None:
    """In a process of its own: whatever else is wrong, it says it."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    told = {
        "MPESA_ENVIRONMENT": "production",
        "MPESA_BASE_URL": simulator.address,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'none.sqlite3'}",
        "SPOOL_DIR": str(tmp_path / "spool"),
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "daraja_doctor"],
        cwd=ROOT, env=bare | told, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "WRONG  settings: SECRET_KEY is the demo's" in done.stdout
    assert "WRONG  migrations:" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_shop_without_an_owner_is_told_so() -> None:
    User.objects.update(is_active=False)
    only_wrong("staff", "Nobody is the owner yet", "createsuperuser")


def test_who_may_move_money_without_a_second_factor_is_named(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    User.objects.create_user("akinyi", is_staff=True)  # may move none
    told, ended = ran()
    assert "has no second factor yet: kraph." in told["staff"]
    assert (told["staff"].startswith("WRONG"), ended) == (False, "")
