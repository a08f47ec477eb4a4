"""What an event does to the book: which receipt it is about, and which postings go with it. Written in the event's own
transaction; the event itself is write.py's."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from djkraph import sql
from orders.services import correct_received, give_back
from payments import gateway
from payments.ledger.kinds import EventKind
from payments.ledger.updates import Change, Snapshot, Source
from payments.models import Posting, Receipt
from payments.signing import Moved

Code = Posting.Code
Facts = Mapping[str, str]

UNCLAIMED, REFUNDS_DUE = "unclaimed", "refunds_due"
ORDER, MPESA = "order:", "mpesa:"
CENTS = 100


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A posting to be written. Cents. `mends`: the posting it takes back, by id and ref."""

    debit: str
    credit: str
    cents: int
    code: Code
    mends: tuple[int, str] | None = None


def mpesa_of(row: Snapshot) -> str:
    """The account of the short code that the attempt was asked for."""
    return f"{MPESA}{row.short_code}"


def order_of(row: Snapshot) -> str:
    return f"{ORDER}{row.account_reference}"


def came_cents(row: Snapshot, change: Change) -> int:
    """What came with the attempt, as it stands once this change is made."""
    named = change.fields.get("received_kes", row.received_kes)
    return CENTS * (row.amount_kes if named is None else int(named))


def entries(row: Snapshot, change: Change, facts: Facts) -> list[Entry]:
    """Pure: the postings that go with this change, in their order. `change` knows its role already."""
    if change.pays:
        return _of_payment(row, came_cents(row, change), is_one_too_many="refund_due" in change.fields)
    if change.kind is EventKind.REFUND_RECORDED:
        return _of_refund(row, CENTS * int(facts["amount"]))
    return []


def _of_payment(row: Snapshot, cents: int, *, is_one_too_many: bool) -> list[Entry]:
    paid = Entry(debit=mpesa_of(row), credit=order_of(row), cents=cents, code=Code.PAID)
    if not is_one_too_many:
        return [paid]
    return [paid, Entry(debit=order_of(row), credit=REFUNDS_DUE, cents=cents, code=Code.OVERPAID)]


def _of_refund(row: Snapshot, cents: int) -> list[Entry]:
    """Money that went back. What was never booked, because its amount was in doubt, is booked by what went back."""
    sent = Entry(debit=REFUNDS_DUE, credit=mpesa_of(row), cents=cents, code=Code.REFUND_SENT)
    if row.refund_due:
        return [sent]
    if row.pays_order:
        return [Entry(debit=order_of(row), credit=REFUNDS_DUE, cents=cents, code=Code.REFUND_DECIDED), sent]
    return [
        Entry(debit=mpesa_of(row), credit=UNCLAIMED, cents=cents, code=Code.UNCLAIMED),
        Entry(debit=UNCLAIMED, credit=REFUNDS_DUE, cents=cents, code=Code.REFUND_DECIDED),
        sent,
    ]


def book(row: Snapshot, change: Change, *, source: Source, facts: Facts, now: datetime) -> None:
    """Writes what the change does to the book, with its receipt. In the transaction of its event, after it."""
    if change.kind is EventKind.STATEMENT_DIFFERS:
        _correct(row, Decimal(facts["amount"]), source=source, now=now)
        return
    if change.kind is EventKind.RECEIPT_LEARNED and not change.pays:
        _name_receipt(row, change)
        return
    if not (change.pays or change.kind is EventKind.REFUND_RECORDED):
        return
    to_post = entries(row, change, facts)
    receipt_id = _receipt_of(row, change, to_post[0].cents, source=source, now=now)
    post(to_post, row, receipt_id=receipt_id, event_number=row.events_count + 1, now=now)
    _tell_order(row, to_post)


