"""Files in which something waits for the database: one fsynced file each, read by nobody but us (0600). What they hold
is their owners' business."""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

SET_ASIDE = ".bad"


def put(file: Path, fields: Mapping[str, Any]) -> None:
    """On disk for good when this returns. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.part")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as writing:
        json.dump(fields, writing)
        writing.flush()
        os.fsync(writing.fileno())
    unfinished.rename(file)
    _fsync_folder(file.parent)


def waiting(folder: Path, suffix: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """What waits, oldest first. A file that can't be read is set aside."""
    for file in sorted(folder.glob(f"*{suffix}"), key=_age):
        try:
            fields = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:  # another worker was quicker
            continue
        except ValueError:
            set_aside(file)
            continue
        yield file, fields


def set_aside(file: Path) -> None:
    """It can't be read or used: it gets another name, the log has a word of it, and a person looks at it."""
    log.exception("A file of the spool can't be used; it is set aside as .bad")
    file.rename(file.with_suffix(SET_ASIDE))


def _age(file: Path) -> tuple[int, str]:
    try:
        return file.stat().st_mtime_ns, file.name
    except FileNotFoundError:  # another worker was quicker
        return 0, file.name


def _fsync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle for a folder; its rename is on disk
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
