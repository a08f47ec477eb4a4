"""What one stored delivery is good for: believed, doubted, or only a hint. Stores none, and calls nobody.

A callback is believed when its token is the attempt's, its CheckoutRequestID agrees and its amount is the one
asked. Everything else is a hint to go and ask.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import IntegrityError

from djkraph import sql
from payments import enquiries, ledger, lookups, reversals
from payments.daraja import CallbackUnreadable, StkCallback, read_callback
from payments.ledger import (
    AnotherReceipt,
    EventKind,
    ReceiptTaken,
    ReceiptWithoutPrompt,
    Snapshot,
    Source,
    Update,
)
from payments.models import CallbackDelivery, MpesaTransaction
from payments.phones import blank_phones
from payments.states import Event

log = logging.getLogger(__name__)

Verdict = CallbackDelivery.Verdict
TRIES = 3  # at a receipt that another has, and gives up
SECOND = "Second"  # in place of what was bought, of a payment that no prompt asked for


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One stored delivery, as applying it needs it."""

    id: int
    token_hash: str
    checkout_request_id: str
    body: str  # digits of phones are blanked
    as_it_came: str | None = None  # the body before that, where it is still in memory


@dataclass(frozen=True, kw_only=True, slots=True)
class Addressed(Snapshot):
    """The attempt that a delivery may be about, and the hash of its own callback token."""

    callback_token_hash: str
    channel: str


def apply_delivery(delivery: Delivery, *, now: datetime) -> Verdict:
    """Reads one stored delivery and does what it is good for. The same delivery twice changes nothing more."""
    attempt = _attempt_of(delivery)
    if attempt is None and delivery.token_hash:
        verdict = _of_an_order(delivery, now=now)
        if verdict is not None:
            return verdict
    try:
        callback = _read(delivery)
    except CallbackUnreadable:
        return _only_a_hint(delivery, attempt, Verdict.UNREADABLE, now=now)
    if not delivery.token_hash:
        return _only_a_hint(delivery, attempt, Verdict.HINT, now=now)
    if attempt is None or attempt.callback_token_hash != delivery.token_hash:
        return _only_a_hint(delivery, attempt, Verdict.UNKNOWN_TOKEN, now=now)
    if attempt.checkout_request_id not in (None, callback.checkout_request_id):
        return _only_a_hint(delivery, attempt, Verdict.WRONG_ID, now=now)
    return _believe(delivery, attempt, callback, now=now)


def _of_an_order(delivery: Delivery, *, now: datetime) -> Verdict | None:
    """What came of an order or a question of ours, at its own address; or a notice of a payment by hand, at the shop's.
    None: it is none of these."""
    body = delivery.as_it_came if delivery.as_it_came is not None else delivery.body
    if lookups.is_ours(delivery.token_hash):
        verdict: Verdict | None = lookups.hear(body, now=now)
    else:
        verdict = reversals.apply_result(delivery.token_hash, body, now=now)
        if verdict is None:
            verdict = lookups.apply_result(delivery.token_hash, body, now=now)
    if verdict is not None:
        unapplied = CallbackDelivery.objects.filter(id=delivery.id).exclude(verdict=Verdict.APPLIED)
        unapplied.update(verdict=verdict)
    return verdict


def _read(delivery: Delivery) -> StkCallback:
    """What it says. From storage its id was blanked at the end; the whole one stands beside it. Raises
    CallbackUnreadable."""
    if delivery.as_it_came is not None:
        return read_callback(delivery.as_it_came)
    callback = read_callback(delivery.body)
    if blank_phones(delivery.checkout_request_id) == callback.checkout_request_id:
        return replace(callback, checkout_request_id=delivery.checkout_request_id)
    return callback


def apply_safely(delivery: Delivery, *, now: datetime) -> Verdict:
    try:
        return apply_delivery(delivery, now=now)
    except Exception:  # it is stored: whatever went wrong, the sender is thanked and the worker tries again
        log.exception("A stored callback could not be applied yet")
        return Verdict.RECEIVED


def _attempt_of(delivery: Delivery) -> Addressed | None:
    """The attempt by its token; without a good token by CheckoutRequestID, which is enough for a hint only."""
    found = None
    if delivery.token_hash:
        found = sql.select(MpesaTransaction, Addressed, {"callback_token_hash": delivery.token_hash})
    if found is None and delivery.checkout_request_id:
        by_id = {"checkout_request_id": delivery.checkout_request_id}
        found = sql.select(MpesaTransaction, Addressed, by_id)
    return found


