"""Where a write becomes permanent: Django's commit and its autocommitted statements, wrapped. The product knows nothing
of it."""

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

WRITE = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM) "(?:\w+_)?(\w+)"', re.IGNORECASE)

# is given what makes it permanent, and what was written ("insert posting"); does it, and gives what that gave
Boundary = Callable[[Callable[[], Any], list[str]], Any]

_uncommitted = threading.local()  # writes: of this thread's open transaction


def wrap(boundary: Boundary) -> None:
    """From now on, in this whole process."""

    def commit(self: BaseDatabaseWrapper) -> Any:
        writes = forget_uncommitted()
        return boundary(lambda: django_commit(self), writes)

    def execute(self: CursorWrapper, sql: str, params: Any, *ignored: Any) -> Any:
        return _statement(boundary, self, sql, lambda: django_execute(self, sql, params, *ignored))

    def executemany(self: CursorWrapper, sql: str, param_list: Any, *ignored: Any) -> Any:
        return _statement(boundary, self, sql, lambda: django_executemany(self, sql, param_list, *ignored))

    database: Any = BaseDatabaseWrapper
    cursor: Any = CursorWrapper
    django_commit = database._commit
    django_execute, django_executemany = cursor._execute, cursor._executemany
    database._commit, cursor._execute, cursor._executemany = commit, execute, executemany


def wrap_files(boundary: Boundary) -> None:
    """Also a file that gets its name once it is whole."""

    def rename(self: Path, target: Any) -> Any:
        return boundary(lambda: path_rename(self, target), ["keep file"])

    path: Any = Path
    path_rename = path.rename
    path.rename = rename


def forget_uncommitted() -> list[str]:
    """What this thread's transaction wrote so far; the next one begins with nothing."""
    writes: list[str] = getattr(_uncommitted, "writes", [])
    _uncommitted.writes = []
    return writes


def short(writes: list[str]) -> str:
    """The tables, each once, by the words of a person."""
    names = {
        "mpesatransaction": "attempt",
        "paymentevent": "event",
        "idempotencykey": "key",
        "handsettlement": "decision",
        "statementline": "line",
        "sealedinpart": "part",
    }
    tables = dict.fromkeys(write.split()[1] for write in writes)
    return ", ".join(names.get(table, table) for table in tables)


def _statement(boundary: Boundary, cursor: CursorWrapper, sql: str, execute: Callable[[], Any]) -> Any:
    write = WRITE.match(str(sql))
    if write is None:
        return execute()
    told = f"{write[1].split()[0].lower()} {write[2]}"
    if cursor.db.in_atomic_block:
        _uncommitted.writes = [*getattr(_uncommitted, "writes", []), told]
        return execute()
    return boundary(execute, [told])
