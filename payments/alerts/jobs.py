"""Looking and sending as jobs of procrastinate, on PostgreSQL: beside the worker's questions to Safaricom, so that a
mail server that hangs keeps no buyer waiting. What is to be sent, and how often it was tried, stands in AlertMessage: a
job that got lost is asked for again."""

import asyncio
import logging
import time
from datetime import timedelta
from typing import Any

from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.contrib.django import DjangoApp, app, connector_params
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job, Status

from payments import gateway
from payments.alerts import sending, telling

log = logging.getLogger(__name__)

QUEUE = "alerts"
LOOK, DELIVER = "alerts.look", "alerts.deliver"
AFTER_TROUBLE = 30.0  # seconds
FETCH_EVERY = 5.0  # seconds between two looks for jobs


# --- asking for them ----------------------------------------------------------------------------------------


def ask_to_look() -> None:
    """One that waits is enough."""
    _defer(LOOK, lock=LOOK)


def _defer(name: str, *, lock: str, **arguments: int) -> None:
    try:
        app.configure_task(name, queue=QUEUE, queueing_lock=lock).defer(**arguments)
    except AlreadyEnqueued:
        return


# --- what they do -------------------------------------------------------------------------------------------


def look() -> None:
    """What is new becomes messages; each that is due, be it new or left by whoever died with it, gets its job."""
    now = gateway.now()
    telling.look(now=now)
    for pk in list(sending.waiting(now=now)):
        _defer(DELIVER, lock=f"{DELIVER} {pk}", message=pk)
    telling.forget(now=now)


def deliver(message: int) -> None:
    sending.deliver(message, clock=gateway.now)


class AsNoted(BaseRetryStrategy):
    """Again when the message says. Any other failure is in the log, and the next look asks anew."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002
        if isinstance(exception, sending.TryAgain):
            return RetryDecision(retry_at=exception.at + timedelta(seconds=1))
        return None


# --- running them -------------------------------------------------------------------------------------------


def run_jobs() -> None:
    """For ever, in a thread of the worker's: that the database is away ends nothing."""
    while True:
        try:
            asyncio.run(_run(wait=True))
        except Exception:
            log.exception("The jobs that tell people have stopped; they start again")
        time.sleep(AFTER_TROUBLE)


def run_waiting_jobs() -> None:
    """Those that are due now, and no longer."""
    asyncio.run(_run(wait=False))


async def _run(*, wait: bool) -> None:
    async with _runner().open_async() as runner:
        await _remove_dead(runner)
        await runner.run_worker_async(
            queues=[QUEUE],
            wait=wait,
            listen_notify=False,
            fetch_job_polling_interval=FETCH_EVERY,
            install_signal_handlers=False,
            delete_jobs="always",  # what became of it stands in AlertMessage
        )


def _runner() -> App:
    """An app of its own with connections of its own: the one that asks for jobs goes on with Django's."""
    options: dict[str, Any] = {"kwargs": connector_params(), "min_size": 1, "max_size": 2}
    runner = DjangoApp(connector=PsycopgConnector(**options))
    runner.task(name=LOOK, queue=QUEUE)(look)
    runner.task(name=DELIVER, queue=QUEUE, retry=AsNoted())(deliver)
    return runner


async def _remove_dead(runner: App) -> None:
    """Jobs of a worker that was killed: their messages are due again by themselves."""
    for job in await runner.job_manager.get_stalled_jobs(queue=QUEUE):
        await runner.job_manager.finish_job(job, status=Status.ABORTED, delete_job=True)
