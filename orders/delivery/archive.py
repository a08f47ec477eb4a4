"""All mixes of an order in one zip, made as it is taken: nothing is packed (audio is already), nothing is kept."""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

AT_ONCE = 262_144  # bytes
MADE_AT = (2026, 1, 1, 0, 0, 0)  # of each file in it: the same order gives the same zip


class Zip:
    """Files as (name in the zip, path on disk). `close` is called once, however it ends."""

    def __init__(self, files: Sequence[tuple[str, str]], close: Callable[[], None]) -> None:
        self._files = files
        self.close = close

    def __iter__(self) -> Iterator[bytes]:
        line = _Taken()
        with zipfile.ZipFile(line, "w", zipfile.ZIP_STORED) as archive:
            for name, path in self._files:
                entry = zipfile.ZipInfo(name, date_time=MADE_AT)
                with Path(path).open("rb") as file, archive.open(entry, "w", force_zip64=True) as into:
                    while piece := file.read(AT_ONCE):
                        into.write(piece)
                        yield line.take()
                yield line.take()
        yield line.take()


class _Taken(io.RawIOBase):
    """What the zip's writer wrote since it was last asked."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        self._written += piece
        return len(piece)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def names_apart(names: Sequence[str]) -> list[str]:
    """Two mixes may have one title, and a zip may not have one name twice."""
    seen: dict[str, int] = {}
    apart = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        stem, dot, suffix = name.rpartition(".")
        apart.append(name if seen[name] == 1 else f"{stem} ({seen[name]}){dot}{suffix}")
    return apart
