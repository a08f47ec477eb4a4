"""What Daraja said to a push, noted in the ledger. Where the database won't take it, it waits on disk: Daraja's id is
said once, and without it nobody can ask what became of the prompt.

A file that is read twice does no harm: the ledger knows what it holds already.
"""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import Error, IntegrityError

from djkraph import on_disk
from payments import gateway, ledger
from payments.gateway import hurried
from payments.ledger import Source, Update
from payments.models import MpesaTransaction
from payments.states import Event

log = logging.getLogger(__name__)

SUFFIX = ".answer.json"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Daraja's answer to one push, in words and numbers that a file can hold."""

    event: str
    code: str = ""
    description: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    merchant_request_id: str = ""
    checkout_request_id: str | None = None

    def update(self) -> Update:
        return Update(
            event=Event(self.event),
            source=Source.PUSH,
            code=self.code,
            description=self.description,
            more=self.more,
            merchant_request_id=self.merchant_request_id,
            checkout_request_id=self.checkout_request_id,
        )


def note_answer(attempt: MpesaTransaction, answer: Answer, *, now: datetime) -> bool:
    """Whether the ledger holds it now; else it waits on disk, and the worker notes it later."""
    try:
        with hurried():
            ledger.record(attempt.id, answer.update(), now=now, row=ledger.snapshot(attempt))
    except Error:  # whatever its error: a prompt can't be unsent
        log.exception("The answer to a push could not be noted yet")
        _keep(attempt.id, answer)
        return False
    return True


def note_kept_answers(*, now: datetime) -> int:
    """Notes what waited on disk. How many there were. Raises django.db.Error where the database still won't take it."""
    done = 0
    for file, fields in on_disk.waiting(gateway.spool_folder(), SUFFIX):
        _note_kept(file, fields, now)
        done += 1
    return done


def _note_kept(file: Path, fields: dict[str, Any], now: datetime) -> None:
    try:
        attempt_id = int(fields.pop("attempt_id"))  # of something else than a file of ours: AttributeError
        ledger.record(attempt_id, Answer(**fields).update(), now=now)
    except (ValueError, TypeError, KeyError, AttributeError, ObjectDoesNotExist, IntegrityError):
        on_disk.set_aside(file)
    else:
        file.unlink(missing_ok=True)


def _keep(attempt_id: int, answer: Answer) -> None:
    fields = {"attempt_id": attempt_id} | {
        "event": str(answer.event),
        "code": answer.code,
        "description": answer.description,
        "more": dict(answer.more),
        "merchant_request_id": answer.merchant_request_id,
        "checkout_request_id": answer.checkout_request_id,
    }
    try:
        on_disk.put(gateway.spool_folder() / f"{uuid.uuid4()}{SUFFIX}", fields)
    except OSError:  # neither database nor disk: its callback will tell
        log.exception("The answer to a push could not be kept")
