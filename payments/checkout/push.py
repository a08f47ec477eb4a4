"""Asking a phone to pay, exactly once, and noting what came of it. The rules about prompts stand in prompts.py.

The order of things is the point: rules and row are committed, then Daraja is called with no connection held,
then the answer is committed. Nothing here ever sends a second time.
"""

import logging
import math
import traceback
from collections.abc import Callable
from datetime import datetime
from time import monotonic

from django.db import IntegrityError

from payments import daraja, enquiries, gateway
from payments.checkout import noting, wanted
from payments.checkout.noting import note_answer
from payments.checkout.problems import PushProblem, Why
from payments.checkout.prompts import (
    Answer,
    AskFirst,
    Opened,
    Prompt,
    means_another,
    open_or_find,
    poll_id_of,
)
from payments.checkout.wanted import Ask
from payments.enquiries import Outcome
from payments.facts import SEND_WITHIN, came_to_nothing, is_too_young_to_replace
from payments.gateway import release_connection
from payments.models import MpesaTransaction
from payments.states import Event

log = logging.getLogger(__name__)

# in the facts of a refusal that no buyer can mend: keys, token, passkey, shortcode (one errorCode has many meanings)
SET_UP_REFUSED = {"refused": "set-up"}
# what asking about an idle prompt may come to, so that no other is sent in its place
UNDER_WAY = (Outcome.PAID, Outcome.PROCESSING, Outcome.NOT_ASKED)
TRY_AGAIN_AFTER = 30  # seconds, where nobody named another time
STILL_WORKING = (
    "M-PESA is still working on your earlier request. Nothing new was sent. Wait a minute, then try again."
)
DECISIONS = 12  # how often a request may find the ground changed under it


class Fence:
    """Whether an attempt that is made now may still be sent: later on it may have been given up, and another sent.

    Its age is read from the steady clock, which nobody sets back, and from the clock on the wall, which goes on while
    a machine is asleep.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._steady = monotonic()
        self.made_at = clock()

    def lets_through(self) -> bool:
        steady = monotonic() - self._steady
        return max(steady, (self._clock() - self.made_at).total_seconds()) < SEND_WITHIN.total_seconds()


def request_payment(ask: Ask, *, clock: Callable[[], datetime], key_id: int | None = None) -> Answer:
    """Sends one prompt, or answers with the one that is under way. Raises PushProblem.

    `key_id` is the Idempotency-Key's row: it learns of the attempt in the same commit.
    """
    asked_about: set[int] = set()
    for _ in range(DECISIONS):
        fence = Fence(clock)
        try:
            found = open_or_find(ask, now=fence.made_at, key_id=key_id, asked_about=asked_about)
        except IntegrityError:  # another request opened this order in the same instant: decide anew
            continue
        if isinstance(found, Answer):
            return found
        if isinstance(found, Opened):
            return _send(found, ask, fence, clock=clock)
        outcome = _ask_about(found, clock=clock)
        if outcome is Outcome.PAID and not found.same_order:
            if not means_another(ask, found.attempt):
                found.attempt.refresh_from_db()
                raise wanted.just_paid(found.attempt)
        elif came_to_nothing(found.attempt):
            if outcome is Outcome.PROCESSING:
                raise PushProblem(STILL_WORKING, code=Why.PROMPT_OPEN)
        elif outcome in UNDER_WAY and found.same_phone:
            return _answer_under_way(found)
        asked_about.add(found.attempt.id)
    raise PushProblem("There is a payment request open already. Please wait a minute.", code=Why.PROMPT_OPEN)


def _answer_under_way(found: AskFirst) -> Answer:
    """The earlier request answers this click too; that of another order would lead this one's page astray."""
    if found.attempt.order.is_priced and not found.same_order:
        raise PushProblem(STILL_WORKING, code=Why.PROMPT_OPEN)
    return Answer(poll_id=poll_id_of(found.attempt), prompt=Prompt.SAME)


def _ask_about(found: AskFirst, *, clock: Callable[[], datetime]) -> Outcome:
    """Asks Daraja about an idle prompt. Where nothing of it is left (not UNDER_WAY), another may be sent.

    Its order is freed for that other one; the idle attempt is followed up for 24 hours all the same.
    """
    attempt = found.attempt
    if attempt.checkout_request_id is None:
        young = is_too_young_to_replace(attempt, now=clock())
        outcome = Outcome.PROCESSING if young else Outcome.NO_ANSWER
    else:
        outcome = enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock)
    if outcome not in UNDER_WAY and found.same_order:
        enquiries.expire(attempt.id, now=clock(), why="Idle; the buyer asked for a new prompt.")
    return outcome


