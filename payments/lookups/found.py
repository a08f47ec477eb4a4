"""What Safaricom says of a receipt, into the book: for the payment of ours that awaits it, for the order that it names,
else as nobody's yet."""

import re
from datetime import datetime, timedelta
from decimal import Decimal

from payments import gateway, ledger, reconciliation
from payments.daraja import Done, FoundTransaction, ResultUnreadable, found_transaction, read_result
from payments.ledger import CENTS, ReceiptTaken, Source, Told, Update
from payments.models import CallbackDelivery, Lookup, MpesaTransaction, Receipt
from payments.phones import mask, masked_payer
from payments.states import Event

Is = Lookup.State
Verdict = CallbackDelivery.Verdict
UNKNOWN_RECEIPT = "2033"
DENIED_AFTER = 3  # times: a payment of this moment may not be seen yet
PAID_WITHIN = timedelta(hours=24)  # after its request
CLOCKS_DIFFER = timedelta(minutes=2)
MSISDN = re.compile(r"254\d{9}", re.ASCII)
A_REQUEST_MAY_HAVE_IT = timedelta(minutes=15)  # its callback, or the answer to a question, comes by then


def is_address(hashed: str) -> bool:
    return Lookup.objects.filter(token_hash=hashed).exists()


def apply_result(hashed: str, body: str, *, now: datetime) -> CallbackDelivery.Verdict | None:
    """What a post to the address of one of our questions is good for. None: it is no such address."""
    row = Lookup.objects.filter(token_hash=hashed).first()
    if row is None:
        return None
    try:
        result = read_result(body)
    except ResultUnreadable:
        return Verdict.UNREADABLE
    if row.state in (Is.CONFIRMED, Is.DENIED):
        return Verdict.REPEATED
    found = found_transaction(result)
    if found is not None:
        return _found(row, found, now=now)
    if result.code == UNKNOWN_RECEIPT and row.looks >= DENIED_AFTER:
        _end(row, Is.DENIED, words=result.ending.words, now=now)
        return Verdict.APPLIED
    if result.ending.done is Done.NO:  # of our initiator, perhaps, which says nothing of the money
        Lookup.objects.filter(pk=row.pk).update(words=result.ending.words)
    return Verdict.HINT


def in_the_book(row: Lookup, *, now: datetime) -> bool:
    """Whether the receipt came there another way: by a callback, or a statement."""
    booked = Receipt.objects.filter(
        code=row.code, direction=Receipt.Direction.IN, kind=Receipt.Kind.PAYMENT, voided_at=None
    ).first()
    if booked is None:
        return False
    _end(row, Is.CONFIRMED, booked_as=booked, now=now)
    return True


def _found(row: Lookup, found: FoundTransaction, *, now: datetime) -> CallbackDelivery.Verdict:
    is_it = found.receipt == row.code and found.came_to(row.short_code) and found.amount is not None
    if not found.completed or not is_it:
        if found.ended:  # of another short code, or it came to nothing
            _end(row, Is.DENIED, words=f"Safaricom says: {found.status}, not to us.", now=now)
            return Verdict.APPLIED
        return Verdict.HINT
    if in_the_book(row, now=now):
        return Verdict.REPEATED
    return _book(row, found, now=now)


