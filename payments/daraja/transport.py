"""HTTP with an end to it: pooled connections whose answers can't outlast their timeout. Not about Daraja.

The read timeout of requests is per packet: a server that sends a byte now and then holds its caller for ever.
Here it is a deadline for the whole answer, headers included.

For that, parts of urllib3 and http.client are overridden that promise nothing: the connection's `is_connected` and
`getresponse`, the response's `fp`, a pool's `ConnectionCls`, a manager's `pool_classes_by_scheme`. So urllib3 is
pinned, and a test holds each of these: another version is tried with this room's tests before it is written there.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from functools import partial
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from time import monotonic
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

LARGEST_ANSWER = 64 * 1024  # bytes; the rest is cut off
POOL_SIZE = 256  # connections kept, about as many as pushes in flight
IDLE_SECONDS = 30.0  # after which a connection is not trusted: routers forget idle ones without a word


class _DeadlineReader(io.RawIOBase):
    """A socket's reader that gives each read only what is left of the time."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, seconds: float | None, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        if seconds is not None:
            raw = self.fp.detach()  # a BufferedReader over the socket
            self.fp = io.BufferedReader(_DeadlineReader(raw, sock, monotonic() + seconds))


class _BoundedConnection(HTTPConnection):
    _last_used = 0.0
    response_class: Callable[..., HTTPResponse]  # type: ignore[assignment]

    def connect(self) -> None:
        """Any failure before the first byte of the request, TLS's included, says so by its type."""
        try:
            super().connect()
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error
        self._last_used = monotonic()

    def getresponse(self) -> Any:
        seconds = self.timeout if isinstance(self.timeout, int | float) else None
        self.response_class = partial(_BoundedResponse, seconds=seconds)
        self._last_used = monotonic()
        return super().getresponse()

    @property
    def is_connected(self) -> bool:
        return super().is_connected and monotonic() - self._last_used < IDLE_SECONDS


class _BoundedTLSConnection(_BoundedConnection, HTTPSConnection):
    pass


class _BoundedPool(HTTPConnectionPool):
    ConnectionCls = _BoundedConnection


class _BoundedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTLSConnection


_POOLS = {"http": _BoundedPool, "https": _BoundedTLSPool}


class BoundedAdapter(HTTPAdapter):
    """An adapter that repeats nothing by itself and whose read timeout bounds the whole answer."""

    def __init__(self) -> None:
        super().__init__(pool_connections=4, pool_maxsize=POOL_SIZE, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def new_session() -> requests.Session:
    """A session for all threads: bounded, without retries, keeping no cookies."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", BoundedAdapter())
    session.mount("http://", BoundedAdapter())
    return session


def read_text(response: requests.Response) -> str:
    """The body's first 64 KB as text. Reading further is not worth the memory: no answer is that long."""
    body = b""
    try:
        for chunk in response.iter_content(8192):
            body += chunk
            if len(body) >= LARGEST_ANSWER:
                break
    finally:
        response.close()
    return body[:LARGEST_ANSWER].decode("utf-8", errors="replace")
