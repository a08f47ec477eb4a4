"""How a request's body is read: a small one by the loop, whole; a staff's file by the thread that wants it."""

import asyncio
import io
from typing import Any

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # as granian's documents have it

SMALL = 65_536  # bytes that a form, or JSON, may have
PIECE_WITHIN = 15.0  # seconds until the next piece of a file


async def small_body(proto: Any, length: int | None) -> bytes:
    """Of one that is too large: one byte more than is taken, so that Django sees that it is too much."""
    if length is not None and length <= SMALL:
        return bytes(await proto())
    body = bytearray()
    async for piece in proto:
        body += piece
        if len(body) > SMALL:
            break
    return bytes(body[: SMALL + 1])


class File(io.RawIOBase):
    """Read as it is asked for: of a stranger's file, which nobody asks for, not a byte is."""

    def __init__(self, proto: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._pieces = aiter(proto)
        self._loop = loop
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        got = bytearray()
        while size < 0 or len(got) < size:
            if not self._left:
                self._left = self._next()
            if not self._left:
                break
            take = len(self._left) if size < 0 else size - len(got)
            got += self._left[:take]
            self._left = self._left[take:]
        return bytes(got)

    def _next(self) -> bytes:
        try:
            return asyncio.run_coroutine_threadsafe(self._piece(), self._loop).result(PIECE_WITHIN)
        except TimeoutError as late:
            raise OSError("the body took too long to arrive") from late
        except ProtocolClosed as gone:
            raise OSError("the sender hung up") from gone

    async def _piece(self) -> bytes:
        try:
            while not (
                piece := await self._pieces.__anext__()
            ):  # the built-in anext() ends granian's process
                pass
        except StopAsyncIteration:
            return b""
        return bytes(piece)
