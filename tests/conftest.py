"""What every test may ask for: the shop as a live server, the simulated Safaricom as a process, the people."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.core.cache import caches
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils import timezone

from orders.models import Mix
from payments.gateway import clock
from payments.gateway import settings as gateway_settings
from tests.support.counts import start_counting_anew
from tests.support.places import ROOT
from tests.support.shop import Shop
from tests.support.simulated import Simulated
from tests.support.suite_log import SuiteLog
from tests.support.tampering import tampering

# a helper that asserts says as much as a test does
pytest.register_assert_rewrite("tests.support.payments", "tests.support.races", "tests.support.browser")

# The same examples at each run; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis.settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


DATABASE = {"db", "transactional_db", "live_server"}


BROWSER = Path(__file__).parent / "browser"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what speaks to a database: pytest-django forbids it to every test that doesn't ask for one of these. And
    what drives a browser, which is what stands in that folder."""
    for item in items:
        if BROWSER in item.path.parents:
            item.add_marker(pytest.mark.browser)
        asked = DATABASE.intersection(getattr(item, "fixturenames", ()))
        if asked or item.get_closest_marker("django_db") or item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.database)


@pytest.fixture(autouse=True, scope="session")
def _the_suites_log_holds_nothing_private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fails the last test of the run if anything private stands in what the suite has logged."""
    log = SuiteLog(tmp_path_factory.mktemp("log"))
    log.start()
    yield
    log.stop()
    assert log.leaks() == []


@pytest.fixture(autouse=True, scope="session")
def _the_tables_can_be_emptied() -> Iterator[None]:
    """After a test with transactions of its own Django empties every table, that of the events too."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def flush_all(self: BaseDatabaseOperations, sql_list: list[str]) -> None:
        with tampering():
            flush(self, sql_list)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush_all)
        yield


@pytest.fixture(autouse=True)
def _fresh_process_memory() -> None:
    """Counters of throttles and the client's token live in the process: no test inherits them."""
    caches["shared"].clear()
    caches["memory"].clear()
    start_counting_anew()
    gateway_settings._client.cache_clear()
    gateway_settings._tokens.cache_clear()


@pytest.fixture(autouse=True)
def _the_shops_clock_is_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tests say what time it is; the database would contradict them. (Real processes ask it all the same.)"""
    monkeypatch.setattr(clock, "shared", lambda: timezone.now())


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
