"""The Daraja of canned answers, up and running, and our client of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from payments.daraja import DarajaClient
from tests.support.payments.canned_daraja import FakeDaraja, make_client


@pytest.fixture
def daraja() -> Iterator[FakeDaraja]:
    server = FakeDaraja()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.stopped.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(daraja: FakeDaraja) -> DarajaClient:
    return make_client(daraja.url)
