"""Idempotency-Key, with Stripe's meaning: one key is one request, and everybody who sends it gets its one answer.

Knows nothing of M-Pesa: it remembers an HTTP status and a body.
"""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.db import Error

from djkraph.erasing import Erasable
from payments import gateway
from payments.gateway import release_connection
from payments.models import IdempotencyKey

log = logging.getLogger(__name__)

WAIT = 35.0  # seconds for the answer of a request under way: longer than a push can take
WAIT_STEP = 0.1  # seconds
ABANDONED_AFTER = timedelta(seconds=60)  # the process that had it died


@dataclass(frozen=True, kw_only=True)
class StoredAnswer:
    """What was (or is now) answered. `retry_after` (seconds) is said once and not stored."""

    status: int
    body: Mapping[str, Any]
    retry_after: int | None = None

    @property
    def is_to_be_kept(self) -> bool:
        """A 5xx asked no phone: whoever repeats its key means to try again."""
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR


class KeyReused(ValueError):
    """The key stands for another request."""


def body_hashes(body: Mapping[str, Any]) -> list[str]:
    """The same request gives the same hash, under each live key: the first is written, all are compared. Keyed,
    because a phone number is easily guessed."""
    canonical = json.dumps(body, sort_keys=True, default=str).encode()
    return [hmac.new(key.encode(), canonical, hashlib.sha256).hexdigest() for key in gateway.keyring().keys]


def erasable_answers(*, before: datetime) -> Erasable:
    """They hold Daraja's id. Nobody repeats a key so late: it goes whole."""
    old = IdempotencyKey.objects.filter(created_at__lt=before)
    return Erasable(what="stored answers", rows=old, kept=0, emptied=None)


def answer_once(
    key: str,
    *,
    asked: Sequence[str],
    now: datetime,
    produce: Callable[[int | None], StoredAnswer],
    under_way: Callable[[IdempotencyKey], StoredAnswer],
) -> StoredAnswer:
    """The stored answer of this key, or `produce(row id)`'s, which is stored. Raises KeyReused.

    `asked`: the request's hash under each live key, the one to write first.

    A request that is under way is waited for; `under_way` answers for one whose process died.
    """
    if not key:
        return produce(None)
    created = _claim(key, asked[0], now)
    give_up_at = time.monotonic() + WAIT
    while created is None:
        row = IdempotencyKey.objects.select_related("attempt").filter(key=key).first()
        if row is None:  # its answer was one that is not kept
            created = _claim(key, asked[0], now)
            continue
        if row.body_hash not in asked:
            raise KeyReused("This Idempotency-Key was used for another request.")
        if row.status is not None:
            return StoredAnswer(status=row.status, body=row.answer or {})
        abandoned = now - row.created_at > ABANDONED_AFTER
        if abandoned or time.monotonic() > give_up_at:
            if row.attempt_id:
                return under_way(row)
            created = row.id if _take_over(row, now) else None
            give_up_at = time.monotonic() + WAIT
            continue
        release_connection()
        time.sleep(WAIT_STEP)
    return _produce_and_store(created, produce)


def _claim(key: str, asked: str, now: datetime) -> int | None:
    """The new row's id, or None: the key is known already."""
    row = IdempotencyKey(key=key, body_hash=asked, created_at=now)
    IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    mine = IdempotencyKey.objects.filter(key=key, claim=row.claim).values_list("id", flat=True)
    return mine.first()


def _produce_and_store(row_id: int, produce: Callable[[int | None], StoredAnswer]) -> StoredAnswer:
    answer = produce(row_id)
    row = IdempotencyKey.objects.filter(id=row_id)
    try:
        if answer.is_to_be_kept:
            row.update(status=answer.status, answer=dict(answer.body))
        else:
            row.delete()
    except Error:  # the answer stands, stored or not: whoever repeats the key is answered with the attempt
        log.exception("An answer could not be stored under its Idempotency-Key")
    return answer


def _take_over(row: IdempotencyKey, now: datetime) -> bool:
    """Its process died before any prompt was opened: one of those who ask again does it now, the others wait."""
    as_it_was = IdempotencyKey.objects.filter(id=row.id, created_at=row.created_at, status=None, attempt=None)
    return as_it_was.update(created_at=now) == 1
