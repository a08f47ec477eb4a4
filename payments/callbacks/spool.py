"""Where callbacks wait on disk while the database is away: one fsynced file a delivery. Knows no database.

A file holds what the inbox would hold (phones blanked, the token hashed) and an id, so that a replay that is
interrupted anywhere stores each delivery once.
"""

import json
import logging
import os
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

log = logging.getLogger(__name__)

SUFFIX = ".callback.json"
SET_ASIDE = ".bad"


@dataclass(frozen=True, kw_only=True)
class Spooled:
    """One delivery as it waits on disk."""

    id: uuid.UUID
    received_at: datetime
    token_hash: str
    checkout_request_id: str
    body: str
    source_address: str | None
    from_safaricom: bool


def put(folder: Path, spooled: Spooled) -> None:
    """On disk for good when this returns. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = asdict(spooled) | {"id": str(spooled.id), "received_at": spooled.received_at.isoformat()}
    unfinished = folder / f"{spooled.id}.part"
    with unfinished.open("w", encoding="utf-8") as file:
        json.dump(fields, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(_path(folder, spooled.id))
    _fsync_folder(folder)


def waiting(folder: Path) -> Iterator[Spooled]:
    """What waits, oldest first. A file that can't be read is set aside under another name, and said in the log."""
    for file in sorted(folder.glob(f"*{SUFFIX}"), key=_age):
        try:
            fields = json.loads(file.read_text(encoding="utf-8"))
            fields |= {
                "id": uuid.UUID(fields["id"]),
                "received_at": datetime.fromisoformat(fields["received_at"]),
            }
            yield Spooled(**fields)
        except FileNotFoundError:  # another worker was quicker
            continue
        except (ValueError, TypeError, KeyError):
            log.exception("A spooled callback can't be read; it is set aside as .bad")
            file.rename(file.with_suffix(SET_ASIDE))


def _age(file: Path) -> tuple[int, str]:
    try:
        return file.stat().st_mtime_ns, file.name
    except FileNotFoundError:  # another worker was quicker
        return 0, file.name


def count_spooled(folder: Path) -> int:
    return sum(1 for _ in folder.glob(f"*{SUFFIX}"))


def count_set_aside(folder: Path) -> int:
    """Files that could not be read; they stay until a person moves them away."""
    return sum(1 for _ in folder.glob(f"*{SET_ASIDE}"))


def remove(folder: Path, spooled: Spooled) -> None:
    _path(folder, spooled.id).unlink(missing_ok=True)


def _path(folder: Path, spool_id: uuid.UUID) -> Path:
    return folder / f"{spool_id}{SUFFIX}"


def _fsync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle for a folder; its rename is on disk
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
