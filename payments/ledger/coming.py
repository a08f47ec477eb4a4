"""Money that came for an attempt: to its order as far as that needs it, and where it stood elsewhere, from there."""

from datetime import datetime

from djkraph import sql
from orders.models import Order
from orders.services import receive
from payments.facts import came_to_nothing
from payments.ledger.book import (
    REFUNDS_DUE,
    UNCLAIMED,
    Because,
    Code,
    Entry,
    mpesa,
    order_account,
    post,
)
from payments.ledger.booked import NOTHING, Booked, came_cents, of, receipt_values, role, valid_receipt
from payments.ledger.endings import has_ended
from payments.ledger.going import last_reference
from payments.ledger.implied import told_larger
from payments.ledger.standing import Standing, hold, mend, move
from payments.ledger.updates import Change, ReceiptTaken, Snapshot, Source
from payments.models import Receipt


def came(row: Snapshot, change: Change, because: Because, *, source: Source) -> Booked:
    """Money for the attempt's order. It may stand in the book already: a statement can be quicker than a callback."""
    cents = came_cents(row, change)
    receipt_id = sql.insert_unless_there(
        Receipt, receipt_values(row, change.fields, cents, source=source, now=because.now)
    )
    if receipt_id is None:
        return _came_before(row, change, cents, because, source=source)
    return to_order(
        row,
        receipt_id,
        cents,
        because,
        waives_rest=change.waives_rest,
        by_a_person=source is Source.STAFF,
    )


def to_order(
    row: Snapshot,
    receipt_id: int,
    cents: int,
    because: Because,
    *,
    waives_rest: bool = False,
    by_a_person: bool = False,
) -> Booked:
    """A receipt that is nowhere yet. `by_a_person`: who decided it knew how old the order is."""
    because = of(receipt_id, because)
    excess = None
    if by_a_person or not _had_ended(row, because.now):
        excess = receive(row.order_id, cents=cents, at=because.now, waives_rest=waives_rest)
    account = order_account(row.account_reference)
    paid = Entry(debit=mpesa(row.short_code), credit=account, cents=cents, code=Code.PAID)
    if excess == 0:  # as nearly always
        post([paid], because)
        return role("pays_order")
    standing = Standing(receipt_id=receipt_id, short_code=row.short_code)
    if excess is None:
        beside = Entry(debit=mpesa(row.short_code), credit=UNCLAIMED, cents=cents, code=Code.UNCLAIMED)
        move(standing, [beside], because)
        return role("unclaimed")
    too_much = Entry(debit=account, credit=REFUNDS_DUE, cents=excess, code=Code.OVERPAID)
    move(standing, [paid, too_much], because)
    return role("refund_due" if excess == cents else "pays_order", due_cents=excess)


def _had_ended(row: Snapshot, now: datetime) -> bool:
    """Only money that comes after its request was given up can come too late for its order."""
    return came_to_nothing(row) and has_ended(Order.objects.get(pk=row.order_id), now=now)


def _came_before(row: Snapshot, change: Change, cents: int, because: Because, *, source: Source) -> Booked:
    """The receipt is in the book already, by a statement or a person. Safaricom's word for this attempt counts: where
    the money stands elsewhere and is still here, that is taken back."""
    known = _in_the_book(row, change)
    if known.attempt_id not in (None, row.id):
        raise ReceiptTaken("The receipt belongs to another payment.")
    standing = hold(known)
    because = of(known.pk, because)
    if standing.went and known.amount_cents != cents:
        known, standing = told_larger(known, cents, because)
    Receipt.objects.filter(pk=known.pk).update(attempt_id=row.id)
    if standing.went:
        return _gone(standing, known, because.now)
    if standing.came == cents and standing.orders == [row.account_reference]:
        due = standing.at[REFUNDS_DUE]
        return role("refund_due" if due == cents else "pays_order", due_cents=due)
    mend(standing, because)
    receipt_id = known.pk
    if known.amount_cents != cents:
        Receipt.objects.filter(pk=known.pk).update(voided_at=because.now)
        receipt_id = sql.insert(
            Receipt, receipt_values(row, change.fields, cents, source=source, now=because.now)
        )
    return to_order(
        row,
        receipt_id,
        cents,
        because,
        waives_rest=change.waives_rest,
        by_a_person=source is Source.STAFF,
    )


def _in_the_book(row: Snapshot, change: Change) -> Receipt:
    coming = Receipt.objects.filter(direction=Receipt.Direction.IN, kind=Receipt.Kind.PAYMENT, voided_at=None)
    code = change.fields.get("receipt", row.receipt)
    known = coming.filter(code=code).first() if code else None
    return known or coming.get(attempt_id=row.id)


def _gone(standing: Standing, known: Receipt, now: datetime) -> Booked:
    """It had come, and had gone back, before we learned for which attempt it was."""
    reference = last_reference(known)
    fields = {
        **role("unclaimed", due_cents=standing.at[REFUNDS_DUE]).fields,
        "refunded_kes": standing.went_kes,
        "refunded_at": None if standing.left else now,
        "refund_reference": reference,
    }
    return Booked(fields=fields, facts={"role": "unclaimed", "reference": reference})


def named(row: Snapshot, change: Change, because: Because) -> Booked:
    """A receipt that was awaited has its code, and Safaricom's time of it, now. Where a statement brought the money
    under this code meanwhile, it was booked twice: what was awaited is taken back."""
    code = change.fields["receipt"]
    awaited = Receipt.objects.filter(attempt_id=row.id, code=None, voided_at=None).first()
    if awaited is None:
        return NOTHING
    twice = _coming(code)
    if twice is None:
        awaited.code, awaited.happened_at = code, change.fields["paid_at"]
        awaited.save(update_fields=["code", "happened_at"])
        return NOTHING
    standing = hold(awaited)
    mend(standing, of(awaited.pk, because))
    Receipt.objects.filter(pk=awaited.pk).update(voided_at=because.now)
    return _came_before(row, change, twice.amount_cents, because, source=Source(twice.told_by))


def _coming(code: str) -> Receipt | None:
    return Receipt.objects.filter(
        code=code, direction=Receipt.Direction.IN, kind=Receipt.Kind.PAYMENT, voided_at=None
    ).first()


def corrected(row: Snapshot, cents: int, because: Because, *, source: Source) -> Booked:
    """The statement names another amount than was booked: what was posted is taken back, and posted as it says. Where
    some of it went back already, it is left to a person."""
    old = valid_receipt(row.id)
    if old is None or old.amount_cents == cents:
        return NOTHING
    standing = hold(old)
    if standing.went:
        return NOTHING
    mend(standing, of(old.pk, because))
    Receipt.objects.filter(pk=old.pk).update(voided_at=because.now)
    values = receipt_values(row, {}, cents, source=source, now=because.now)
    return to_order(row, sql.insert(Receipt, values | {"happened_at": old.happened_at}), cents, because)
