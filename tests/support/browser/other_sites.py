"""Web sites that aren't the shop: the pages of sites/, served from an origin of their own."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

PAGES = Path(__file__).parent / "sites"


class OtherSite:
    """Serves `/<name>.html?shop=<address>`, with the shop's address filled in."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(self, name: str, *, shop: str) -> str:
        return f"{self.origin}/{name}?shop={shop}"


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        file = PAGES / Path(asked.path).name
        if not file.is_file():
            self.send_error(404)
            return
        shop = parse_qs(asked.query).get("shop", [""])[0]
        body = file.read_text(encoding="utf-8").replace("{{ shop }}", shop).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class's name
        """Quiet."""