def _believe(
    delivery: Delivery, attempt: Addressed, callback: StkCallback, *, now: datetime, tries: int = TRIES
) -> Verdict:
    """What a callback on the attempt's own address does: pays, closes, or raises a doubt."""
    if callback.paid and callback.amount is None:
        return _doubt(delivery, attempt, callback, EventKind.AMOUNT_MISSING, Verdict.HINT, now=now)
    if callback.paid and callback.amount != attempt.amount_kes:
        return _doubt(delivery, attempt, callback, EventKind.AMOUNT_DIFFERS, Verdict.WRONG_AMOUNT, now=now)
    if not callback.paid and not callback.result.final:
        return _doubt(delivery, attempt, callback, EventKind.NOT_FINAL, Verdict.HINT, now=now)
    try:
        recorded = ledger.record(attempt.id, _update(callback), now=now, delivery_id=delivery.id, row=attempt)
    except AnotherReceipt:
        if tries and ledger.give_up_hands_receipt(attempt.id, named=callback.receipt or "", now=now):
            as_it_is_now = sql.select(MpesaTransaction, Addressed, {"id": attempt.id})
            return _believe(delivery, as_it_is_now or attempt, callback, now=now, tries=tries - 1)
        return _take_second_receipt(delivery, attempt, callback, now=now)
    except ReceiptTaken:
        if tries and ledger.give_up_receipt(callback.receipt or "", to=attempt.public_id, now=now):
            return _believe(delivery, attempt, callback, now=now, tries=tries - 1)
        return _doubt(delivery, attempt, callback, EventKind.RECEIPT_TAKEN, Verdict.RECEIPT_TAKEN, now=now)
    except IntegrityError:  # its CheckoutRequestID stands on another attempt
        return _only_a_hint(delivery, attempt, Verdict.WRONG_ID, now=now)
    if callback.result.check_earlier:
        enquiries.request_check_of_earlier(attempt.id, now=now)
    return Verdict.APPLIED if recorded.news else Verdict.REPEATED


def _take_second_receipt(
    delivery: Delivery, attempt: Addressed, callback: StkCallback, *, now: datetime
) -> Verdict:
    """One request was paid twice: the second money is kept as a payment of its own, for the same order."""
    money = ReceiptWithoutPrompt(
        order_id=attempt.order_id,
        amount_kes=attempt.amount_kes,
        payer_masked=attempt.phone_masked,
        channel=attempt.channel,
        short_code=attempt.short_code,
        account_reference=attempt.account_reference,
        unpriced=attempt.unpriced,
        description=SECOND,
    )
    why = {"reason": f"Safaricom named a second receipt for payment {attempt.public_id}."}
    update = replace(_update(callback), more=why, merchant_request_id="", checkout_request_id=None)
    try:
        ledger.insert_paid(money, update, now=now, delivery_id=delivery.id)
    except ReceiptTaken:
        return _of_known_receipt(delivery, attempt, callback, now=now)
    facts = _update(callback).facts()
    ledger.note(attempt.id, EventKind.CONFIRMED_AGAIN, source=Source.CALLBACK, now=now, facts=facts)
    return Verdict.APPLIED


def _of_known_receipt(
    delivery: Delivery, attempt: Addressed, callback: StkCallback, *, now: datetime
) -> Verdict:
    """The same callback once more changes nothing; a receipt of another order's payment is doubted."""
    ours = MpesaTransaction.objects.filter(receipt=callback.receipt, order_id=attempt.order_id)
    if not ours.exists():
        return _doubt(delivery, attempt, callback, EventKind.RECEIPT_TAKEN, Verdict.RECEIPT_TAKEN, now=now)
    unapplied = CallbackDelivery.objects.filter(id=delivery.id).exclude(verdict=Verdict.APPLIED)
    unapplied.update(verdict=Verdict.REPEATED, attempt_id=attempt.id)
    return Verdict.REPEATED


def _update(callback: StkCallback) -> Update:
    return Update(
        event=Event.CONFIRMED if callback.paid else Event.DECLINED,
        source=Source.CALLBACK,
        code=callback.code,
        description=callback.description,
        receipt=callback.receipt,
        amount=callback.amount,
        paid_at=callback.paid_at,
        merchant_request_id=callback.merchant_request_id,
        checkout_request_id=callback.checkout_request_id,
    )


def _doubt(
    delivery: Delivery,
    attempt: Addressed,
    callback: StkCallback,
    kind: EventKind,
    verdict: Verdict,
    *,
    now: datetime,
) -> Verdict:
    """Notes in the ledger what was said and not believed, and goes to ask."""
    if attempt.checkout_request_id is None:  # the push's answer was lost: now we know whom to ask about
        accepted = Update(
            event=Event.ACCEPTED,
            source=Source.CALLBACK,
            merchant_request_id=callback.merchant_request_id,
            checkout_request_id=callback.checkout_request_id,
        )
        try:
            ledger.record(attempt.id, accepted, now=now)
        except IntegrityError:  # its CheckoutRequestID stands on another attempt
            return _only_a_hint(delivery, attempt, Verdict.WRONG_ID, now=now)
    ledger.note(
        attempt.id,
        kind,
        source=Source.CALLBACK,
        now=now,
        facts=_update(callback).facts(),
        differs=verdict is Verdict.WRONG_AMOUNT,
        delivery=(delivery.id, verdict),
    )
    enquiries.request_check(attempt.id, now=now)
    return verdict


def _only_a_hint(
    delivery: Delivery, attempt: Addressed | None, verdict: Verdict, *, now: datetime
) -> Verdict:
    if attempt is not None and attempt.callback_token_hash == delivery.token_hash:
        enquiries.request_check(attempt.id, now=now)
    elif attempt is not None:
        enquiries.request_check_by_stranger(attempt.id, now=now)
    CallbackDelivery.objects.filter(id=delivery.id).exclude(verdict=Verdict.APPLIED).update(
        verdict=verdict, attempt_id=attempt.id if attempt else None
    )
    return verdict
