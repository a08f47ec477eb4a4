"""Safaricom's callbacks: kept first, then read, then believed or not. Never calls anybody.

A callback is believed when its token is the attempt's, its CheckoutRequestID agrees and its amount is the one
asked. Everything else is a hint to go and ask.
"""

import logging
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from djkraph import rows
from payments import gateway, spool
from payments.callback_tokens import token_hash
from payments.connections import refuse_inside_transaction
from payments.daraja import CallbackUnreadable, StkCallback, read_callback
from payments.models import CallbackDelivery, MpesaTransaction
from payments.phones import blank_phones
from payments.services import ledger, reconcile
from payments.services.ledger import Happening, ReceiptTaken, Source
from payments.spool import Spooled
from payments.states import Event

log = logging.getLogger(__name__)

Verdict = CallbackDelivery.Verdict

KEPT_BYTES = 16_384  # a real callback has under 1 kB
WANTED = (*ledger.SEEN, "callback_token_hash")
LEFT_BEHIND_AFTER = timedelta(seconds=5)
CHECKOUT_ID = re.compile(r'"CheckoutRequestID"\s*:\s*"([!-~]{1,128}?)"')


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One stored delivery, as applying it needs it."""

    id: int
    token_hash: str
    checkout_request_id: str
    body: str  # digits of phones are blanked
    as_it_came: str | None = None  # the body before that, where it is still in memory


class NotFromSafaricom(ValueError):
    """The address is not on the list, and the shop was told to refuse others."""


def receive(*, token: str, body: bytes, source_address: str | None, now: datetime) -> Verdict:
    """Commits the delivery, then applies it. Once this returns, nothing is lost: where the database is away the
    delivery waits on disk, and whatever goes wrong while applying, the worker applies it again.

    Raises NotFromSafaricom, and OSError where neither database nor disk would take it.
    """
    known = gateway.is_safaricom(source_address)
    if gateway.only_safaricom_may_call_back() and not known:
        raise NotFromSafaricom
    text = body[:KEPT_BYTES].decode(errors="replace").replace("\x00", "\ufffd")
    checkout_id = CHECKOUT_ID.search(text)
    arrived = Spooled(
        id=uuid.uuid4(),
        received_at=now,
        token_hash=token_hash(token) if token else "",
        checkout_request_id=checkout_id.group(1) if checkout_id else "",
        body=blank_phones(text),
        source_address=source_address,
        from_safaricom=known,
    )
    refuse_inside_transaction()
    try:
        delivery = _store(arrived, spool_id=None)  # one statement, and its own commit
    except (OperationalError, InterfaceError):
        spool.put(gateway.spool_folder(), arrived)
        log.exception("The database is away: a callback waits on disk")
        return Verdict.RECEIVED
    return _apply_safely(replace(delivery, as_it_came=text), now=now)


def replay_spool(*, now: datetime) -> int:
    """Stores and applies what waited on disk while the database was away, each once. How many there were."""
    folder, done = gateway.spool_folder(), 0
    for waited in spool.waiting(folder):
        delivery = None
        try:
            with transaction.atomic(durable=True):
                delivery = _store(waited, spool_id=waited.id)
        except IntegrityError:  # stored by a run that died before it could remove the file
            log.info("A spooled callback had been stored already")
        spool.remove(folder, waited)
        if delivery is not None:
            _apply_safely(delivery, now=now)
        done += 1
    return done


def apply_left_behind(*, now: datetime, limit: int = 100) -> int:
    """Applies the deliveries that were stored and never read (the process died between). How many it could."""
    unread = CallbackDelivery.objects.filter(
        verdict=Verdict.RECEIVED, received_at__lte=now - LEFT_BEHIND_AFTER
    ).order_by("id")
    waiting = list(stored(unread[:limit]))
    return sum(_apply_safely(delivery, now=now) is not Verdict.RECEIVED for delivery in waiting)


def stored(deliveries: QuerySet[CallbackDelivery]) -> Iterator[Delivery]:
    """These as applying needs them, read in batches."""
    for row in deliveries.values("id", "token_hash", "checkout_request_id", "body").iterator(chunk_size=200):
        yield Delivery(**row)


def apply(delivery: Delivery, *, now: datetime) -> Verdict:
    """Reads one stored delivery and does what it is good for. The same delivery twice changes nothing more."""
    attempt = _attempt_of(delivery)
    try:
        told = _read(delivery)
    except CallbackUnreadable:
        return _only_a_hint(delivery, attempt, Verdict.UNREADABLE, now=now)
    if not delivery.token_hash:
        return _only_a_hint(delivery, attempt, Verdict.HINT, now=now)
    if attempt is None or attempt["callback_token_hash"] != delivery.token_hash:
        return _only_a_hint(delivery, attempt, Verdict.UNKNOWN_TOKEN, now=now)
    if attempt["checkout_request_id"] not in (None, told.checkout_request_id):
        return _only_a_hint(delivery, attempt, Verdict.WRONG_ID, now=now)
    return _believe(delivery, attempt, told, now=now)


def _read(delivery: Delivery) -> StkCallback:
    """What it says. From storage its id was blanked at the end; the whole one stands beside it. Raises
    CallbackUnreadable."""
    if delivery.as_it_came is not None:
        return read_callback(delivery.as_it_came)
    told = read_callback(delivery.body)
    if blank_phones(delivery.checkout_request_id) == told.checkout_request_id:
        return replace(told, checkout_request_id=delivery.checkout_request_id)
    return told


def _store(arrived: Spooled, *, spool_id: uuid.UUID | None) -> Delivery:
    values = {
        "received_at": arrived.received_at,
        "token_hash": arrived.token_hash,
        "checkout_request_id": arrived.checkout_request_id,
        "body": arrived.body,
        "source_address": arrived.source_address,
        "from_safaricom": arrived.from_safaricom,
        "spool_id": spool_id,
    }
    return Delivery(
        id=rows.insert(CallbackDelivery, values),
        token_hash=arrived.token_hash,
        checkout_request_id=arrived.checkout_request_id,
        body=arrived.body,
    )


def _apply_safely(delivery: Delivery, *, now: datetime) -> Verdict:
    try:
        return apply(delivery, now=now)
    except Exception:  # it is stored: whatever went wrong, the sender is thanked and the worker tries again
        log.exception("A stored callback could not be applied yet")
        return Verdict.RECEIVED


def _attempt_of(delivery: Delivery) -> dict[str, Any] | None:
    """The attempt by its token; without a good token by CheckoutRequestID, which is enough for a hint only."""
    found = None
    if delivery.token_hash:
        found = rows.select(MpesaTransaction, WANTED, {"callback_token_hash": delivery.token_hash})
    if found is None and delivery.checkout_request_id:
        by_id = {"checkout_request_id": delivery.checkout_request_id}
        found = rows.select(MpesaTransaction, WANTED, by_id)
    return found


def _believe(delivery: Delivery, attempt: dict[str, Any], told: StkCallback, *, now: datetime) -> Verdict:
    """What a callback on the attempt's own address does: pays, closes, or raises a doubt."""
    if told.paid and told.amount is None:
        return _doubt(delivery, attempt, told, "amount_missing", Verdict.HINT, now=now)
    if told.paid and told.amount != attempt["amount_kes"]:
        return _doubt(delivery, attempt, told, "amount_differs", Verdict.WRONG_AMOUNT, now=now)
    if not told.paid and not told.result.final:
        return _doubt(delivery, attempt, told, "not_final", Verdict.HINT, now=now)
    try:
        recorded = ledger.record(
            attempt["id"], _happening(told), now=now, delivery_id=delivery.id, seen=attempt
        )
    except ReceiptTaken:
        return _doubt(delivery, attempt, told, "receipt_taken", Verdict.RECEIPT_TAKEN, now=now)
    except IntegrityError:  # its CheckoutRequestID stands on another attempt
        return _only_a_hint(delivery, attempt, Verdict.WRONG_ID, now=now)
    if told.result.check_earlier:
        reconcile.hint_earlier(attempt["id"], now=now)
    return Verdict.APPLIED if recorded.news else Verdict.REPEATED