def post(
    to_post: Iterable[Entry], row: Snapshot, *, receipt_id: int | None, event_number: int, now: datetime
) -> None:
    for entry in to_post:
        moved = Moved(
            ref=secrets.token_hex(12),
            at=now,
            debit=entry.debit,
            credit=entry.credit,
            amount_cents=entry.cents,
            code=entry.code,
            receipt_id=receipt_id,
            attempt=row.public_id,
            event_number=event_number,
            mends=entry.mends[1] if entry.mends else "",
        )
        key_id, digest = gateway.keyring().sign(moved)
        values: dict[str, Any] = {
            "ref": moved.ref,
            "at": now,
            "debit": moved.debit,
            "credit": moved.credit,
            "amount_cents": moved.amount_cents,
            "code": moved.code,
            "receipt_id": receipt_id,
            "attempt_id": row.id,
            "event_number": event_number,
            "mends_id": entry.mends[0] if entry.mends else None,
            "hash": digest,
            "key_id": key_id,
        }
        sql.insert(Posting, values)


def _tell_order(row: Snapshot, posted: Iterable[Entry]) -> None:
    """The order's sums. (What it received for a payment is told with its being paid: orders.services.receive.)"""
    returned = sum(entry.cents for entry in posted if entry.debit == order_of(row))
    if returned:
        give_back(row.order_id, cents=returned)


def _receipt_of(row: Snapshot, change: Change, cents: int, *, source: Source, now: datetime) -> int:
    """The receipt of the attempt's money; a new one where none was kept yet."""
    if change.kind is EventKind.REFUND_RECORDED:
        known = _valid_receipt(row.id)
        if known is not None:
            return known.pk
    values: dict[str, Any] = {
        "code": change.fields.get("receipt", row.receipt),
        "direction": Receipt.Direction.IN,
        "kind": Receipt.Kind.PAYMENT,
        "amount_cents": cents,
        "happened_at": change.fields.get("paid_at") or row.paid_at,
        "short_code": row.short_code,
        "account_no": row.account_reference,
        "payer_masked": row.phone_masked,
        "attempt_id": row.id,
        "told_by": source,
        "told_at": now,
    }
    return sql.insert(Receipt, values)


def _valid_receipt(attempt_id: int) -> Receipt | None:
    """What came with the attempt, as it is believed to be."""
    return Receipt.objects.filter(
        attempt_id=attempt_id, direction=Receipt.Direction.IN, voided_at=None
    ).first()


def _name_receipt(row: Snapshot, change: Change) -> None:
    """A receipt that was awaited has its code, and Safaricom's time of it, now."""
    named = {"code": change.fields["receipt"], "happened_at": change.fields["paid_at"]}
    Receipt.objects.filter(attempt_id=row.id, code=None, voided_at=None).update(**named)


def _correct(row: Snapshot, amount: Decimal, *, source: Source, now: datetime) -> None:
    """The statement names another amount than was booked: what was posted is taken back, and posted as it says."""
    old = _valid_receipt(row.id)
    if old is None or old.amount_cents == int(amount * CENTS):
        return
    Receipt.objects.filter(id=old.pk).update(voided_at=now)
    new = Receipt(
        code=old.code,
        direction=old.direction,
        kind=old.kind,
        amount_cents=int(amount * CENTS),
        happened_at=old.happened_at,
        short_code=old.short_code,
        account_no=old.account_no,
        payer_masked=old.payer_masked,
        attempt_id=row.id,
        told_by=source,
        told_at=now,
    )
    new.save(force_insert=True)
    before = list(Posting.objects.filter(receipt=old, code__in=(Code.PAID, Code.OVERPAID), mended_by=None))
    number = row.events_count + 1
    post(list(_taken_back(before)), row, receipt_id=old.pk, event_number=number, now=now)
    again = [
        Entry(debit=each.debit, credit=each.credit, cents=new.amount_cents, code=Code(each.code))
        for each in before
    ]
    post(again, row, receipt_id=new.pk, event_number=number, now=now)
    more = new.amount_cents - old.amount_cents
    correct_received(row.order_id, cents=more)
    if any(entry.code is Code.OVERPAID for entry in again):
        give_back(row.order_id, cents=more)


def _taken_back(postings: Iterable[Posting]) -> Iterator[Entry]:
    for each in postings:
        yield Entry(
            debit=each.credit,
            credit=each.debit,
            cents=each.amount_cents,
            code=Code.CORRECTION,
            mends=(each.pk, each.ref),
        )
