"""How the asking stands: whether a prompt is live, idle, overdue, refused. Nothing about the money (money.py).

Each fact stands here once: a function for a row in hand and, where a query needs it, its twin for the database.
tests/payments/facts/test_twins.py holds the two equal.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol

from django.db.models import F, Q

from payments.daraja import RESULTS, Result, lookup
from payments.states import LIVE, State

SEND_WITHIN = timedelta(
    seconds=30
)  # a request that has not left by then never leaves; nothing gives it up sooner
PROMPT_LIFE = timedelta(minutes=2)  # after this a prompt is idle and the buyer may want another
UNASKABLE_FOR = timedelta(minutes=5)  # an attempt without an id can't be asked about: wait for its callback
STALE_AFTER = timedelta(seconds=90)  # a push that has not noted its answer by then never will
FOLLOW_UP_FOR = timedelta(hours=24)  # an attempt is asked about for so long, whatever was said of it

_FINAL_CODES = tuple(code for code, result in RESULTS.items() if result.final)


class HasState(Protocol):
    @property
    def state(self) -> str: ...


class HasAge(Protocol):
    @property
    def created_at(self) -> datetime: ...


class Prompt(HasState, HasAge, Protocol):
    """A request to a phone, as far as these facts need it."""


class HasId(Protocol):
    @property
    def id(self) -> int: ...


class IdentifiedPrompt(HasId, Prompt, Protocol):
    """A request that one may have asked about."""


class Scheduled(HasState, Protocol):
    """`next_check_at`: when Safaricom is asked about it next; None: no need."""

    @property
    def next_check_at(self) -> datetime | None: ...


class Answered(HasState, Protocol):
    """`checkout_request_id`: Daraja's id, None until it is known. `result_code`: Daraja's, of a failure."""

    @property
    def checkout_request_id(self) -> str | None: ...
    @property
    def result_code(self) -> str: ...


class Watched(Prompt, Protocol):
    """`concluded_at`: when it ended. `next_check_at`: when Safaricom is asked about it next; None: no need.
    `last_check_at`: when it was last."""

    @property
    def checkout_request_id(self) -> str | None: ...
    @property
    def next_check_at(self) -> datetime | None: ...
    @property
    def last_check_at(self) -> datetime | None: ...
    @property
    def concluded_at(self) -> datetime | None: ...


def is_live(attempt: HasState) -> bool:
    """The phone may be ringing."""
    return attempt.state in LIVE


IS_LIVE = Q(state__in=[str(state) for state in LIVE])


def came_to_nothing(attempt: HasState) -> bool:
    """It ended without money. (Money that comes late moves it on all the same.)"""
    return attempt.state in (State.FAILED, State.EXPIRED)


CAME_TO_NOTHING = Q(state__in=[str(State.FAILED), str(State.EXPIRED)])


def has_failed(attempt: HasState) -> bool:
    """Safaricom, or we ourselves, said that it is not paid."""
    return attempt.state == State.FAILED


HAS_FAILED = Q(state=str(State.FAILED))


def has_expired(attempt: HasState) -> bool:
    """Nobody said how it ended, and it was waited for long enough."""
    return attempt.state == State.EXPIRED


HAS_EXPIRED = Q(state=str(State.EXPIRED))


def is_unknown(attempt: HasState) -> bool:
    """Safaricom's answer to our request was lost: the phone may have been asked, or not."""
    return attempt.state == State.UNKNOWN


IS_UNKNOWN = Q(state=str(State.UNKNOWN))


def is_idle(attempt: HasAge, *, now: datetime) -> bool:
    """Its prompt has left the phone by now."""
    return now - attempt.created_at >= PROMPT_LIFE


def idle_at(now: datetime) -> Q:
    return Q(created_at__lte=now - PROMPT_LIFE)


def is_on_phone(attempt: Prompt, *, now: datetime) -> bool:
    """The buyer may be typing the PIN just now."""
    return is_live(attempt) and not is_idle(attempt, now=now)


def on_phone_at(now: datetime) -> Q:
    return IS_LIVE & ~idle_at(now)


def may_be_replaced(attempt: IdentifiedPrompt, *, asked_about: Collection[int], now: datetime) -> bool:
    """Another prompt may be sent in its place: it is idle, and Daraja, asked about it, did not say that it is paid
    or being paid. `asked_about`: the ids of attempts of which that is so."""
    return is_idle(attempt, now=now) and attempt.id in asked_about


