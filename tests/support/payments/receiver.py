"""A program that is told by the shop's webhook, as its owner would write it: it believes what is signed and young."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOO_OLD = 300  # seconds


class Receiver:
    """`answers`: the status of each post to come; then 200. `posts`: headers and body of each, as it came."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[int] = []
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.answering = threading.Event()
        self.let_go()

    def hold(self) -> None:
        """It takes what comes, and answers nothing."""
        self.answering.clear()

    def let_go(self) -> None:
        self.answering.set()

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.posts]


def is_believed(headers: dict[str, str], body: bytes, *, secret: str, now: float) -> bool:
    """What docs/alerts.md tells receivers to do."""
    parts = dict(part.split("=", 1) for part in headers["DJKraph-Signature"].split(","))
    expected = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"]) and abs(now - int(parts["t"])) <= TOO_OLD


@contextmanager
def listening() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posts.append((dict(self.headers), body))
            receiver.answering.wait(timeout=60)
            status = receiver.answers.pop(0) if receiver.answers else 200
            self.send_response(status)
            if status // 100 == 3:
                self.send_header("Location", f"{receiver.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}/a-token-in-the-path")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield receiver
        server.shutdown()
