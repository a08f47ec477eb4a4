"""A shop that may order money back, and the simulated Safaricom, over HTTP. What Safaricom posts is kept until a test
lets it arrive."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from payments import gateway
from payments.simulator.accounts import INITIATOR, INITIATOR_PASSWORD
from payments.simulator.options import Config
from payments.simulator.server import running
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click
from tests.support.payments.sending_back import Till
from tests.support.payments.simulator import Client, daraja, hearing
from tests.support.places import ROOT

CERTIFICATE = str(ROOT / "payments/simulator/static/certificate.pem")


@pytest.fixture
def till(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Till]:
    clock.now = datetime.now(UTC)
    monkeypatch.setattr(gateway, "now", clock)
    settings.MPESA_INITIATOR_NAME, settings.MPESA_INITIATOR_PASSWORD = INITIATOR, INITIATOR_PASSWORD
    settings.MPESA_CERTIFICATE = CERTIFICATE
    settings.SETTLED_ALONE_UP_TO_KES = 5000
    with hearing() as posts, running(Config(port=0, speed="instant")) as server:
        host = posts.url.split("/cb/")[0]
        settings.MPESA_CALLBACK_URL = f"{host}/api/payments/callback"
        ways = {"click": click, "safaricom": safaricom, "real": daraja(server.base_url), "patch": monkeypatch}
        yield Till(Client(server.base_url, posts.url), posts, clock, ways)
