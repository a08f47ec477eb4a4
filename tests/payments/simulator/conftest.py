"""A running simulator, a client of it, and a shop that its callbacks reach."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from payments.simulator.options import Config
from payments.simulator.server import running
from tests.support.payments.simulator import Client, Shop, StartClient, hearing


@pytest.fixture
def shop() -> Iterator[Shop]:
    with hearing() as here:
        yield here


@pytest.fixture
def start(shop: Shop) -> Iterator[StartClient]:
    """`start(speed="instant", faults=(…))` → a client of a simulator of its own."""
    with ExitStack() as servers:

        def start_one(**config: Any) -> Client:
            server = servers.enter_context(running(Config(port=0, **config)))
            return Client(server.base_url, shop.url)

        yield start_one


@pytest.fixture
def real(start: StartClient) -> Client:
    return start(speed="real")


@pytest.fixture
def instant(start: StartClient) -> Client:
    return start(speed="instant")
