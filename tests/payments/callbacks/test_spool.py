"""Callbacks while the database is away: on disk, fsynced, replayed once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import (
    DatabaseError,
    DataError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)

from payments import callbacks, gateway
from payments.callbacks import spool
from payments.models import CallbackDelivery, MpesaTransaction
from payments.states import State
from tests.support.payments.callback_bodies import success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import WANJIRU, FakeDaraja

Click = Callable[..., MpesaTransaction]


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.SPOOL_DIR = str(tmp_path / "spool")
    return gateway.spool_folder()


@pytest.fixture
def database_away(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def start(error: type[Exception] = OperationalError) -> Any:
        patched = pytest.MonkeyPatch()

        def away(*_: Any, **__: Any) -> None:
            raise error("the server closed the connection")

        patched.setattr("payments.callbacks.receive.sql.insert", away)
        return patched

    return start


def receive(safaricom: FakeDaraja, clock: Clock, body: Any = None) -> None:
    callbacks.receive_callback(
        token=safaricom.last_token,
        body=json.dumps(body or success()).encode(),
        source_address="196.201.212.69",
        now=clock(),
    )


def test_a_callback_waits_on_disk_and_is_applied_once(
    click: Click, safaricom: FakeDaraja, clock: Clock, folder: Path, database_away: Callable[[], Any]
) -> None:
    attempt = click()
    away = database_away()
    receive(safaricom, clock)
    away.undo()
    assert (spool.count_spooled(folder), CallbackDelivery.objects.count()) == (1, 0)
    assert callbacks.replay_spool(now=clock()) == 1
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt) == (State.COMPLETED, "UKN4AB12CD")
    assert (spool.count_spooled(folder), callbacks.replay_spool(now=clock())) == (0, 0)
    delivery = CallbackDelivery.objects.get()
    assert (delivery.verdict, delivery.from_safaricom, delivery.received_at) == ("applied", True, clock())


@pytest.mark.parametrize(
    "error",
    [OperationalError, InterfaceError, InternalError, ProgrammingError, DatabaseError, MemoryError],
    ids=["away", "hung up", "read-only", "table missing", "other", "not its own"],
)
def test_whatever_the_databases_error_the_callback_waits_on_disk(
    error: type[Exception],
    click: Click,
    safaricom: FakeDaraja,
    clock: Clock,
    folder: Path,
    database_away: Callable[..., Any],
) -> None:
    click()
    away = database_away(error)
    receive(safaricom, clock)
    if issubclass(error, DatabaseError):
        with pytest.raises(error):  # the worker tries again, and the file stays
            callbacks.replay_spool(now=clock())
    away.undo()
    assert callbacks.replay_spool(now=clock()) == 1
    assert MpesaTransaction.objects.get().state == State.COMPLETED


def test_what_no_database_will_ever_take_is_set_aside_and_blocks_nobody(
    click: Click, safaricom: FakeDaraja, clock: Clock, folder: Path, database_away: Callable[..., Any]
) -> None:
    click()
    away = database_away(DataError)
    receive(safaricom, clock)
    assert callbacks.replay_spool(now=clock()) == 0
    away.undo()
    assert (spool.count_spooled(folder), spool.count_set_aside(folder)) == (0, 1)


def test_nobody_else_on_the_machine_reads_what_waits(
    click: Click, safaricom: FakeDaraja, clock: Clock, folder: Path, database_away: Callable[..., Any]
) -> None:
    click()
    away = database_away()
    receive(safaricom, clock)
    away.undo()
    assert next(folder.iterdir()).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_replay_that_died_after_its_commit_stores_nothing_twice(
    click: Click,
    safaricom: FakeDaraja,
    clock: Clock,
    folder: Path,
    database_away: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    click()
    away = database_away()
    receive(safaricom, clock)
    away.undo()

    class KilledError(Exception):
        pass

    def killed(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(spool, "remove", killed)
        with pytest.raises(KilledError):
            callbacks.replay_spool(now=clock())
    assert callbacks.replay_spool(now=clock()) == 1
    callbacks.apply_left_behind(now=clock.advance(seconds=6))
    assert CallbackDelivery.objects.get().verdict == "applied"
    assert MpesaTransaction.objects.get().state == State.COMPLETED


def test_what_waits_on_disk_holds_no_phone_and_no_token(
    click: Click, safaricom: FakeDaraja, clock: Clock, folder: Path, database_away: Callable[[], Any]
) -> None:
    click()
    away = database_away()
    receive(safaricom, clock)
    away.undo()
    text = next(folder.iterdir()).read_text()
    assert WANJIRU not in text
    assert safaricom.last_token not in text


def test_a_broken_file_is_set_aside_and_blocks_nobody(
    click: Click, safaricom: FakeDaraja, clock: Clock, folder: Path, database_away: Callable[[], Any]
) -> None:
    click()
    away = database_away()
    receive(safaricom, clock)
    away.undo()
    (folder / f"0{spool.SUFFIX}").write_text("{half")
    assert callbacks.replay_spool(now=clock()) == 1
    assert [file.suffix for file in folder.iterdir()] == [".bad"]


def test_with_neither_database_nor_disk_the_sender_is_told(
    client: Any, db: None, tmp_path: Path, settings: Any, database_away: Callable[[], Any]
) -> None:
    (tmp_path / "file").write_text("")
    settings.SPOOL_DIR = str(tmp_path / "file" / "no-folder")
    away = database_away()
    answer = client.post("/api/payments/callback/" + "a" * 48, "{}", content_type="application/json")
    away.undo()
    assert (answer.status_code, answer.json()["code"]) == (503, "not_kept")


@pytest.mark.parametrize(("enforced", "status"), [(False, 200), (True, 403)])
def test_a_callback_from_elsewhere_is_marked_and_refused_only_if_told_so(
    enforced: bool, status: int, client: Any, db: None, settings: Any
) -> None:
    settings.CALLBACK_ADDRESSES_ENFORCED = enforced
    settings.TRUSTED_PROXIES = 1
    address = "/api/payments/callback/" + "a" * 48

    def post(came_from: str) -> int:
        answer = client.post(address, "{}", content_type="application/json", HTTP_X_FORWARDED_FOR=came_from)
        return int(answer.status_code)

    assert post("196.201.212.69, 203.0.113.9") == status  # the left part is what the sender claims
    assert post("203.0.113.9, 196.201.212.69") == 200
    marks = CallbackDelivery.objects.order_by("id").values_list("from_safaricom", flat=True)
    assert list(marks) == ([True] if enforced else [False, True])
