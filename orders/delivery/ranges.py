"""Which piece of a file a request asks for (RFC 9110, sections 13 and 14). Pure."""

import re
from dataclasses import dataclass

ONE = re.compile(r"bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """From byte `start` up to, and without, byte `end`."""

    start: int
    end: int


class OutOfFile(ValueError):
    """No byte of the file is in the range that was asked for."""


def piece_asked_for(header: str, *, size: int) -> Piece | None:
    """None: the whole file, also for what is no range, or several (a server may leave both aside). Raises OutOfFile."""
    found = ONE.fullmatch(header.strip())
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if first == "":  # the last so many
        if int(last) == 0 or size == 0:
            raise OutOfFile
        return Piece(max(0, size - int(last)), size)
    start = int(first)
    if last != "" and int(last) < start:
        return None
    if start >= size:
        raise OutOfFile
    return Piece(start, size if last == "" else min(int(last) + 1, size))


def names(header: str, tag: str, *, weakly: bool = False) -> bool:
    """Whether a list of entity tags has this strong one. `weakly`: a weak one of the same name will do."""
    if header.strip() == "*":
        return True
    tags = [each.strip() for each in header.split(",")]
    return tag in ([each.removeprefix("W/") for each in tags] if weakly else tags)
