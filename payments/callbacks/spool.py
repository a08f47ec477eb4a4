"""Where callbacks wait on disk while the database won't take them: one file a delivery. Knows no database.

A file holds what the inbox would hold (phones blanked, the token hashed) and an id, so that a replay that is
interrupted anywhere stores each delivery once.
"""

import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from djkraph import on_disk

SUFFIX = ".callback.json"


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
    as_bytes: str | None = None  # base64; where the body is no text


def put(folder: Path, spooled: Spooled) -> None:
    """On disk for good when this returns. Raises OSError."""
    fields = asdict(spooled) | {"id": str(spooled.id), "received_at": spooled.received_at.isoformat()}
    on_disk.put(_path(folder, spooled.id), fields)


def waiting(folder: Path) -> Iterator[Spooled]:
    """What waits, oldest first. A file that makes no sense is set aside under another name, and said in the log."""
    for file, fields in on_disk.waiting(folder, SUFFIX):
        try:
            fields = {
                **fields,
                "id": uuid.UUID(fields["id"]),
                "received_at": datetime.fromisoformat(fields["received_at"]),
            }
            spooled = Spooled(**fields)
        except (ValueError, TypeError, KeyError):
            on_disk.set_aside(file)
        else:
            yield spooled


def count_spooled(folder: Path) -> int:
    return sum(1 for _ in folder.glob(f"*{SUFFIX}"))


def count_set_aside(folder: Path) -> int:
    """Files that could not be read; they stay until a person moves them away."""
    return sum(1 for _ in folder.glob(f"*{on_disk.SET_ASIDE}"))


def set_aside(folder: Path, spooled: Spooled) -> None:
    on_disk.set_aside(_path(folder, spooled.id))


def spooled_since(folder: Path) -> list[datetime]:
    """When each file came that waits or was set aside, the oldest first."""
    return sorted(at for file in _files(folder) if (at := _came_at(file)) is not None)


def _files(folder: Path) -> Iterator[Path]:
    yield from folder.glob(f"*{SUFFIX}")
    yield from folder.glob(f"*{on_disk.SET_ASIDE}")


def _came_at(file: Path) -> datetime | None:
    """None: it was read in this moment."""
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
    except FileNotFoundError:
        return None


def remove(folder: Path, spooled: Spooled) -> None:
    _path(folder, spooled.id).unlink(missing_ok=True)


def _path(folder: Path, spool_id: uuid.UUID) -> Path:
    return folder / f"{spool_id}{SUFFIX}"
