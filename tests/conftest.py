"""What every test may ask for: the shop as a live server, the simulated Safaricom as a process, the people."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
from django.core.cache import cache

from orders.models import Mix
from payments.gateway import settings as gateway_settings
from tests.simulated import Simulated
from tests.suite_log import SuiteLog

ROOT = Path(__file__).resolve().parent.parent

# The same examples at each run; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis.settings.register_profile("fixed", derandomize=True, database=None)
hypothesis.settings.register_profile("explore")
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture(autouse=True, scope="session")
def _the_suites_log_holds_nothing_private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fails the last test of the run if anything private stands in what the suite has logged."""
    log = SuiteLog(tmp_path_factory.mktemp("log"))
    log.start()
    yield
    log.stop()
    assert log.leaks() == []


@pytest.fixture(autouse=True)
def _fresh_process_memory() -> None:
    """Counters of throttles and the client's token live in the process: no test inherits them."""
    cache.clear()
    gateway_settings._client.cache_clear()


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Simulated]:
    """The simulated Safaricom, a process of its own, for the whole suite."""
    command = [sys.executable, "-m", "payments.simulator", "--port", "0", "--speed", "instant"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = next(word for word in line.split() if word.startswith("http"))
        yield Simulated(address)
        process.terminate()


@pytest.fixture
def simulator(simulator_process: Simulated) -> Simulated:
    """The simulated Safaricom, with nothing in its memory."""
    simulator_process.reset()
    return simulator_process


@pytest.fixture
def shop(live_server: Any, simulator: Simulated, settings: Any) -> Iterator["Shop"]:
    """The shop over real HTTP, speaking to the simulator, with one mix on the shelf."""
    settings.MPESA_BASE_URL = simulator.address
    settings.MPESA_CALLBACK_URL = f"{live_server.url}/api/payments/callback"
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 60_000
    yield Shop(live_server.url)
    simulator.settle()  # no callback outlives its test


class Shop:
    """A buyer's page: it speaks JSON to the shop and sees nothing else."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()

    def post(self, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        return self.session.post(self.address + path, json=body, timeout=60, **kwargs)

    def push(
        self, phone: str, amount: Any = 1500, reference: str = "CART1732381200000", **more: Any
    ) -> dict[str, Any]:
        headers = more.pop("headers", None)
        body = {"phone": phone, "amount": amount, "accountReference": reference, **more}
        answer: dict[str, Any] = self.post("/stkpush", body, headers=headers).json()
        return answer

    def status(self, poll_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.post("/stkpush/status", {"checkoutRequestId": poll_id}).json()
        return answer

    def order(self, *slugs: str) -> dict[str, Any]:
        answer = self.post("/api/orders", {"items": [{"mix": slug} for slug in slugs]})
        assert answer.status_code == 201, answer.text
        placed: dict[str, Any] = answer.json()
        return placed

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.session.get(self.address + path, timeout=60, **kwargs)


@pytest.fixture
def mixes(db: None) -> list[Mix]:
    """Two mixes on the shelf, KES 1,500 and KES 1,000; a third no longer sold."""
    shelf = [
        ("nairobi-after-dark", "Nairobi After Dark", 1500, True),
        ("love-songs", "Love Songs", 1000, True),
        ("old-hits", "Old Hits", 500, False),
    ]
    return [
        Mix.objects.create(slug=slug, title=title, minutes=60, price_kes=price, on_sale=on_sale)
        for slug, title, price, on_sale in shelf
    ]
