"""A shop that tells: Kraph by mail, and a program of his by webhook."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from payments import alerts, enquiries, ledger
from payments.alerts import Round
from tests.support.payments.clock import Clock
from tests.support.payments.receiver import Receiver, listening

SECRET = "a-webhook-secret-of-its-own"

Tell = Callable[[], Round]


@pytest.fixture(autouse=True)
def spool_folder(settings: Any, tmp_path: Path) -> Path:
    settings.SPOOL_DIR = str(tmp_path)
    return tmp_path


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The wall clock of the whole shop."""
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as receiver:
        yield receiver


@pytest.fixture
def by_mail(settings: Any) -> None:
    settings.ALERT_EMAILS = ["kraph@djkraph.co.ke", "akinyi@djkraph.co.ke"]
    settings.DESK_URL = "https://pay.djkraph.co.ke"


@pytest.fixture
def by_webhook(settings: Any, receiver: Receiver) -> Receiver:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = receiver.url, SECRET
    settings.DESK_URL = "https://pay.djkraph.co.ke"
    return receiver


@pytest.fixture
def tell(db: None, clock: Clock) -> Tell:
    """A round of a shop whose worker is at work and seals; each five minutes after the one before."""

    def round_of_telling() -> Round:
        clock.advance(minutes=6)
        enquiries.beat(enquiries.WORKER, now=clock())
        ledger.seal_next(now=clock())
        return alerts.tell_now()

    return round_of_telling