def _book(row: Lookup, found: FoundTransaction, *, now: datetime) -> CallbackDelivery.Verdict:
    if row.attempt_id is not None:
        return _settle(row, row.attempt_id, found, now=now)
    kes, at = found.amount or Decimal(0), found.finished_at or row.happened_at or now
    order = reconciliation.order_meant(row.account_no)
    if order is not None:
        its, fits = reconciliation.requests_that_fit(order.code, receipt=row.code, kes=kes, at=at)
        if its is not None:  # also one that was taken for failed: money that comes late is still money
            return _of_request(row, its, found, now=now)
        if fits or reconciliation.may_be_a_requests(order, kes):
            if now - row.told_at < A_REQUEST_MAY_HAVE_IT:
                return Verdict.HINT
            order = None  # a person says whether it is a request's money or another's
    if order is not None and ledger.has_ended(order, now=at):
        order = None
    told = Told(
        code=row.code,
        kind=Receipt.Kind.PAYMENT,
        direction=Receipt.Direction.IN,
        cents=round(CENTS * kes),
        happened_at=at,
        short_code=row.short_code,
        account_no=row.account_no,
        payer_masked=_masked(found.debit_party),
        source=Source.QUERY,
    )
    ledger.book_payment(
        told,
        order_id=order.pk if order else None,
        order_code=order.code if order else "",
        now=now,
        then=lambda receipt_id: _booked(row, receipt_id, now=now),
    )
    return Verdict.APPLIED


def _of_request(
    row: Lookup, attempt_id: int, found: FoundTransaction, *, now: datetime
) -> CallbackDelivery.Verdict:
    try:
        ledger.record(attempt_id, _update(row, found, now=now), now=now)
    except ReceiptTaken:
        return Verdict.HINT
    return Verdict.APPLIED if in_the_book(row, now=now) else Verdict.HINT


def _update(row: Lookup, found: FoundTransaction, *, now: datetime) -> Update:
    return Update(
        event=Event.CONFIRMED,
        source=Source.QUERY,
        code="0",
        receipt=row.code,
        amount=found.amount,
        paid_at=found.finished_at or row.happened_at or now,
    )


def _settle(
    row: Lookup, attempt_id: int, found: FoundTransaction, *, now: datetime
) -> CallbackDelivery.Verdict:
    """For the payment that a person named, where amount, time and payer fit it; else a second person reads why not."""
    attempt = MpesaTransaction.objects.get(pk=attempt_id)
    why_not = _misfit(attempt, found)
    try:
        if not why_not:
            ledger.record(attempt_id, _update(row, found, now=now), now=now)
    except ReceiptTaken:
        why_not = "It belongs to another payment."
    if why_not:
        Lookup.objects.filter(pk=row.pk).update(words=why_not[:300], next_look_at=None)
        return Verdict.HINT
    return Verdict.APPLIED if in_the_book(row, now=now) else Verdict.HINT


def _misfit(attempt: MpesaTransaction, found: FoundTransaction) -> str:
    """Empty where what Safaricom says is this payment's."""
    if found.amount != attempt.amount_kes:
        return f"KES {found.amount:,} came with it, and KES {attempt.amount_kes:,} was asked for."
    at = found.finished_at
    if at is None or not attempt.created_at - CLOCKS_DIFFER <= at <= attempt.created_at + PAID_WITHIN:
        return "It came at another time than this request."
    payer = _payer(found.debit_party)
    if MSISDN.fullmatch(payer) and attempt.phone_hash not in gateway.phone_hashes(payer):
        return "It came from another phone than was asked."
    return ""


def _payer(party: str) -> str:
    """Of "254708374149 - JOHN DOE" the phone, in full or as it was masked."""
    return party.split("-")[0].strip()


def _masked(party: str) -> str:
    payer = _payer(party)
    return mask(payer) if MSISDN.fullmatch(payer) else masked_payer(party)


def _booked(row: Lookup, receipt_id: int, *, now: datetime) -> None:
    open_ones = Lookup.objects.filter(pk=row.pk).exclude(state=Is.CONFIRMED)
    open_ones.update(state=Is.CONFIRMED, booked_as_id=receipt_id, ended_at=now, next_look_at=None)


def _end(
    row: Lookup, state: Lookup.State, *, booked_as: Receipt | None = None, words: str = "", now: datetime
) -> None:
    open_ones = Lookup.objects.filter(pk=row.pk, state__in=(Is.DUE, Is.ASKED))
    open_ones.update(state=state, booked_as=booked_as, words=words[:300], ended_at=now, next_look_at=None)
