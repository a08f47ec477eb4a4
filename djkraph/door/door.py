"""From a request of granian's to Django's answer."""

import asyncio
import io
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # as granian's documents have it

from djkraph.door.answers import give
from djkraph.door.bodies import File, small_body
from djkraph.door.environ import Environ, announced_length, environ_of
from djkraph.door.kinds import Kind, Sizes, kind_of
from djkraph.door.lines import hold_as_many_lines_as_allowed

log = logging.getLogger(__name__)

READ_WITHIN = 15.0  # seconds for a whole body
TOO_SLOW = b'{"success": false, "message": "The request took too long to arrive. Send it again.", "code": "too_slow"}'
TOO_SLOW_HEADERS = [("content-type", "application/json"), ("connection", "close")]

Wsgi = Callable[[Environ, Any], Any]  # answers what can be gone through, as bytes
Answered = asyncio.Future[None]


class Door:
    """An RSGI application. `handler` is Django's, asked in threads."""

    def __init__(self, handler: Wsgi, sizes: Sizes, *, read_within: float = READ_WITHIN) -> None:
        self._handler = handler
        self._read_within = read_within
        self._pools = {
            kind: ThreadPoolExecutor(getattr(sizes, kind.value), thread_name_prefix=kind.value)
            for kind in Kind
        }

    def __rsgi_init__(self, _loop: asyncio.AbstractEventLoop) -> None:
        hold_as_many_lines_as_allowed()

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=True)  # a push in flight is answered first

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        if scope.proto != "http":
            proto.close(HTTPStatus.NOT_FOUND)
            return
        loop = asyncio.get_running_loop()
        environ = environ_of(scope)
        length = announced_length(environ)
        kind = kind_of(scope.method, scope.path, length)
        if kind is Kind.UPLOAD:
            environ["wsgi.input"] = File(proto, loop)
        elif scope.method in ("GET", "HEAD") and not length:
            environ["wsgi.input"] = io.BytesIO()
        else:
            try:
                async with asyncio.timeout(self._read_within):
                    body = await small_body(proto, length)
            except TimeoutError:
                proto.response_bytes(HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW_HEADERS, TOO_SLOW)
                return
            except ProtocolClosed:
                return  # whoever sent it is gone
            environ["wsgi.input"] = io.BytesIO(body)
            if length is None:
                environ["CONTENT_LENGTH"] = str(len(body))
        answered: Answered = loop.create_future()
        self._pools[kind].submit(self._answer, environ, proto, loop, answered)
        await answered  # granian takes a request whose coroutine ended for one without an answer

    def _answer(
        self, environ: Environ, proto: Any, loop: asyncio.AbstractEventLoop, answered: Answered
    ) -> None:
        """In a thread of the kind's pool."""
        try:
            self._ask(environ, proto, loop)
        except (ProtocolClosed, TimeoutError):
            log.info("Whoever asked is gone")
        except Exception:
            log.exception("A request got no answer")  # granian says 500
        finally:
            loop.call_soon_threadsafe(_done, answered)

    def _ask(self, environ: Environ, proto: Any, loop: asyncio.AbstractEventLoop) -> None:
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> None:
            head[:] = int(status.partition(" ")[0]), [(name.lower(), value) for name, value in headers]

        answer = self._handler(environ, start_response)
        try:
            give(answer, environ["REQUEST_METHOD"], (head[0], head[1]), proto, loop)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()


def _done(answered: Answered) -> None:
    if not answered.done():
        answered.set_result(None)
