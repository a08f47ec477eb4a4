"""Asks Safaricom about the receipts that were told, until it says that the money came or that it knows none."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from payments import enquiries, gateway
from payments.daraja import DarajaError, StatusRequest
from payments.gateway import new_token, release_connection, token_hash
from payments.lookups.found import in_the_book
from payments.models import Lookup

log = logging.getLogger(__name__)

Is = Lookup.State
WATCHED_FOR = timedelta(hours=72)
BACKS_OFF_TO = timedelta(hours=1)


def look_next(*, clock: Callable[[], datetime]) -> bool:
    """False: none is due, or no question may go now."""
    now = clock()
    due = Lookup.objects.filter(state__in=(Is.DUE, Is.ASKED), next_look_at__lte=now)
    row = due.order_by("next_look_at", "id").first()
    if row is None:
        return False
    if in_the_book(row, now=now):
        return True
    if now - row.told_at > WATCHED_FOR:  # a statement may still bring it
        words = "Safaricom did not say for three days whether it came."
        due.filter(pk=row.pk).update(words=words, next_look_at=None)
        return True
    initiator = gateway.initiator()
    if initiator is None:
        due.filter(pk=row.pk).update(next_look_at=now + BACKS_OFF_TO)
        return True
    if not enquiries.take_spare_turn(now=now):
        return False
    token = new_token()
    pause = min(BACKS_OFF_TO, timedelta(seconds=30) * 2 ** min(row.looks, 10))
    mine = due.filter(pk=row.pk, looks=row.looks).update(
        state=Is.ASKED, looks=row.looks + 1, next_look_at=now + pause, token_hash=token_hash(token)
    )
    if not mine:  # another worker's
        return True
    release_connection()
    try:
        told_at = gateway.result_addresses(token)
        gateway.client().ask_status(StatusRequest(receipt=row.code), initiator=initiator, told_at=told_at)
    except DarajaError as no_answer:
        log.info("A receipt could not be looked up", extra={"code": no_answer.code})
        if no_answer.retry_after:
            enquiries.pause(now=now, until=now + timedelta(seconds=no_answer.retry_after))
    return True
