"""The shop's WSGI door with a trapdoor: the process dies by SIGKILL right before or after one chosen write becomes
permanent. The product knows nothing of it: Django's commit and its autocommitted statements are wrapped here.

CRASH_FOLDER holds `plan.json` ({"endpoint", "number", "when"}; none: nobody dies) and `boundaries.jsonl`, a line for
every boundary that was passed: {"endpoint", "number", "writes"}.
"""

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from djkraph.wsgi import application as shop

FOLDER = Path(os.environ["CRASH_FOLDER"])
WRITE = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM) "(?:\w+_)?(\w+)"', re.IGNORECASE)

request = threading.local()  # endpoint, number, writes, plan: of the request that this thread answers


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    request.endpoint = _endpoint(environ["PATH_INFO"])
    request.number, request.writes, request.plan = 0, [], None
    with suppress(FileNotFoundError):
        request.plan = json.loads((FOLDER / "plan.json").read_text())
    return shop(environ, start_response)


def _endpoint(path: str) -> str:
    known = {"/stkpush": "push", "/stkpush/status": "poll"}
    return known.get(path.rstrip("/")) or ("callback" if path.startswith("/api/payments/callback") else "")


def _boundary(become_permanent: Callable[[], Any], writes: list[str]) -> Any:
    """One moment after which a write can't be lost any more, with death at its two sides."""
    if not getattr(request, "endpoint", ""):
        return become_permanent()
    request.number += 1
    _die_if_planned("before")
    done = become_permanent()
    line = {"endpoint": request.endpoint, "number": request.number, "writes": writes}
    with (FOLDER / "boundaries.jsonl").open("a") as passed:
        passed.write(json.dumps(line) + "\n")
    _die_if_planned("after")
    return done


def _die_if_planned(when: str) -> None:
    if request.plan == {"endpoint": request.endpoint, "number": request.number, "when": when}:
        os.kill(os.getpid(), signal.SIGKILL)


def _commit(self: BaseDatabaseWrapper) -> Any:
    writes, request.writes = getattr(request, "writes", []), []
    return _boundary(lambda: _django_commit(self), writes)


def _execute(self: CursorWrapper, sql: str, params: Any, *ignored: Any) -> Any:
    return _statement(self, sql, lambda: _django_execute(self, sql, params, *ignored))


def _executemany(self: CursorWrapper, sql: str, param_list: Any, *ignored: Any) -> Any:
    return _statement(self, sql, lambda: _django_executemany(self, sql, param_list, *ignored))


def _statement(cursor: CursorWrapper, sql: str, execute: Callable[[], Any]) -> Any:
    write = WRITE.match(str(sql))
    if write is None:
        return execute()
    told = f"{write[1].split()[0].lower()} {write[2]}"
    if cursor.db.in_atomic_block:
        request.writes = [*getattr(request, "writes", []), told]
        return execute()
    return _boundary(execute, [told])


_django_commit = BaseDatabaseWrapper._commit
_django_execute = CursorWrapper._execute
_django_executemany = CursorWrapper._executemany
BaseDatabaseWrapper._commit = _commit
CursorWrapper._execute = _execute
CursorWrapper._executemany = _executemany
