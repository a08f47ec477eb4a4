"""Asking Daraja what became of an attempt, and giving the answer to the ledger. Never sends a push.

Whoever asks (an overdue poll, the worker, staff) first claims the attempt's next check, then takes a turn from
the shared budget, and only then calls: no two ask about the same attempt at once.

A watch ends with an answer: from 24 hours after the prompt on, the first question that Daraja answers with "paid" or
"not paid" is the last. "Processing" and "don't know" say that money may still move, and end nothing. Where no answer
came for 72 hours the watch is given up, and its history says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.db.models import F, Q, QuerySet

from payments import gateway
from payments.connections import let_go_of_database
from payments.daraja import QueryAnswer, Verdict, lookup
from payments.models import MpesaTransaction
from payments.services import budget, ledger
from payments.services.ledger import WATCH_FOR, Happening, Source
from payments.states import LIVE, Event, State

BACK_OFF = tuple(timedelta(seconds=s) for s in (20, 20, 30, 60, 120, 300))
OLD_STEP = timedelta(hours=1)  # between questions about an attempt whose 24 hours are over
GIVE_UP_AFTER = timedelta(hours=72)
NO_HINT_WITHIN = timedelta(seconds=20)  # a hint can't make us ask oftener than this
DEFAULT_PAUSE = timedelta(seconds=60)  # after a 429 that names no time
BATCH = 100


class Outcome(Enum):
    """What asking about one attempt came to."""

    PAID = "paid"
    NOT_PAID = "not paid"
    PROCESSING = "still processing"
    NO_ANSWER = "no answer yet"  # Daraja took the question and didn't know
    NOT_ASKED = "not asked"  # no turn, no line, no id: nothing was learned


@dataclass(frozen=True, kw_only=True)
class Due:
    """An attempt whose next check has come, as it was seen."""

    id: int
    state: State
    checkout_request_id: str | None
    next_check_at: datetime | None
    checks: int
    created_at: datetime


def due(*, now: datetime, limit: int = BATCH) -> list[Due]:
    """The attempts whose next check has come, longest waiting first."""
    rows = MpesaTransaction.objects.filter(next_check_at__lte=now).order_by("next_check_at")
    return _read(rows.values_list(*_DUE)[:limit])


def open_since(*, before: datetime, limit: int | None = None, batch: int = BATCH) -> Iterator[Due]:
    """The open attempts made and last asked about before then, oldest first; read in batches, so that memory does
    not grow with them."""
    last_id, left = 0, limit
    while left is None or left > 0:
        size = batch if left is None else min(batch, left)
        rows = _read(_open(before).filter(id__gt=last_id).order_by("id").values_list(*_DUE)[:size])
        if not rows:
            return
        yield from rows
        last_id = rows[-1].id
        left = None if left is None else left - len(rows)


def count_open(*, before: datetime, limit: int | None = None) -> int:
    count = _open(before).count()
    return count if limit is None else min(count, limit)


def _open(before: datetime) -> QuerySet[MpesaTransaction]:
    not_just_asked = Q(last_check_at=None) | Q(last_check_at__lte=before)
    return MpesaTransaction.objects.filter(not_just_asked, state__in=LIVE, created_at__lte=before)


def see(attempt_id: int) -> Due:
    """One attempt as it stands now."""
    return _read(MpesaTransaction.objects.filter(id=attempt_id).values_list(*_DUE))[0]


def settle_without_asking(seen: Due, *, now: datetime) -> bool:
    """What the clock alone decides: a push that never noted its answer, the watch of what nobody can be asked about.

    True: done, there is nothing to ask. Of what can be asked about, the clock decides nothing.
    """
    if seen.state is State.CREATED and now >= seen.created_at + ledger.STALE_AFTER:
        lost = Happening(
            event=Event.ANSWER_LOST, source=Source.CLOCK, description="The push's answer was never noted."
        )
        ledger.record(seen.id, lost, now=now)
        return True
    if seen.checkout_request_id is not None:
        return False
    if now >= seen.created_at + WATCH_FOR:
        expire(seen.id, now=now, why="No payment was seen within 24 hours.")
        MpesaTransaction.objects.filter(id=seen.id, checkout_request_id=None).update(next_check_at=None)
    return True


def expire(attempt_id: int, *, now: datetime, why: str) -> None:
    ledger.record(attempt_id, Happening(event=Event.EXPIRED, source=Source.CLOCK, description=why), now=now)


def claim(seen: Due, *, now: datetime) -> bool:
    """Wins this attempt's next check, or not: somebody else asks already. Sets the one after it."""
    is_old = now >= seen.created_at + WATCH_FOR
    step = OLD_STEP if is_old else BACK_OFF[min(seen.checks, len(BACK_OFF) - 1)]
    as_seen = MpesaTransaction.objects.filter(
        id=seen.id, checks=seen.checks, next_check_at=seen.next_check_at
    )
    return as_seen.update(next_check_at=now + step, checks=F("checks") + 1, last_check_at=now) == 1