def _happening(told: StkCallback) -> Happening:
    return Happening(
        event=Event.CONFIRMED if told.paid else Event.DECLINED,
        source=Source.CALLBACK,
        code=told.code,
        description=told.description,
        receipt=told.receipt,
        amount=told.amount,
        paid_at=told.paid_at,
        merchant_request_id=told.merchant_request_id,
        checkout_request_id=told.checkout_request_id,
    )


def _doubt(
    delivery: Delivery,
    attempt: dict[str, Any],
    told: StkCallback,
    kind: str,
    verdict: Verdict,
    *,
    now: datetime,
) -> Verdict:
    """Notes in the ledger what was said and not believed, and goes to ask."""
    if attempt["checkout_request_id"] is None:  # the push's answer was lost: now we know whom to ask about
        taken = Happening(
            event=Event.ACCEPTED,
            source=Source.CALLBACK,
            merchant_request_id=told.merchant_request_id,
            checkout_request_id=told.checkout_request_id,
        )
        try:
            ledger.record(attempt["id"], taken, now=now)
        except IntegrityError:  # its CheckoutRequestID stands on another attempt
            return _only_a_hint(delivery, attempt, Verdict.WRONG_ID, now=now)
    ledger.note(
        attempt["id"],
        kind,
        source=Source.CALLBACK,
        now=now,
        facts=_happening(told).facts(),
        differs=verdict is Verdict.WRONG_AMOUNT,
        delivery=(delivery.id, verdict),
    )
    reconcile.hint(attempt["id"], now=now)
    return verdict


def _only_a_hint(
    delivery: Delivery, attempt: dict[str, Any] | None, verdict: Verdict, *, now: datetime
) -> Verdict:
    if attempt is not None:
        reconcile.hint(attempt["id"], now=now)
    CallbackDelivery.objects.filter(id=delivery.id).exclude(verdict=Verdict.APPLIED).update(
        verdict=verdict, attempt_id=attempt["id"] if attempt else None
    )
    return verdict
