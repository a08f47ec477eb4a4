"""What Daraja said to a push is noted, be it later: its id is said only once."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, OperationalError

from payments import checkout, daraja, gateway, ledger
from payments.checkout import PushProblem, noting
from payments.models import MpesaTransaction
from payments.states import State
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.SPOOL_DIR = str(tmp_path / "spool")
    return gateway.spool_folder()


def pressed_while_nothing_can_be_noted(
    click: Click, safaricom: FakeDaraja, error: type[Exception] = OperationalError
) -> MpesaTransaction:
    """The database goes while the phone is asked, and comes back after the buyer was answered."""

    def away(*_: Any, **__: Any) -> None:
        raise error("gone")

    with pytest.MonkeyPatch.context() as patched:
        safaricom.during_push = lambda: patched.setattr(noting.ledger, "record", away)
        attempt = click()
    safaricom.during_push = lambda: None
    assert attempt.state == State.CREATED
    return attempt


@pytest.mark.parametrize("error", [OperationalError, InternalError], ids=["away", "read-only"])
def test_daraja_s_ids_are_noted_once_the_database_is_back(
    error: type[Exception], click: Click, safaricom: FakeDaraja, clock: Clock, folder: Path
) -> None:
    attempt = pressed_while_nothing_can_be_noted(click, safaricom, error)
    assert checkout.note_kept_answers(now=clock.advance(minutes=1)) == 1
    attempt.refresh_from_db()
    assert (attempt.state, attempt.checkout_request_id, attempt.merchant_request_id) == (
        State.PENDING,
        "ws_CO_1",
        "m-1",
    )
    assert (list(folder.iterdir()), checkout.note_kept_answers(now=clock())) == ([], 0)


def test_one_that_was_given_up_meanwhile_can_be_asked_about_from_then_on(
    click: Click, safaricom: FakeDaraja, clock: Clock, folder: Path
) -> None:
    attempt = pressed_while_nothing_can_be_noted(click, safaricom)
    lost = noting.Answer(event="answer_lost").update()
    ledger.record(attempt.id, lost, now=clock.advance(minutes=2))
    checkout.note_kept_answers(now=clock.advance(minutes=2))
    attempt.refresh_from_db()
    assert (attempt.state, attempt.checkout_request_id) == (State.PENDING, "ws_CO_1")
    assert attempt.next_check_at is not None


def test_a_refusal_is_noted_later_too(
    click: Click, safaricom: FakeDaraja, clock: Clock, folder: Path
) -> None:
    safaricom.push_answer = daraja.Busy("quota")
    with pytest.raises(PushProblem):
        pressed_while_nothing_can_be_noted(click, safaricom)
    checkout.note_kept_answers(now=clock())
    assert MpesaTransaction.objects.get().state == State.FAILED


def test_read_twice_it_changes_nothing_more(
    click: Click, safaricom: FakeDaraja, clock: Clock, folder: Path
) -> None:
    attempt = pressed_while_nothing_can_be_noted(click, safaricom)
    (file,) = folder.iterdir()
    twice = file.read_text()
    checkout.note_kept_answers(now=clock())
    file.write_text(twice)
    checkout.note_kept_answers(now=clock())
    assert [event.kind for event in attempt.events.all()] == ["created", "accepted"]


@pytest.mark.parametrize("spoilt", ["{half", "{}", '{"attempt_id": 7777, "event": "accepted"}', "[]"])
def test_a_file_that_makes_no_sense_is_set_aside_and_blocks_nobody(
    spoilt: str, click: Click, safaricom: FakeDaraja, clock: Clock, folder: Path
) -> None:
    attempt = pressed_while_nothing_can_be_noted(click, safaricom)
    (folder / f"0{noting.SUFFIX}").write_text(spoilt)
    checkout.note_kept_answers(now=clock())
    attempt.refresh_from_db()
    assert attempt.state == State.PENDING
    assert [file.suffix for file in folder.iterdir()] == [".bad"]


def test_an_id_that_is_another_attempts_is_set_aside(
    click: Click, safaricom: FakeDaraja, clock: Clock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed_while_nothing_can_be_noted(click, safaricom)

    def taken(*_: Any, **__: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(noting.ledger, "record", taken)
    checkout.note_kept_answers(now=clock())
    assert [file.suffix for file in folder.iterdir()] == [".bad"]


def test_with_neither_database_nor_disk_the_buyer_still_waits_for_the_callback(
    click: Click, safaricom: FakeDaraja, tmp_path: Path, settings: Any
) -> None:
    (tmp_path / "file").write_text("")
    settings.SPOOL_DIR = str(tmp_path / "file" / "no-folder")
    assert pressed_while_nothing_can_be_noted(click, safaricom).state == State.CREATED


def test_the_file_is_ours_alone_and_holds_no_more_than_the_answer(
    click: Click, safaricom: FakeDaraja, folder: Path
) -> None:
    attempt = pressed_while_nothing_can_be_noted(click, safaricom)
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text()) == {
        "attempt_id": attempt.id,
        "event": "accepted",
        "code": "",
        "description": "Success.",
        "more": {},
        "merchant_request_id": "m-1",
        "checkout_request_id": "ws_CO_1",
    }
