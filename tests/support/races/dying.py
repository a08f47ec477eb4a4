"""One deed done by a process of its own, which may die by SIGKILL right before or after one of its writes becomes
permanent. The process is a fork of the test's: it knows all that the test has prepared."""

import json
import os
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, connections

from tests.support.races import permanence

Doing = Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class Death:
    """At the boundary with this number, counted from 1; `when` is before or after it."""

    number: int
    when: str


@dataclass(kw_only=True)
class Lived:
    """What a process came to. `boundaries`: what each that it passed made permanent."""

    boundaries: list[list[str]] = field(default_factory=list)
    killed: bool = False
    failed: str = ""  # with which traceback it ended


def done_by_another(doing: Doing, *, death: Death | None = None) -> Lived:
    let_go()
    reading, writing = os.pipe()
    born = os.fork()
    if born == 0:
        os.close(reading)
        _live(doing, death, writing)
    os.close(writing)
    with os.fdopen(reading) as told:
        words = [json.loads(line) for line in told]
    _, status = os.waitpid(born, 0)
    _wait_until_its_transaction_is_gone()
    return Lived(
        boundaries=[word["writes"] for word in words if "writes" in word],
        killed=os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
        failed="".join(word["failed"] for word in words if "failed" in word),
    )


def let_go() -> None:
    """No connection may be in two processes."""
    connections.close_all()
    if connection.vendor == "postgresql":
        connection.close_pool()


def _live(doing: Doing, death: Death | None, writing: int) -> None:
    number = 0

    def say(**word: Any) -> None:
        os.write(writing, json.dumps(word).encode() + b"\n")

    def die_if(when: str) -> None:
        if death == Death(number=number, when=when):
            os.kill(os.getpid(), signal.SIGKILL)

    def boundary(become_permanent: Doing, writes: list[str]) -> Any:
        nonlocal number
        number += 1
        die_if("before")
        done = become_permanent()
        say(writes=writes)
        die_if("after")
        return done

    try:
        permanence.wrap(boundary)
        permanence.wrap_files(boundary)
        doing()
    except BaseException:  # noqa: BLE001 — nothing of the test's goes on in this process
        say(failed=traceback.format_exc())
    os._exit(0)


def _wait_until_its_transaction_is_gone() -> None:
    """PostgreSQL sees a moment later that nobody is at the other end."""
    if connection.vendor != "postgresql":
        return
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
    )
    give_up_at = time.monotonic() + 10
    while True:
        with connection.cursor() as cursor:
            cursor.execute(others)
            if cursor.fetchone() == (0,):
                return
        assert time.monotonic() < give_up_at, "a dead process's transaction is still open"
        time.sleep(0.002)
