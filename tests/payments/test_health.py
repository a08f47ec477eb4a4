"""How each helper of the payments is told to be: well, in trouble, and well again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from payments import enquiries, gateway, health
from payments.daraja import OutcomeUnknown, Unreachable
from payments.desk.home import trouble
from payments.models import AlertMessage
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _a_spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = str(tmp_path / "spool")


def told(part: str, now: datetime = NOW) -> str:
    return health.parts(now=now)[part]


def test_a_worker_that_stopped(db: None) -> None:
    assert told("worker") == "ok"
    enquiries.beat(enquiries.WORKER, now=NOW)
    assert told("worker") == "ok"
    assert NOW.isoformat() in told("worker", NOW + timedelta(minutes=3))


@pytest.mark.parametrize(("channel", "part"), [("mail", "mail"), ("webhook", "webhook")])
def test_a_message_that_does_not_leave(db: None, channel: str, part: str) -> None:
    def message(state: str, attempts: int) -> None:
        AlertMessage.objects.create(
            channel=channel,
            subject="s",
            body="b",
            made_at=NOW,
            state=state,
            attempts=attempts,
            next_at=NOW if state == "waiting" else None,
            sent_at=NOW if state == "sent" else None,
            last_failure="smtp.secret.example said no",
        )

    message("waiting", trouble.TRIES - 1)
    assert told(part) == "ok"
    message("waiting", trouble.TRIES)
    assert NOW.isoformat() in told(part)
    assert "secret" not in told(part)
    assert list(health.parts(now=NOW).values()).count("ok") == 5  # of this channel alone
    message("sent", 1)
    assert told(part) == "ok"


def test_callbacks_that_wait_on_disk(db: None, tmp_path: Path) -> None:
    assert told("spool") == "ok"
    spool = tmp_path / "spool"
    spool.mkdir()
    (spool / "1.callback.json").write_text("{}")
    assert "1" in told("spool")
    (spool / "2.bad").write_text("{")
    assert "can't be read" in told("spool")


def test_a_token_that_safaricom_does_not_give(db: None, settings: Any) -> None:
    settings.MPESA_BASE_URL = "http://127.0.0.1:9"  # nobody listens
    assert told("safaricom") == "ok"
    with pytest.raises(Unreachable):
        gateway.client().authenticate()
    assert "no token" in told("safaricom")


def test_pushes_that_safaricom_does_not_answer(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    safaricom.push_answer = OutcomeUnknown("no answer came")
    for number in range(health.UNANSWERED):
        assert told("safaricom", clock()) == "ok"
        click(msisdn=f"25471234567{number}", reference=f"CART{number}")
    assert "answered none" in told("safaricom", clock())
    assert told("safaricom", clock() + health.LATELY) == "ok"
    safaricom.push_answer = None
    click(msisdn="254798765432", reference="CART9")
    assert told("safaricom", clock()) == "ok"
