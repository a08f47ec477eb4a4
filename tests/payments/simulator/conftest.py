"""A running simulator, a client of it, and a shop that its callbacks reach."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from payments.simulator.options import Config
from payments.simulator.server import running
from tests.support.payments.simulator import Busy, Client, Shop, StartClient


@pytest.fixture
def shop() -> Iterator[Shop]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            here.bodies.append(json.loads(body))
            here.headers.append(dict(self.headers.items()))
            here.paths.append(self.path)
            time.sleep(here.seconds)
            self.send_response(here.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = Busy(("127.0.0.1", 0), Handler)
    here = Shop(url=f"http://127.0.0.1:{server.server_port}/cb/3f9c?x=1")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield here
    server.shutdown()
    server.server_close()


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
