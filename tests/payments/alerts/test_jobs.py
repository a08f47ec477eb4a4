"""On PostgreSQL procrastinate runs the looking and the sending: by whichever worker, once, and what got lost anew."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from payments import alerts
from payments.alerts import jobs, rounds, sending
from payments.models import AlertMessage
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click, called_back
from tests.support.payments.receiver import Receiver

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="its jobs are kept in PostgreSQL"),
]


def sql(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def waiting_jobs() -> list[str]:
    return sorted(name for (name,) in sql("SELECT task_name FROM procrastinate_jobs"))


@pytest.fixture(autouse=True)
def no_jobs_left(transactional_db: None) -> Iterator[None]:
    yield
    sql("DELETE FROM procrastinate_jobs")
    sql("DELETE FROM procrastinate_workers")


@pytest.fixture
def something_to_tell(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    click()
    called_back(safaricom, clock, code=1037)
    called_back(safaricom, clock)
    clock.advance(minutes=6)


@pytest.fixture
def run_jobs() -> Callable[[], None]:
    """All that are due, in a thread as the worker has one."""

    def run() -> None:
        thread = threading.Thread(target=jobs.run_waiting_jobs)
        thread.start()
        thread.join()

    return run


def test_a_look_is_asked_for_once_however_many_ask(by_webhook: Receiver) -> None:
    for _ in range(3):
        jobs.ask_to_look()
    assert waiting_jobs() == [jobs.LOOK]


def test_what_a_look_finds_is_sent_by_jobs_and_leaves_none(
    by_webhook: Receiver, something_to_tell: None, run_jobs: Callable[[], None]
) -> None:
    jobs.ask_to_look()
    run_jobs()
    assert len(by_webhook.posts) == 1
    assert AlertMessage.objects.get().state == "sent"
    assert waiting_jobs() == []


def test_two_workers_tell_nothing_twice(by_webhook: Receiver, by_mail: None, something_to_tell: None) -> None:
    """Real threads with connections of their own, which look and send at once; ten times over."""
    together = threading.Barrier(4)

    def work() -> None:
        for _ in range(10):
            together.wait(timeout=30)
            alerts.tell_now()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(by_webhook.posts) == 1
    assert AlertMessage.objects.filter(state="sent").count() == AlertMessage.objects.count() == 2


def test_two_workers_jobs_tell_nothing_twice(by_webhook: Receiver, something_to_tell: None) -> None:
    jobs.ask_to_look()
    workers = [threading.Thread(target=jobs.run_waiting_jobs) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(by_webhook.posts) == 1


def test_one_that_failed_is_a_job_for_later(
    by_webhook: Receiver, something_to_tell: None, run_jobs: Callable[[], None], clock: Clock
) -> None:
    clock.now = datetime.now(UTC)  # as the database has it, which decides when a job is due
    by_webhook.answers = [503]
    jobs.ask_to_look()
    run_jobs()
    ((status, at),) = sql("SELECT status, scheduled_at FROM procrastinate_jobs")
    message = AlertMessage.objects.get()
    assert (message.state, message.attempts, message.last_failure) == (
        "waiting",
        1,
        "It answered 503.",
    )
    assert (status, at > message.next_at) == ("todo", True)
    clock.advance(minutes=2)
    sql("UPDATE procrastinate_jobs SET scheduled_at = now()")
    run_jobs()
    assert AlertMessage.objects.get().state == "sent"
    assert len(by_webhook.posts) == 2


def test_a_message_whose_job_got_lost_gets_another(
    by_webhook: Receiver, something_to_tell: None, run_jobs: Callable[[], None], clock: Clock
) -> None:
    """A worker was killed with both in its hands: the message taken, the job begun."""
    jobs.look()
    (pk,) = AlertMessage.objects.values_list("pk", flat=True)
    sending._take(pk, clock())
    sql("UPDATE procrastinate_jobs SET status = 'doing'")
    clock.now += sending.LEASE
    jobs.ask_to_look()
    run_jobs()
    assert len(by_webhook.posts) == 1
    assert AlertMessage.objects.get().attempts == 2


def test_the_jobs_of_the_dead_are_removed(by_webhook: Receiver, run_jobs: Callable[[], None]) -> None:
    jobs.ask_to_look()
    sql("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')")
    sql(
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)"
    )
    run_jobs()
    assert waiting_jobs() == []


def test_the_worker_asks_and_its_thread_tells(
    by_webhook: Receiver, something_to_tell: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def once() -> None:
        done.wait(timeout=30)
        jobs.run_waiting_jobs()

    monkeypatch.setattr(rounds, "_thread", None)
    monkeypatch.setattr(jobs, "run_jobs", once)
    alerts.take_round()
    done.set()
    assert rounds._thread is not None
    rounds._thread.join()
    assert len(by_webhook.posts) == 1


def test_jobs_say_nothing_private(
    by_webhook: Receiver,
    something_to_tell: None,
    run_jobs: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    by_webhook.answers = [503]
    jobs.ask_to_look()
    run_jobs()
    args = str(sql("SELECT args FROM procrastinate_jobs"))
    for secret in ("a-webhook-secret-of-its-own", "a-token-in-the-path"):
        assert secret not in caplog.text + args
