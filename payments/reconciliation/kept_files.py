"""The files that people uploaded, as they came, for whoever wants to see what was believed. On disk; knows no database.

They hold what the rows don't (a payer's whole number, perhaps), so nobody but the shop reads them, and they go after a
time.
"""

import os
import re
from datetime import datetime
from pathlib import Path

OURS_ALONE = 0o600
_KEPT = re.compile(r"[0-9a-f]{64}\.statement")


def keep(folder: Path, sha256: str, data: bytes) -> None:
    """On disk for good when this returns; once, however often it is uploaded. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = _path(folder, sha256)
    if path.exists():
        return
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OURS_ALONE)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def kept(folder: Path, sha256: str) -> Path | None:
    """Where it is; None where it is gone, or came before files were kept."""
    path = _path(folder, sha256)
    return path if path.is_file() else None


def erase_older(folder: Path, *, before: datetime) -> int:
    """Removes what was uploaded before that, and what an upload left unfinished. How many."""
    gone = 0
    for path in folder.glob("*.statement") if folder.is_dir() else ():
        if _KEPT.fullmatch(path.name) and path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
            gone += 1
    for path in folder.glob("*.part") if folder.is_dir() else ():
        if path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
    return gone


def _path(folder: Path, sha256: str) -> Path:
    return folder / f"{sha256}.statement"
