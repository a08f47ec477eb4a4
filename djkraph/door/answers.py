"""Django's answer, given to granian from a thread."""

import asyncio
import io
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

TAKEN_WITHIN = 60.0  # seconds until the line has taken a piece: else whoever asked is gone


def give(
    answer: Iterable[bytes], method: str, head: tuple[int, list[tuple[str, str]]], proto: Any, loop: Any
) -> None:
    """`head`: status and headers."""
    file = whole_file(answer) if head[0] == HTTPStatus.OK else None
    part = getattr(answer, "piece_of_file", None)
    if method == "HEAD":
        proto.response_empty(*head)
    elif part is not None:
        proto.response_file_range(*head, *part)
    elif file is not None:
        proto.response_file(*head, file)  # Python has no part in the rest
    elif getattr(answer, "streaming", False):
        line = proto.response_stream(*head)
        for piece in answer:  # the next is made when the line has taken this one
            asyncio.run_coroutine_threadsafe(_sent(line, piece), loop).result(TAKEN_WITHIN)
    else:
        proto.response_bytes(*head, b"".join(answer))


def whole_file(answer: Any) -> str | None:
    """Where the file lies on disk that this answer is from its first byte to its last."""
    file = getattr(answer, "file_to_stream", None)
    if isinstance(file, io.BufferedReader) and isinstance(file.name, str) and Path(file.name).is_absolute():
        return file.name if file.tell() == 0 else None
    return None


async def _sent(line: Any, piece: bytes) -> None:
    await line.send_bytes(piece)
