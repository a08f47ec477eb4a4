"""What came of an order that was sent: by its result, else by asking (Transaction Status by the order's id, Pull where
there is none), else by a statement. A result that makes no sense, or comes twice, moves nothing."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Q

from payments import enquiries, gateway
from payments.daraja import (
    ROWS_A_PAGE,
    DarajaError,
    Done,
    OrderResult,
    PullRow,
    ResultUnreadable,
    StatusRequest,
    found_transaction,
    read_result,
    reversal_done,
)
from payments.gateway import new_token, release_connection, token_hash
from payments.ledger import Source
from payments.models import CallbackDelivery, Reversal
from payments.reversals.ending import it_went, never_went, seen_gone

log = logging.getLogger(__name__)

Is = Reversal.State
Verdict = CallbackDelivery.Verdict
WATCHED_FOR = timedelta(hours=72)
BACKS_OFF_TO = timedelta(hours=1)
REACHES_BACK = timedelta(hours=47)  # what Pull tells of
PAGES = 500  # of one Pull


def apply_result(token_hash: str, body: str, *, now: datetime) -> CallbackDelivery.Verdict | None:
    """What a post to one of the orders' own addresses is good for. None: it is no order's address."""
    row = Reversal.objects.filter(token_hash=token_hash).select_related("receipt").first()
    if row is not None:
        return _of_order(row, body, now=now)
    row = Reversal.objects.filter(look_token_hash=token_hash).select_related("receipt").first()
    return None if row is None else _of_look(row, body, now=now)


def is_address(hashed: str) -> bool:
    """Whether it is an order's own."""
    return Reversal.objects.filter(Q(token_hash=hashed) | Q(look_token_hash=hashed)).exists()


def look_soon(token_hash: str, *, now: datetime) -> None:
    """Safaricom says that an order waited too long, which is no failure: it is looked for."""
    under_way = Reversal.objects.filter(token_hash=token_hash, state__in=(Is.ASKED, Is.UNKNOWN))
    under_way.update(next_look_at=now)


def look_next(*, clock: Callable[[], datetime]) -> bool:
    """Looks for the order that is due next. False: none is, or no question may go now."""
    now = clock()
    due = Reversal.objects.filter(
        state__in=(Is.SENDING, Is.ASKED, Is.UNKNOWN), next_look_at__lte=now
    ).select_related("receipt")
    row = due.order_by("next_look_at", "id").first()
    if row is None:
        return False
    if row.state == Is.SENDING:  # whoever sent it is gone
        Reversal.objects.filter(pk=row.pk, state=Is.SENDING).update(state=Is.UNKNOWN, next_look_at=now)
        return True
    if seen_gone(row, now=now):
        return True
    if row.sent_at is None or now - row.sent_at > WATCHED_FOR:
        Reversal.objects.filter(pk=row.pk, next_look_at=row.next_look_at).update(next_look_at=None)
        return True
    if gateway.initiator() is None or not enquiries.take_spare_turn(now=now):
        return False
    mine = Reversal.objects.filter(pk=row.pk, looks=row.looks).exclude(state=Is.DONE)
    pause = min(BACKS_OFF_TO, timedelta(seconds=30) * 2 ** min(row.looks, 10))
    token = new_token()
    has_id = bool(row.originator_conversation_id)
    looked = {"looks": row.looks + 1, "next_look_at": now + pause}
    if mine.update(**looked, **({"look_token_hash": token_hash(token)} if has_id else {})):
        if has_id:
            _ask(row, token, clock=clock)
        else:
            _pull(row, clock=clock)
    return True


def _ask(row: Reversal, token: str, *, clock: Callable[[], datetime]) -> None:
    """What is known of the order is posted."""
    initiator = gateway.initiator()
    if initiator is None:
        return
    asked = StatusRequest(originator_conversation_id=row.originator_conversation_id)
    release_connection()
    try:
        gateway.client().ask_status(asked, initiator=initiator, told_at=gateway.result_addresses(token))
    except DarajaError as no_answer:
        _pause_if_asked_to(no_answer, now=clock())


def _pull(row: Reversal, *, clock: Callable[[], datetime]) -> None:
    """Its acknowledgement was lost, so it has no id: what left since is read, row by row. That it does not stand there
    says nothing."""
    now = clock()
    sent_at = row.sent_at or now
    start = max(sent_at - timedelta(minutes=5), now - REACHES_BACK)
    release_connection()
    try:
        for page in range(PAGES):
            told = gateway.client().pull(start=start, end=now, offset=page * ROWS_A_PAGE)
            went = next((each for each in told.rows if _is_of(each, row)), None)
            if went is not None:
                it_went(row, code=went.receipt, at=went.at, source=Source.QUERY, now=now)
                return
            if len(told.rows) < ROWS_A_PAGE:
                return
    except DarajaError as no_answer:
        _pause_if_asked_to(no_answer, now=now)


def _is_of(told: PullRow, row: Reversal) -> bool:
    return told.is_reversal and told.reference == row.receipt.code and told.amount == row.amount_kes


def _pause_if_asked_to(no_answer: DarajaError, *, now: datetime) -> None:
    log.info("A reversal could not be looked for", extra={"code": no_answer.code})
    if no_answer.retry_after:
        enquiries.pause(now=now, until=now + timedelta(seconds=no_answer.retry_after))


def _of_order(row: Reversal, body: str, *, now: datetime) -> CallbackDelivery.Verdict:
    try:
        result = read_result(body)
    except ResultUnreadable:
        return Verdict.UNREADABLE
    if row.originator_conversation_id not in ("", result.originator_conversation_id):
        return Verdict.WRONG_ID
    match result.ending.done:
        case Done.YES:
            return _went(row, result, now=now)
        case Done.NO | Done.ALREADY:
            ended = never_went(
                row, code=result.code, words=result.ending.words, source=Source.CALLBACK, now=now
            )
            return Verdict.APPLIED if ended else Verdict.REPEATED
        case _:
            Reversal.objects.filter(pk=row.pk, state__in=(Is.ASKED, Is.UNKNOWN)).update(next_look_at=now)
            return Verdict.HINT


def _went(row: Reversal, result: OrderResult, *, now: datetime) -> CallbackDelivery.Verdict:
    done = reversal_done(result)
    if done is None or done.receipt is None:
        return Verdict.HINT
    if done.original not in (None, row.receipt.code) or done.amount not in (None, row.amount_kes):
        log.error("A reversal's result names another payment or amount", extra={"id": row.pk})
        return Verdict.WRONG_AMOUNT
    news = it_went(row, code=done.receipt, at=done.completed_at or now, source=Source.CALLBACK, now=now)
    return Verdict.APPLIED if news else Verdict.REPEATED


def _of_look(row: Reversal, body: str, *, now: datetime) -> CallbackDelivery.Verdict:
    try:
        result = read_result(body)
    except ResultUnreadable:
        return Verdict.UNREADABLE
    found = found_transaction(result)
    if found is None or not found.ended:
        return Verdict.HINT
    if not found.completed:
        words = f"Safaricom, asked, says that it is {found.status.lower()}."
        ended = never_went(row, code=result.code, words=words, source=Source.QUERY, now=now)
        return Verdict.APPLIED if ended else Verdict.REPEATED
    is_it = found.receipt and found.left(row.receipt.short_code) and found.amount == row.amount_kes
    if not is_it or found.receipt == row.receipt.code:
        return Verdict.HINT
    news = it_went(row, code=found.receipt or "", at=found.finished_at, source=Source.QUERY, now=now)
    return Verdict.APPLIED if news else Verdict.REPEATED
