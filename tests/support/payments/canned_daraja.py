"""A Daraja of canned answers on a real local socket: it hangs, drops, drips and counts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from payments.daraja import DarajaClient, MemoryTokenStore, Merchant, PushRequest, Timeouts

NOW = datetime(2026, 11, 23, 15, 0, 0, tzinfo=UTC)
PHONE = "254708374149"
PASSKEY = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"
CHECKOUT_ID = "ws_CO_231120261800001708374149"
OAUTH = "/oauth/v1/generate"
PUSH = "/mpesa/stkpush/v1/processrequest"
QUERY = "/mpesa/stkpushquery/v1/query"
ACCEPTED = {
    "MerchantRequestID": "2654-4b64",
    "CheckoutRequestID": CHECKOUT_ID,
    "ResponseCode": "0",
    "ResponseDescription": "Success. Request accepted for processing",
}

PAID = {"ResponseCode": "0", "CheckoutRequestID": CHECKOUT_ID, "ResultCode": "0", "ResultDesc": "Done."}
BAD_TOKEN = {"requestId": "1c5b", "errorCode": "404.001.03", "errorMessage": "Invalid Access Token"}

Act = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeDaraja

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._act()

    def do_POST(self) -> None:
        self._act()

    def _act(self) -> None:
        path = self.path.partition("?")[0]
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.server.lock:
            self.server.seen.append((path, self.path, dict(self.headers), self.body, self.client_address))
            acts = self.server.acts[path]
            act = acts.pop(0) if len(acts) > 1 else acts[0]
        act(self)


class FakeDaraja(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.seen: list[tuple[str, str, dict[str, str], bytes, object]] = []
        self.stopped = threading.Event()
        self.tokens = 0
        self.acts: dict[str, list[Act]] = {
            OAUTH: [new_token],
            PUSH: [say(200, ACCEPTED)],
            QUERY: [say(200, PAID)],
        }

    def handle_error(self, *args: object) -> None:
        pass

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, path: str) -> int:
        return sum(1 for seen in self.seen if seen[0] == path)

    def headers(self, path: str) -> list[dict[str, str]]:
        return [seen[2] for seen in self.seen if seen[0] == path]


def say(status: int, body: object, **headers: str) -> Act:
    text = body if isinstance(body, str) else json.dumps(body)

    def act(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(text.encode())))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return act


def new_token(handler: Handler) -> None:
    with handler.server.lock:
        handler.server.tokens += 1
        number = handler.server.tokens
    say(200, {"access_token": f"token-{number}", "expires_in": "3599"})(handler)


def hang(handler: Handler) -> None:
    handler.server.stopped.wait(10)
    handler.close_connection = True


def drop(handler: Handler) -> None:
    handler.close_connection = True


def drip(start: bytes, forever: bytes) -> Act:
    """Say `start`, then one of `forever` every 50 ms: each packet is early, the answer never ends."""

    def act(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(start)
        ends = time.monotonic() + 8
        try:
            while time.monotonic() < ends and not handler.server.stopped.wait(0.05):
                handler.wfile.write(forever)
        except OSError:
            pass

    return act


MERCHANT = Merchant(short_code="174379", passkey=PASSKEY)
QUICK = Timeouts(connect=0.4, read=0.6, query_read=0.5, oauth_connect=0.4, oauth_read=0.5)


def make_client(url: str, **changes: object) -> DarajaClient:
    options: dict[str, object] = {
        "tokens": MemoryTokenStore(clock=lambda: NOW),
        "timeouts": QUICK,
        "clock": lambda: NOW,
    }
    return DarajaClient(url, "consumer-key", "consumer-secret", MERCHANT, **{**options, **changes})


def a_push(**changes: object) -> PushRequest:
    values = {
        "phone": PHONE,
        "amount": 450,
        "account_reference": "INV-1042",
        "description": "DJ Kraph",
        "callback_url": "https://pay.example.co.ke/cb/3f9c0d6c5b1e4c3e9a8b7c6d5e4f3a2b",
    }
    return PushRequest(**{**values, **changes})
