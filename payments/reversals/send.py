"""Sends what was decided, each order once: committed as being sent before it leaves, and never sent again once it may
have left."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

from payments import gateway, ledger
from payments.daraja import Busy, OutcomeUnknown, Refused, ReversalRequest, TooLate, Unreachable
from payments.gateway import new_token, release_connection, token_hash
from payments.ledger import CENTS, Source
from payments.models import Reversal
from payments.reversals.ending import never_went

log = logging.getLogger(__name__)

Is = Reversal.State
MAY_LEAVE_WITHIN = 30.0  # seconds after it was committed; a later one is not sent
GIVEN_UP_AFTER = timedelta(minutes=2)  # whoever sent it is gone: it may have left
FIRST_LOOK_AFTER = timedelta(seconds=30)
TRIED_AGAIN_AFTER = timedelta(minutes=1)  # where nothing left


def send_next(*, clock: Callable[[], datetime]) -> bool:
    """Sends the order that waits longest. False: there is none, or it is switched off."""
    now = clock()
    initiator = gateway.initiator()
    if initiator is None:
        return False
    due = Reversal.objects.filter(state=Is.DUE, next_look_at__lte=now).select_related("receipt")
    row = due.order_by("next_look_at", "id").first()
    if row is None:
        return False
    if ledger.left_of(row.receipt) < CENTS * row.amount_kes:
        words = "Not sent: meanwhile less of this receipt is left."
        never_went(row, code="not_sent", words=words, source=Source.CLOCK, now=now)
        return True
    token = new_token()
    mine = Reversal.objects.filter(pk=row.pk, state=Is.DUE).update(
        state=Is.SENDING, sent_at=now, token_hash=token_hash(token), next_look_at=now + GIVEN_UP_AFTER
    )
    if not mine:  # another worker's
        return True
    release_connection()
    began = monotonic()
    order = ReversalRequest(
        receipt=row.receipt.code or "",
        amount=row.amount_kes,
        remarks=f"Refund {row.receipt.account_no or row.receipt.code}",
    )
    try:
        taken = gateway.client().reverse(
            order,
            initiator=initiator,
            told_at=gateway.result_addresses(token),
            may_leave=lambda: monotonic() - began < MAY_LEAVE_WITHIN,
        )
    except (Busy, TooLate, Unreachable) as nothing_left:
        _was_not_sent(row, nothing_left.retry_after, now=clock())
    except Refused as refused:
        never_went(row, code=refused.code, words=refused.message, source=Source.PUSH, now=clock())
    except OutcomeUnknown as unknown:
        _may_have_left(row, words=unknown.message, now=clock())
    else:
        _was_taken(row, taken.originator_conversation_id, taken.conversation_id, now=clock())
    return True


def _was_not_sent(row: Reversal, pause: float | None, *, now: datetime) -> None:
    again = now + max(TRIED_AGAIN_AFTER, timedelta(seconds=pause or 0))
    Reversal.objects.filter(pk=row.pk, state=Is.SENDING).update(
        state=Is.DUE, sent_at=None, token_hash=None, next_look_at=again
    )


def _may_have_left(row: Reversal, *, words: str, now: datetime) -> None:
    log.warning("A reversal got no answer: it is looked for", extra={"id": row.pk})
    Reversal.objects.filter(pk=row.pk, state=Is.SENDING).update(
        state=Is.UNKNOWN, words=words, next_look_at=now + FIRST_LOOK_AFTER
    )


def _was_taken(row: Reversal, originator_id: str, conversation_id: str, *, now: datetime) -> None:
    """Its result may have come before this answer: then only the ids are new."""
    ids = {"originator_conversation_id": originator_id, "conversation_id": conversation_id}
    Reversal.objects.filter(pk=row.pk).update(**ids)
    Reversal.objects.filter(pk=row.pk, state__in=(Is.SENDING, Is.UNKNOWN)).update(
        state=Is.ASKED, next_look_at=now + FIRST_LOOK_AFTER
    )
