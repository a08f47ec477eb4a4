"""Which pool answers a request."""

from dataclasses import dataclass
from enum import Enum

from djkraph.door.bodies import SMALL

CALLBACKS = ("/api/mpesa-callback", "/api/payments/callback")


class Kind(Enum):
    """`PUSH` waits for Safaricom, `CALLBACK` must never wait behind anybody, `UPLOAD` is a staff's file: it is read as
    Django asks for it, which asks for the log-in first. `ARCHIVE` makes a zip for as long as it is taken."""

    PUSH = "push"
    CALLBACK = "callback"
    UPLOAD = "upload"
    ARCHIVE = "archive"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Threads of each pool."""

    push: int
    callback: int
    upload: int
    archive: int
    other: int

    @classmethod
    def of(cls, threads: int, *, pushes: int) -> "Sizes":
        """Of so many threads of a process, of which so many pushes may wait."""
        left = max(4, threads - pushes)
        return cls(
            push=pushes + 4, callback=max(2, left // 3), upload=4, archive=12, other=max(2, left - left // 3)
        )


def kind_of(method: str, path: str, length: int | None) -> Kind:
    """`length`: of the body as it is announced, None where it comes in pieces of unknown number."""
    if method == "POST":
        if path.rstrip("/") == "/stkpush":
            return Kind.PUSH
        if path.startswith(CALLBACKS):
            return Kind.CALLBACK
        if path.startswith("/admin/") and (length is None or length > SMALL):
            return Kind.UPLOAD
    if path.startswith("/downloads/") and path.endswith(".zip"):
        return Kind.ARCHIVE
    return Kind.OTHER
