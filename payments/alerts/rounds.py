"""One round of telling people: by the worker each minute, or by a command. No rule of its own."""

import threading
from dataclasses import dataclass

from django.db import connection

from payments import gateway
from payments.alerts import jobs, sending, telling


@dataclass(frozen=True, kw_only=True)
class Round:
    """Messages: made now; sent now; still to be sent."""

    made: int
    sent: int
    waiting: int


def tell_now() -> Round:
    """Looks, and sends what is due, here and now: for SQLite, where no job runs, and for whoever must not depend on the
    worker."""
    made = telling.look(now=gateway.now())
    sent = sending.deliver_due(clock=gateway.now)
    telling.forget(now=gateway.now())
    return Round(made=len(made), sent=sent, waiting=sending.count_unsent())


def take_round() -> None:
    """The worker's: on PostgreSQL it only asks for a job, which a thread of this process or of another one does."""
    if not telling.is_wanted():
        return
    if connection.vendor != "postgresql":
        tell_now()
        return
    _start_thread()
    jobs.ask_to_look()


_thread: threading.Thread | None = None


def _start_thread() -> None:
    """Once a process. It ends with the process, wherever it is: what it had begun is begun anew (sending.py)."""
    global _thread
    if _thread is None:
        _thread = threading.Thread(target=jobs.run_jobs, name="alerts", daemon=True)
        _thread.start()