def ask(seen: Due, *, clock: Callable[[], datetime]) -> Outcome:
    """Claims, takes a turn, asks Daraja and records the answer. Holds no connection during the call."""
    now = clock()
    if seen.checkout_request_id is None or not budget.take_turn(now=now) or not claim(seen, now=now):
        return Outcome.NOT_ASKED
    let_go_of_database()
    answer = gateway.client().query(seen.checkout_request_id)
    return _record(seen, answer, now=clock())


def hint(attempt_id: int, *, now: datetime) -> None:
    """Somebody says there is news of this attempt: ask soon. Cheap to call, and no way to make us ask often."""
    quiet = Q(last_check_at=None) | Q(last_check_at__lte=now - NO_HINT_WITHIN)
    later = Q(next_check_at=None) | Q(next_check_at__gt=now)
    askable = MpesaTransaction.objects.filter(quiet, later, id=attempt_id).exclude(state=State.COMPLETED)
    askable.exclude(checkout_request_id=None).update(next_check_at=now)


def hint_earlier(attempt_id: int, *, now: datetime) -> None:
    """Daraja says that another prompt of this phone is in the way: ask about each that may have been paid."""
    phone = MpesaTransaction.objects.filter(id=attempt_id).values("phone_hash")
    for earlier in MpesaTransaction.objects.filter(
        phone_hash__in=phone, id__lt=attempt_id, created_at__gt=now - WATCH_FOR
    ).values_list("id", flat=True):
        hint(earlier, now=now)


def _record(seen: Due, answer: QueryAnswer, *, now: datetime) -> Outcome:
    if answer.verdict in (Verdict.PAID, Verdict.NOT_PAID):
        paid = answer.verdict is Verdict.PAID
        told = Happening(
            event=Event.CONFIRMED if paid else Event.DECLINED,
            source=Source.QUERY,
            code=answer.code,
            description=answer.description,
        )
        ledger.record(seen.id, told, now=now)
        _note_answer(seen, now=now)
        if answer.result is not None and answer.result.check_earlier:
            hint_earlier(seen.id, now=now)
        return Outcome.PAID if paid else Outcome.NOT_PAID
    if answer.pause is not None:
        budget.pause(until=now + (timedelta(seconds=answer.pause) if answer.pause else DEFAULT_PAUSE))
    facts = {"code": answer.code, "description": answer.description}
    ledger.note(seen.id, "asked", source=Source.QUERY, now=now, facts=facts)
    if now >= seen.created_at + GIVE_UP_AFTER:
        _give_up(seen.id, now=now)
    if answer.verdict is Verdict.PROCESSING:
        return Outcome.PROCESSING
    return Outcome.NO_ANSWER if answer.asked else Outcome.NOT_ASKED


def _note_answer(seen: Due, *, now: datetime) -> None:
    answered = MpesaTransaction.objects.filter(id=seen.id)
    if now >= seen.created_at + WATCH_FOR:
        answered.update(last_answer_at=now, next_check_at=None)
    else:
        answered.update(last_answer_at=now)


def _give_up(attempt_id: int, *, now: datetime) -> None:
    """Ends the watch of an attempt about which Daraja had no answer, and raises it to staff where it is in doubt."""
    expire(attempt_id, now=now, why="Safaricom gave no answer within 72 hours.")
    attempts = MpesaTransaction.objects.filter(id=attempt_id)
    state, code = attempts.values_list("state", "result_code").get()
    result = lookup(code)
    certain = state == State.COMPLETED or (state == State.FAILED and result.final and not result.watch)
    if not certain:
        words = "Safaricom gave no answer for three days. Look for this payment in the M-PESA statement."
        ledger.note(attempt_id, "given_up", source=Source.CLOCK, now=now, facts={"description": words})
    attempts.update(next_check_at=None)


_DUE = ("id", "state", "checkout_request_id", "next_check_at", "checks", "created_at")


def _read(rows: object) -> list[Due]:
    return [
        Due(
            id=pk,
            state=State(state),
            checkout_request_id=checkout_id,
            next_check_at=next_check_at,
            checks=checks,
            created_at=created_at,
        )
        for pk, state, checkout_id, next_check_at, checks, created_at in rows  # type: ignore[attr-defined]
    ]