def _send(opened: Opened, ask: Ask, fence: Fence, *, clock: Callable[[], datetime]) -> Answer:
    """Calls Daraja, once, and commits what it said. Raises PushProblem where the phone was not asked."""
    attempt = opened.attempt
    release_connection()
    try:
        accepted = gateway.client().push(
            daraja.PushRequest(
                phone=ask.msisdn,
                amount=ask.amount_kes,
                account_reference=attempt.account_reference,
                description=attempt.description,
                callback_url=gateway.callback_url(opened.callback_token),
            ),
            may_leave=fence.lets_through,
        )
    except (daraja.Refused, daraja.Unreachable) as refused:
        _note_refusal(attempt, refused, now=clock())
        raise _problem(refused) from refused
    except daraja.OutcomeUnknown as lost:
        lost_answer = noting.Answer(event=Event.ANSWER_LOST, code=lost.code, description=lost.message)
        note_answer(attempt, lost_answer, now=clock())
        return Answer(poll_id=attempt.public_id, prompt=Prompt.UNKNOWN)
    except Exception as bug:  # noqa: BLE001 — a bug in our client is "unknown" too: the phone may be ringing
        log.error("A push failed unforeseen: %s\n%s", type(bug).__name__, _frames(bug))  # noqa: TRY400
        note_answer(attempt, noting.Answer(event=Event.ANSWER_LOST, code=type(bug).__name__), now=clock())
        return Answer(poll_id=attempt.public_id, prompt=Prompt.UNKNOWN)
    answer = noting.Answer(
        event=Event.ACCEPTED,
        description=accepted.message,
        merchant_request_id=accepted.merchant_request_id,
        checkout_request_id=accepted.checkout_request_id,
    )
    noted = note_answer(attempt, answer, now=clock())
    poll_id = accepted.checkout_request_id if noted else attempt.public_id
    return Answer(poll_id=poll_id, prompt=Prompt.SENT)


def _frames(error: BaseException) -> str:
    """Where it happened, without the error's own words: they could hold the phone number."""
    return "".join(traceback.format_tb(error.__traceback__))


def _note_refusal(attempt: MpesaTransaction, refused: daraja.DarajaError, *, now: datetime) -> None:
    code = refused.code or type(refused).__name__
    ours = isinstance(refused, daraja.Misconfigured | daraja.InvalidToken)
    more = SET_UP_REFUSED if ours else {}
    answer = noting.Answer(event=Event.REFUSED, code=code, description=refused.message, more=more)
    note_answer(attempt, answer, now=now)
    if isinstance(refused, daraja.SubscriberLocked):
        enquiries.request_check_of_earlier(attempt.id, now=now)


def _problem(refused: daraja.DarajaError) -> PushProblem:
    """What a refusal means to the buyer. In each of these the phone was not asked."""
    if isinstance(refused, daraja.SubscriberLocked):
        return PushProblem(
            "There is an M-PESA request open on your phone. Finish or cancel it, then try again.",
            code=Why.PROMPT_OPEN,
        )
    retry_after = math.ceil(refused.retry_after or TRY_AGAIN_AFTER)
    if isinstance(refused, daraja.TooLate):
        return PushProblem(
            "We could not ask M-PESA in time, so your phone was not asked. Nothing was charged. Trying again is safe.",
            code=Why.NOT_ASKED,
            retry_after=1,
        )
    if isinstance(refused, daraja.Busy):
        return PushProblem(
            "M-PESA is busy. Nothing was charged. Please wait a minute and try again.",
            code=Why.DARAJA_BUSY,
            retry_after=retry_after,
        )
    if isinstance(refused, daraja.Unreachable):
        return PushProblem(
            "M-PESA can't be reached right now. Nothing was charged. Please try again in a minute.",
            code=Why.DARAJA_UNREACHABLE,
            retry_after=retry_after,
        )
    if isinstance(refused, daraja.Misconfigured | daraja.InvalidToken):
        return PushProblem(
            "Payment is unavailable at the moment; we are on it. Nothing was charged.",
            code=Why.DARAJA_UNUSABLE,
        )
    return PushProblem(
        "M-PESA refused this request. Check the phone number and try again. Nothing was charged.",
        code=Why.DARAJA_REFUSED,
    )
