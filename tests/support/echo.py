"""A WSGI application behind the shop's door that tells what it was given: what the door makes of a request, and of an
answer. Its pools are small: two pushes, one callback, two uploads, two others."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from djkraph.door import Door, Sizes

Environ = dict[str, Any]


class Pieces:
    """An answer that is made as it is taken, as Django's StreamingHttpResponse is."""

    streaming = True

    def __init__(self, number: int, size: int, told_to: str) -> None:
        self._number, self._size, self._told_to = number, size, told_to

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self._number):
            yield b"x" * self._size

    def close(self) -> None:
        if self._told_to:
            Path(self._told_to).write_text("closed")


class Piece:
    """An answer that is bytes of a file, and says so: the door sends them itself."""

    streaming = True

    def __init__(self, path: str, start: int, end: int) -> None:
        self.piece_of_file = (path, start, end)

    def __iter__(self) -> Iterator[bytes]:
        yield b"Python read it"


def echo(environ: Environ, start_response: Callable[..., Any]) -> Any:
    asked = {name: values[-1] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    time.sleep(float(asked.get("wait", 0)))
    if "file" in asked:
        start, end = int(asked["start"]), int(asked["end"])
        start_response("206 Partial Content", [("Content-Length", str(end - start))])
        return Piece(asked["file"], start, end)
    if "pieces" in asked:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Pieces(int(asked["pieces"]), int(asked["size"]), asked.get("told_to", ""))
    body = (
        environ["wsgi.input"].read(int(asked["read"]) if "read" in asked else -1)
        if "unread" not in asked
        else b""
    )
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    answer = json.dumps(told | {"body": len(body), "begins": body[:40].decode("latin-1")}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


application = Door(echo, Sizes(push=2, callback=1, upload=2, archive=2, other=2), read_within=1.5)