def is_too_young_to_replace(attempt: HasAge, *, now: datetime) -> bool:
    """Of one without an id: its callback may still come, and nobody can be asked."""
    return now - attempt.created_at < UNASKABLE_FOR


def is_overdue(attempt: Scheduled, *, now: datetime) -> bool:
    """Its callback should have come: Daraja may be asked."""
    return is_live(attempt) and attempt.next_check_at is not None and attempt.next_check_at <= now


def overdue_at(now: datetime) -> Q:
    return IS_LIVE & Q(next_check_at__lte=now)


def is_stale(attempt: Prompt, *, now: datetime) -> bool:
    """The process that was sending it died: what Daraja answered will not be noted any more."""
    return attempt.state == State.CREATED and now >= attempt.created_at + STALE_AFTER


def stale_at(now: datetime) -> Q:
    return Q(state=str(State.CREATED), created_at__lte=now - STALE_AFTER)


def is_followed_up(attempt: HasAge, *, now: datetime) -> bool:
    """It is younger than a day: money may come for it, whatever was said of it."""
    return now < attempt.created_at + FOLLOW_UP_FOR


def followed_up_at(now: datetime) -> Q:
    return Q(created_at__gt=now - FOLLOW_UP_FOR)


def is_watched(attempt: Scheduled) -> bool:
    """It came to nothing, and Safaricom is asked about it all the same: money has been seen to come late."""
    return came_to_nothing(attempt) and attempt.next_check_at is not None


IS_WATCHED = CAME_TO_NOTHING & Q(next_check_at__isnull=False)


def is_unasked(attempt: Watched, *, now: datetime) -> bool:
    """It is watched, and nobody has asked Safaricom since it ended or its prompt left the phone."""
    return (
        is_watched(attempt)
        and is_followed_up(attempt, now=now)
        and attempt.checkout_request_id is not None
        and (attempt.last_check_at is None or _asked_too_soon(attempt, attempt.last_check_at))
    )


def _asked_too_soon(attempt: Watched, at: datetime) -> bool:
    had_ended = attempt.concluded_at is not None and at >= attempt.concluded_at
    return not had_ended and at < attempt.created_at + PROMPT_LIFE


def unasked_at(now: datetime) -> Q:
    before_its_end = Q(concluded_at=None) | Q(last_check_at__lt=F("concluded_at"))
    too_soon = before_its_end & Q(last_check_at__lt=F("created_at") + PROMPT_LIFE)
    askable = Q(checkout_request_id__isnull=False)
    return IS_WATCHED & followed_up_at(now) & askable & (Q(last_check_at=None) | too_soon)


def never_rang(attempt: Answered) -> bool:
    """It failed before Safaricom gave it an id: it counts as no prompt."""
    return attempt.state == State.FAILED and attempt.checkout_request_id is None


NEVER_RANG = Q(state=str(State.FAILED), checkout_request_id=None)


def was_refused(attempt: Answered) -> bool:
    """Safaricom took no request for it, and no callback has said how it ended: no money can be its own."""
    return never_rang(attempt) and not lookup(attempt.result_code).final


WAS_REFUSED = NEVER_RANG & ~Q(result_code__in=_FINAL_CODES)


def has_thin_ending(attempt: Answered) -> bool:
    """It failed by a word that is not Safaricom's last: money may still be seen for it."""
    return attempt.state == State.FAILED and not lookup(attempt.result_code).final


HAS_THIN_ENDING = Q(state=str(State.FAILED)) & ~Q(result_code__in=_FINAL_CODES)


class GivenUp(HasState, Protocol):
    """`given_up_at`: when Safaricom was asked for the last time, without an answer. `reviewed_at`: when staff marked it
    as looked at."""

    @property
    def given_up_at(self) -> datetime | None: ...
    @property
    def reviewed_at(self) -> datetime | None: ...


def is_given_up(attempt: GivenUp) -> bool:
    """Safaricom never said what became of it, and is asked no more; nobody has looked at it."""
    return came_to_nothing(attempt) and attempt.given_up_at is not None and attempt.reviewed_at is None


IS_GIVEN_UP = CAME_TO_NOTHING & Q(given_up_at__isnull=False, reviewed_at=None)


def is_certain(attempt: Answered) -> bool:
    """Nothing more is to be learned of it by asking."""
    result: Result = lookup(attempt.result_code)
    return attempt.state == State.COMPLETED or (
        attempt.state == State.FAILED and result.final and not result.follow_up
    )
