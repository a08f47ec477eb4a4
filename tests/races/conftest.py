"""The races run on real PostgreSQL with real server processes, so they belong to the PostgreSQL run of the suite
(TEST_DATABASE=postgres, the second half of `make test`): without it this folder is not collected at all."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.races.machines import (
    Desk,
    Machine,
    Postgres,
    Rows,
    environment,
    manage,
    simulated_safaricom,
)
from tests.support.races.town import Town
from tests.support.simulated import Simulated

if os.environ.get("TEST_DATABASE") != "postgres":
    collect_ignore_glob = ["test_*.py"]

TOLD = pytest.StashKey[dict[str, list[str]]]()  # shown at the end of the run, whatever the verbosity


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    told = config.stash.get(TOLD, {})
    if told:
        terminalreporter.section("races, crashes, outages")
    for line, ends in told.items():
        terminalreporter.write_line(line + (f"  {'; '.join(ends)}" if ends else ""))


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Adds a line to the end of the run, or to a line that is there what else it came to."""
    told = request.config.stash.setdefault(TOLD, {})

    def add(line: str, end: str = "") -> None:
        ends = told.setdefault(line, [])
        if end and end not in ends:
            ends.append(end)

    return add


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # ended from outside, it takes its processes along
    server = Postgres()
    yield server
    server.end()


@pytest.fixture(scope="session")
def safaricom() -> Iterator[Simulated]:
    with simulated_safaricom() as simulator:
        yield simulator


@pytest.fixture(scope="session")
def standing_town(
    postgres: Postgres, safaricom: Simulated, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    env = environment(postgres.address, safaricom.address, folder)
    manage(env, "migrate", "--noinput")
    machines = [Machine(env, folder / f"machine{n}.log").start() for n in (1, 2)]
    desks = [Desk(env, folder / "desk.log") for _ in (1, 2)]
    for machine in machines:
        machine.wait_until_up()
    rows = Rows(postgres.address)
    yield Town(env=env, folder=folder, machines=machines, desks=desks, rows=rows, safaricom=safaricom)
    rows.close()
    for desk in desks:
        desk.close()
    for machine in machines:
        machine.kill()


@pytest.fixture
def town(standing_town: Town) -> Iterator[Town]:
    """The shop with empty tables. Safaricom keeps its memory and the machines their token: every test takes phones
    that nobody had before."""
    standing_town.rows.forget_all(keep=("payments_darajatoken",))
    standing_town.rows.sell()
    yield standing_town
    standing_town.safaricom.no_faults()
    standing_town.safaricom.settle()
