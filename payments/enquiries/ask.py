"""Asking Daraja what became of an attempt, and giving the answer to the ledger. Never sends a push.

Whoever asks (an overdue poll, the worker, staff) first takes a turn from the shared budget, which must be their lane's
(lanes.py), then claims the attempt's next check, and only then calls: no two ask about the same attempt at once.

Following up ends with an answer: from 24 hours after the prompt on, the first question that Daraja answers with "paid"
or "not paid" is the last. "Processing" and "don't know" say that money may still move, and end nothing. Where no answer
came for 72 hours the attempt is given up, and its history says so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import Enum

from django.db.models import Q, QuerySet

from payments import gateway, ledger
from payments.daraja import QueryAnswer, Verdict
from payments.enquiries import budget, lanes
from payments.enquiries.lanes import Lane
from payments.facts import IS_LIVE, followed_up_at, is_certain, is_followed_up, is_paid, is_stale
from payments.gateway import release_connection
from payments.ledger import EventKind, Source, Update
from payments.models import MpesaTransaction
from payments.states import Event

BACK_OFF = tuple(timedelta(seconds=s) for s in (20, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600))
OLD_STEP = timedelta(hours=1)  # between questions about an attempt whose 24 hours are over
GIVE_UP_AFTER = timedelta(hours=72)
NO_CHECK_WITHIN = timedelta(seconds=20)  # a hint can't make us ask oftener than this
NO_STRANGERS_CHECK_WITHIN = timedelta(minutes=5)  # nor one that anybody could have sent than this
DEFAULT_PAUSE = timedelta(seconds=60)  # after a 429 that names no time
ANSWERS_WITHIN = timedelta(seconds=15)  # a question; what takes longer brings no answer
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
    """An attempt whose next check has come, as it was read."""

    id: int
    state: str
    checkout_request_id: str | None
    next_check_at: datetime | None
    checks: int
    created_at: datetime


def due(*, now: datetime, limit: int = BATCH) -> list[Due]:
    """The attempts whose next check has come, longest waiting first."""
    rows = MpesaTransaction.objects.filter(next_check_at__lte=now).order_by("next_check_at")
    return _read(rows[:limit])


def open_since(*, before: datetime, limit: int | None = None, batch: int = BATCH) -> Iterator[Due]:
    """The open attempts made and last asked about before then, oldest first; read in batches, so that memory does
    not grow with them."""
    last_id, left = 0, limit
    while left is None or left > 0:
        size = batch if left is None else min(batch, left)
        rows = _read(_open(before).filter(id__gt=last_id).order_by("id")[:size])
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
    return MpesaTransaction.objects.filter(not_just_asked, IS_LIVE, created_at__lte=before)


def read_due(attempt_id: int) -> Due:
    """One attempt as it stands now."""
    return _read(MpesaTransaction.objects.filter(id=attempt_id))[0]


def resolve_by_clock(due: Due, *, now: datetime) -> bool:
    """What the clock alone decides: a push that never noted its answer, and what nobody can be asked about.

    True: done, there is nothing to ask. Of what can be asked about, the clock decides nothing.
    """
    if is_stale(due, now=now):
        lost = Update(
            event=Event.ANSWER_LOST, source=Source.CLOCK, description="The push's answer was never noted."
        )
        ledger.record(due.id, lost, now=now)
        return True
    if due.checkout_request_id is not None:
        return False
    if not is_followed_up(due, now=now):
        expire(due.id, now=now, why="No payment was seen within 24 hours.")
        ledger.stop_checks_without_id(due.id)
    return True


def expire(attempt_id: int, *, now: datetime, why: str) -> None:
    ledger.record(attempt_id, Update(event=Event.EXPIRED, source=Source.CLOCK, description=why), now=now)


def due_without_id(*, now: datetime, limit: int = BATCH) -> list[Due]:
    """Of those the ones that nobody can be asked about: the clock decides."""
    rows = MpesaTransaction.objects.filter(next_check_at__lte=now, checkout_request_id=None)
    return _read(rows.order_by("next_check_at")[:limit])


def take_spare_turn(*, now: datetime) -> bool:
    """For a question about no attempt of ours (a receipt, an order): those who wait for an attempt go before."""
    return budget.take_turn(now=now, may_take=lambda turn: lanes.is_spare(turn, now=now))


def ask_next(*, clock: Callable[[], datetime]) -> Outcome:
    """The worker's question: about whoever waits longest in the lane whose turn it is."""
    now = clock()
    turn = budget.free_turn(now=now)
    lane = None if turn is None else lanes.whose(turn, now=now)
    attempt_id = None if lane is None else lanes.first_of(lane, now=now)
    if lane is None or attempt_id is None:
        return Outcome.NOT_ASKED
    return _ask(read_due(attempt_id), clock=clock, may_take=lambda number: number == turn)


def ask_about(due: Due, *, clock: Callable[[], datetime], lane: Lane = Lane.BUYER) -> Outcome:
    """Asks now, where this lane may have the turn. Where not, buyers and staff are remembered as waiting, and the
    worker asks for them when it is their turn."""
    if due.checkout_request_id is None:
        return Outcome.NOT_ASKED
    now = clock()

    def may_take(turn: int) -> bool:
        return lanes.may_take(lane, turn, attempt_id=due.id, now=now)

    outcome = _ask(due, clock=clock, may_take=may_take)
    if outcome is Outcome.NOT_ASKED and lane in lanes.WAITS_FOR:
        lanes.wait_in(lane, due.id, now=now)
    return outcome


