"""Sockets and HTTP/1.1 for the simulator, and starting and stopping it. What is answered is decided elsewhere."""

import contextlib
import os
import signal
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from payments.simulator.api import DarajaApi
from payments.simulator.bank import Bank
from payments.simulator.business.api import BusinessApi
from payments.simulator.business.by_hand import HandPayments
from payments.simulator.business.deeds import Deeds
from payments.simulator.callback_sender import CallbackSender
from payments.simulator.control import PREFIX, Control
from payments.simulator.exchange import Exchange
from payments.simulator.faults import FaultBoard
from payments.simulator.incoming import Request
from payments.simulator.options import Config
from payments.simulator.pages import Pages
from payments.simulator.replies import Reply, json_reply
from payments.simulator.schedule import Schedule

MAX_BODY = 1_000_000
IDLE_SECONDS = 65
API_PREFIXES = ("/oauth/", "/mpesa/", "/pulltransactions/")


class Site:
    """Everything behind the socket, wired together."""

    def __init__(self, config: Config, base_url: str) -> None:
        self.schedule = Schedule()
        bank, faults = Bank(), FaultBoard(config.faults)
        instant = config.speed == "instant"
        callback_sender = CallbackSender(bank=bank, schedule=self.schedule, faults=faults)
        by_hand = HandPayments(bank=bank, schedule=self.schedule, faults=faults, instant=instant)
        exchange = Exchange(
            bank=bank,
            schedule=self.schedule,
            faults=faults,
            callback_sender=callback_sender,
            by_hand=by_hand,
            instant=instant,
        )
        self._business = BusinessApi(
            bank=bank,
            schedule=self.schedule,
            faults=faults,
            deeds=Deeds(bank=bank, schedule=self.schedule, faults=faults, instant=instant),
            by_hand=by_hand,
        )
        self._api = DarajaApi(bank=bank, schedule=self.schedule, faults=faults, exchange=exchange)
        self._control = Control(
            bank=bank,
            schedule=self.schedule,
            faults=faults,
            exchange=exchange,
            callback_sender=callback_sender,
            by_hand=by_hand,
        )
        self._pages = Pages(bank=bank, schedule=self.schedule, faults=faults, base_url=base_url)

    def answer(self, request: Request) -> Reply:
        if request.path.startswith(API_PREFIXES):
            api = self._business if self._business.knows(request.path) else self._api
            return api.answer(request)
        if request.path.startswith(PREFIX):
            if _is_foreign(request):
                return json_reply({"error": "another site's page may not use the control plane"}, 403)
            return self._control.answer(request)
        return self._pages.answer(request)


def _is_foreign(request: Request) -> bool:
    """A page of another origin in the developer's browser; programs send no Origin."""
    origin = request.headers.get("origin")
    return origin is not None and origin != f"http://{request.headers.get('host')}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Daraja-simulator"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet
    server: "HttpServer"

    def serve(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            self._write(json_reply({"error": "a body needs a Content-Length of at most 1 MB"}, 413))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        self._finish(self.server.site.answer(request))

    def _body(self) -> bytes | None:
        """None: not to be read."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > MAX_BODY:
            return None
        return self.rfile.read(int(length))

    def _finish(self, reply: Reply) -> None:
        """Answer, then do what comes after; the client's absence doesn't stop that."""
        under_way = self.server.site.schedule.busy() if reply.after else contextlib.nullcontext()
        with under_way:
            if reply.delay:
                self.server.stopped.wait(reply.delay)
            with contextlib.suppress(OSError):
                if reply.drop:
                    self._drop()
                else:
                    self._write(reply)
            if reply.after:
                reply.after()

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        if self.server.config.log_requests:
            super().log_message(format, *args)


for _method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    setattr(Handler, f"do_{_method}", Handler.serve)


class HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    allow_reuse_address = os.name != "nt"  # on Windows it would let two servers share a port

    def __init__(self, config: Config) -> None:
        self.config = config
        self.stopped = threading.Event()
        super().__init__((config.host, config.port), Handler)
        self.base_url = f"http://{config.host}:{self.server_port}"
        self.site = Site(config, self.base_url)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(
            self
        )  # HTTPServer's own asks the name service, which can take seconds
        self.server_name, self.server_port = self.config.host, self.socket.getsockname()[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client that went away is no error of ours
            super().handle_error(request, client_address)


@contextlib.contextmanager
def running(config: Config) -> Iterator[HttpServer]:
    """A server on a thread of its own, for as long as the block lasts. Raises OSError when the port is taken."""
    server = HttpServer(config)
    server.site.schedule.start()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
        server.site.schedule.stop()
        thread.join(timeout=5)


def serve(config: Config) -> None:
    """Until Ctrl-C or SIGTERM. Raises OSError when the port is taken."""
    enough = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: enough.set())
    with running(config) as server:
        print(f"Daraja simulator on {server.base_url} — phone at {server.base_url}/phone", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while not enough.wait(0.5):  # short waits: on Windows a long one would hold Ctrl-C back
                pass