def ask_about_open(due: Due, *, clock: Callable[[], datetime]) -> Outcome:
    """For whoever goes through all that is open: the same attempts as wait in the lanes where nobody is seen to wait,
    so it goes before those, and after the others."""
    now = clock()
    return _ask(due, clock=clock, may_take=lambda _turn: not lanes.is_anybody_waiting(now=now))


def _ask(due: Due, *, clock: Callable[[], datetime], may_take: Callable[[int], bool]) -> Outcome:
    """Takes a turn, claims, asks Daraja and records the answer. Holds no connection during the call."""
    now = clock()
    if due.checkout_request_id is None or not budget.take_turn(now=now, may_take=may_take):
        return Outcome.NOT_ASKED
    lanes.was_served(due.id)
    if not _claim(due, now=now):
        return Outcome.NOT_ASKED
    release_connection()
    answer = gateway.client().query(due.checkout_request_id)
    return _record(due, answer, now=clock())


def heard_since(attempt_id: int, *, since: datetime, now: datetime) -> Outcome | None:
    """What Daraja said of it since then, whoever asked: who waits for a turn is asked for by the worker, and may come
    too late for each. None: it was not asked. NOT_ASKED: it is being asked, and its answer is on the way."""
    columns = ("last_check_at", "last_answer_at", "state")
    attempt = MpesaTransaction.objects.only(*columns).get(id=attempt_id)
    if attempt.last_check_at is None or attempt.last_check_at < since:
        return None
    if attempt.last_answer_at is not None and attempt.last_answer_at >= since:
        return Outcome.PAID if is_paid(attempt) else Outcome.NOT_PAID
    return Outcome.NOT_ASKED if now < attempt.last_check_at + ANSWERS_WITHIN else Outcome.NO_ANSWER


def request_check(attempt_id: int, *, now: datetime) -> None:
    """Somebody says there is news of this attempt: ask soon. Cheap to call, and no way to make us ask often."""
    ledger.bring_check_forward(attempt_id, now=now, unless_asked_since=now - NO_CHECK_WITHIN)


def request_check_by_stranger(attempt_id: int, *, now: datetime) -> None:
    """As above, but anybody could have said so: nothing that is over is asked about again, and nothing often."""
    ledger.bring_check_forward(
        attempt_id, now=now, unless_asked_since=now - NO_STRANGERS_CHECK_WITHIN, only_live=True
    )


def request_check_of_earlier(attempt_id: int, *, now: datetime) -> None:
    """Daraja says that another prompt of this phone is in the way: ask about each that may have been paid."""
    phone = MpesaTransaction.objects.filter(id=attempt_id).values("phone_hash")
    earlier = MpesaTransaction.objects.filter(followed_up_at(now), phone_hash__in=phone, id__lt=attempt_id)
    for earlier_id in earlier.values_list("id", flat=True):
        request_check(earlier_id, now=now)


def _claim(due: Due, *, now: datetime) -> bool:
    young = is_followed_up(due, now=now)
    step = BACK_OFF[min(due.checks, len(BACK_OFF) - 1)] if young else OLD_STEP
    return ledger.claim_check(due.id, checks=due.checks, next_check_at=due.next_check_at, now=now, step=step)


def _record(due: Due, answer: QueryAnswer, *, now: datetime) -> Outcome:
    if answer.verdict in (Verdict.PAID, Verdict.NOT_PAID):
        paid = answer.verdict is Verdict.PAID
        update = Update(
            event=Event.CONFIRMED if paid else Event.DECLINED,
            source=Source.QUERY,
            code=answer.code,
            description=answer.description,
        )
        ledger.record(due.id, update, now=now)
        was_last = not is_followed_up(due, now=now) or _is_over(due.id)
        ledger.note_answer(due.id, now=now, was_last=was_last)
        if answer.result is not None and answer.result.check_earlier:
            request_check_of_earlier(due.id, now=now)
        return Outcome.PAID if paid else Outcome.NOT_PAID
    if answer.pause is not None:
        budget.pause(
            now=now, until=now + (timedelta(seconds=answer.pause) if answer.pause else DEFAULT_PAUSE)
        )
    facts = {"code": answer.code, "description": answer.description}
    ledger.note(due.id, EventKind.ASKED, source=Source.QUERY, now=now, facts=facts)
    if now >= due.created_at + GIVE_UP_AFTER:
        _give_up(due.id, now=now)
    if answer.verdict is Verdict.PROCESSING:
        return Outcome.PROCESSING
    return Outcome.NO_ANSWER if answer.asked else Outcome.NOT_ASKED


def _is_over(attempt_id: int) -> bool:
    """Asked about once more although nothing was open, and answered: whoever made us ask made us ask once."""
    columns = ("state", "checkout_request_id", "result_code")
    return is_certain(MpesaTransaction.objects.only(*columns).get(id=attempt_id))


def _give_up(attempt_id: int, *, now: datetime) -> None:
    """Asks no more about an attempt of which Daraja had no answer, and raises it to staff where it is in doubt."""
    expire(attempt_id, now=now, why="Safaricom gave no answer within 72 hours.")
    if not is_certain(MpesaTransaction.objects.get(id=attempt_id)):
        words = "Safaricom gave no answer for three days. Look for this payment in the M-PESA statement."
        facts = {"description": words}
        ledger.note(attempt_id, EventKind.GIVEN_UP, source=Source.CLOCK, now=now, facts=facts)
    ledger.stop_checks(attempt_id)


_COLUMNS = tuple(column.name for column in fields(Due))


def _read(attempts: QuerySet[MpesaTransaction]) -> list[Due]:
    return [Due(**row) for row in attempts.values(*_COLUMNS)]
