"""What an attempt's event does to the book: which receipt it is about, which postings go with it, and what the attempt
says of its money from then on. In the event's own transaction, before it: receipt, order, attempt are locked in this
order, always."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from djkraph import sql
from orders.models import Order
from orders.services import receive
from payments.facts import came_to_nothing
from payments.ledger.book import (
    CENTS,
    REFUNDS_DUE,
    UNCLAIMED,
    Because,
    Code,
    Entry,
    mpesa,
    order_account,
    post,
)
from payments.ledger.endings import has_ended
from payments.ledger.implied import told_larger
from payments.ledger.kinds import EventKind
from payments.ledger.standing import (
    Standing,
    hold,
    mend,
    move,
    reversed_by_safaricom,
    sent_back,
)
from payments.ledger.updates import Change, ReceiptTaken, Snapshot, Source
from payments.models import PaymentEvent, Receipt, Refund, StatementLine
from payments.states import State

Facts = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Booked:
    """Columns of the attempt and facts of its event that the booking adds."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)


NOTHING = Booked()


def book(row: Snapshot, change: Change, *, source: Source, facts: Facts, now: datetime) -> Booked:
    """Writes what the change does to the book. Raises ReceiptTaken."""
    because = _because(row, now)
    if change.pays:
        return _came(row, change, because, source=source)
    match change.kind:
        case EventKind.REFUND_RECORDED:
            return _sent_back(row, CENTS * int(facts["amount"]), because, source=source)
        case EventKind.REVERSED:
            return _reversed(row, round(CENTS * Decimal(facts["amount"])), facts["reference"], because)
        case EventKind.STATEMENT_DIFFERS:
            return _corrected(row, round(CENTS * Decimal(facts["amount"])), because, source=source)
        case EventKind.RECEIPT_LEARNED:
            return _named(row, change, because)
        case EventKind.UNDONE if row.state == State.COMPLETED:
            return _undone(row, because)
        case EventKind.RECEIPT_UNLEARNED:
            return _unlearned(row, because, source=source)
        case EventKind.AMOUNT_DOUBTED:
            return _doubted(row, because)
        case EventKind.REFUND_UNDONE:
            return _refund_undone(row, facts["undone"], because)
        case _:
            return NOTHING


def came_cents(row: Snapshot, change: Change) -> int:
    """What came with the attempt, as it stands once this change is made."""
    if change.came_cents is not None:
        return change.came_cents
    named = change.fields.get("received_kes", row.received_kes)
    return CENTS * (row.amount_kes if named is None else int(named))


def _because(row: Snapshot, now: datetime) -> Because:
    return Because(
        receipt_id=None, now=now, attempt_id=row.id, attempt=row.public_id, event_number=row.events_count + 1
    )


def _came(row: Snapshot, change: Change, because: Because, *, source: Source) -> Booked:
    """Money for the attempt's order. It may stand in the book already: a statement can be quicker than a callback."""
    cents = came_cents(row, change)
    receipt_id = sql.insert_unless_there(
        Receipt, _receipt(row, change.fields, cents, source=source, now=because.now)
    )
    if receipt_id is None:
        return _came_before(row, change, cents, because, source=source)
    return _to_order(
        row,
        receipt_id,
        cents,
        because,
        waives_rest=change.waives_rest,
        by_a_person=source is Source.STAFF,
    )


def _to_order(
    row: Snapshot,
    receipt_id: int,
    cents: int,
    because: Because,
    *,
    waives_rest: bool = False,
    by_a_person: bool = False,
) -> Booked:
    """A receipt that is nowhere yet. `by_a_person`: who decided it knew how old the order is."""
    because = _of(receipt_id, because)
    excess = None
    if by_a_person or not _had_ended(row, because.now):
        excess = receive(row.order_id, cents=cents, at=because.now, waives_rest=waives_rest)
    account = order_account(row.account_reference)
    paid = Entry(debit=mpesa(row.short_code), credit=account, cents=cents, code=Code.PAID)
    if excess == 0:  # as nearly always
        post([paid], because)
        return _role("pays_order")
    standing = Standing(receipt_id=receipt_id, short_code=row.short_code)
    if excess is None:
        beside = Entry(debit=mpesa(row.short_code), credit=UNCLAIMED, cents=cents, code=Code.UNCLAIMED)
        move(standing, [beside], because)
        return _role("unclaimed")
    too_much = Entry(debit=account, credit=REFUNDS_DUE, cents=excess, code=Code.OVERPAID)
    move(standing, [paid, too_much], because)
    return _role("refund_due" if excess == cents else "pays_order", due_cents=excess)


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
    because = _of(known.pk, because)
    if standing.went and known.amount_cents != cents:
        known, standing = told_larger(known, cents, because)
    Receipt.objects.filter(pk=known.pk).update(attempt_id=row.id)
    if standing.went:
        return _gone(standing, known.code or "", because.now)
    if standing.came == cents and standing.orders == [row.account_reference]:
        due = standing.at[REFUNDS_DUE]
        return _role("refund_due" if due == cents else "pays_order", due_cents=due)
    mend(standing, because)
    receipt_id = known.pk
    if known.amount_cents != cents:
        Receipt.objects.filter(pk=known.pk).update(voided_at=because.now)
        receipt_id = sql.insert(Receipt, _receipt(row, change.fields, cents, source=source, now=because.now))
    return _to_order(
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


def _gone(standing: Standing, code: str, now: datetime) -> Booked:
    """It had come, and had gone back, before we learned for which attempt it was."""
    all_of_it = standing.left == 0
    fields = {
        "unclaimed": True,
        "refunded_kes": standing.went // CENTS,
        "refunded_at": now if all_of_it else None,
        "refund_reference": code,
    }
    return Booked(fields=fields, facts={"role": "unclaimed", "reference": code})


def _sent_back(row: Snapshot, cents: int, because: Because, *, source: Source) -> Booked:
    """A refund. What was never booked, because its amount was in doubt, is booked by what went back."""
    receipt = valid_receipt(row.id)
    if receipt is None:
        values = _receipt(row, {}, cents, source=source, now=because.now)
        receipt = Receipt.objects.get(pk=sql.insert(Receipt, values))
        beside = Entry(debit=mpesa(row.short_code), credit=UNCLAIMED, cents=cents, code=Code.UNCLAIMED)
        move(Standing(receipt_id=receipt.pk, short_code=row.short_code), [beside], _of(receipt.pk, because))
    standing = hold(receipt)
    move(standing, sent_back(standing, cents), _of(receipt.pk, because))
    return Booked(fields={"due_cents": standing.at[REFUNDS_DUE]})


def _reversed(row: Snapshot, cents: int, reference: str, because: Because) -> Booked:
    """Safaricom took it back: of the attempt's receipt, which is in the book."""
    receipt = valid_receipt(row.id)
    if receipt is None:
        raise RuntimeError("Only a receipt that is in the book is reversed.")
    standing = hold(receipt)
    move(standing, reversed_by_safaricom(standing, cents), _of(receipt.pk, because))
    fields = {
        "refunded_kes": standing.went // CENTS,
        "refunded_at": None if standing.left else because.now,
        "refund_reference": reference,
        "due_cents": standing.at[REFUNDS_DUE],
        "reviewed_at": None,
    }
    return Booked(fields=fields)


def valid_receipt(attempt_id: int) -> Receipt | None:
    """What came with the attempt, as it is believed to be."""
    return Receipt.objects.filter(
        attempt_id=attempt_id, direction=Receipt.Direction.IN, voided_at=None
    ).first()


def _named(row: Snapshot, change: Change, because: Because) -> Booked:
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
    mend(standing, _of(awaited.pk, because))
    Receipt.objects.filter(pk=awaited.pk).update(voided_at=because.now)
    return _came_before(row, change, twice.amount_cents, because, source=Source(twice.told_by))


def _coming(code: str) -> Receipt | None:
    return Receipt.objects.filter(
        code=code, direction=Receipt.Direction.IN, kind=Receipt.Kind.PAYMENT, voided_at=None
    ).first()


def _corrected(row: Snapshot, cents: int, because: Because, *, source: Source) -> Booked:
    """The statement names another amount than was booked: what was posted is taken back, and posted as it says. Where
    some of it went back already, it is left to a person."""
    old = valid_receipt(row.id)
    if old is None or old.amount_cents == cents:
        return NOTHING
    standing = hold(old)
    if standing.went:
        return NOTHING
    mend(standing, _of(old.pk, because))
    Receipt.objects.filter(pk=old.pk).update(voided_at=because.now)
    values = _receipt(row, {}, cents, source=source, now=because.now)
    return _to_order(row, sql.insert(Receipt, values | {"happened_at": old.happened_at}), cents, because)


NO_ROLE: Mapping[str, Any] = {
    "pays_order": False,
    "refund_due": False,
    "unclaimed": False,
    "due_cents": 0,
    "reviewed_at": None,
}
# of an attempt whose money was never there, or was not its own
NO_MONEY: Mapping[str, Any] = {
    **NO_ROLE,
    "receipt": None,
    "received_kes": None,
    "paid_at": None,
    "amount_differs": False,
    "by_hand": False,
    "came_late": False,
}


def _undone(row: Snapshot, because: Because) -> Booked:
    """The money was never there, or was another's: where a statement shows it, it is nobody's again."""
    receipt = valid_receipt(row.id)
    if receipt is not None:
        _take_from(receipt, because)
    return Booked(fields=NO_MONEY, facts={"receipt": "", "role": ""})


def _unlearned(row: Snapshot, because: Because, *, source: Source) -> Booked:
    """Money came, as Safaricom says, and its receipt is awaited again: the one that was typed is not its own. Where the
    amount had been in doubt until then, it is again."""
    receipt = valid_receipt(row.id)
    if receipt is None:
        raise RuntimeError("A receipt that was learned is in the book.")
    was_in_doubt = not _was_booked_before_it_was_learned(receipt)
    _take_from(receipt, because)
    if was_in_doubt:
        return Booked(fields={**NO_MONEY, "amount_differs": True}, facts={"receipt": "", "role": ""})
    values = _receipt(row, NO_MONEY, CENTS * row.amount_kes, source=source, now=because.now)
    booked = _to_order(
        row, sql.insert(Receipt, values | {"happened_at": None}), CENTS * row.amount_kes, because
    )
    return Booked(fields={**NO_MONEY, **booked.fields}, facts={"receipt": "", **booked.facts})


def _was_booked_before_it_was_learned(receipt: Receipt) -> bool:
    learned = PaymentEvent.objects.filter(
        attempt_id=receipt.attempt_id, kind=EventKind.RECEIPT_LEARNED
    ).last()
    first = receipt.postings.order_by("id").values_list("event_number", flat=True).first()
    return learned is None or first is None or first < learned.number


def _doubted(row: Snapshot, because: Because) -> Booked:
    receipt = valid_receipt(row.id)
    if receipt is not None:
        mend(hold(receipt), _of(receipt.pk, because))
        Receipt.objects.filter(pk=receipt.pk).update(voided_at=because.now)
    return Booked(fields=NO_ROLE, facts={"role": ""})


def _take_from(receipt: Receipt, because: Because) -> None:
    """All that stands of it is taken back. Where a statement shows the receipt, the money is here, and nobody's."""
    standing = hold(receipt)
    because = _of(receipt.pk, because)
    mend(standing, because)
    if not _is_on_a_statement(receipt):
        Receipt.objects.filter(pk=receipt.pk).update(voided_at=because.now)
        return
    beside = Entry(
        debit=mpesa(receipt.short_code), credit=UNCLAIMED, cents=receipt.amount_cents, code=Code.UNCLAIMED
    )
    move(standing, [beside], because)
    Receipt.objects.filter(pk=receipt.pk).update(attempt_id=None)
    lines = StatementLine.objects.filter(
        receipt=receipt.code, kind=StatementLine.Kind.PAYMENT, voided_at=None
    )
    lines.update(attempt=None, booked_as=receipt, match=StatementLine.Match.NONE)


def _is_on_a_statement(receipt: Receipt) -> bool:
    lines = StatementLine.objects.filter(kind=StatementLine.Kind.PAYMENT, voided_at=None)
    return receipt.code is not None and lines.filter(receipt=receipt.code).exists()


def _refund_undone(row: Snapshot, reference: str, because: Because) -> Booked:
    """A refund that was recorded and never left, or a reversal that never was: its postings are taken back."""
    receipt = valid_receipt(row.id)
    if receipt is None:
        raise RuntimeError("What was refunded is in the book.")
    standing = hold(receipt)
    event = PaymentEvent.objects.filter(
        attempt_id=row.id,
        kind__in=(EventKind.REFUND_RECORDED, EventKind.REVERSED),
        facts__reference=reference,
    ).last()
    number = event.number if event else None
    mend(standing, _of(receipt.pk, because), of_event=number)
    others = Refund.objects.filter(attempt_id=row.id).exclude(reference=reference)
    last = others.exclude(state=Refund.State.FAILED).order_by("id").values_list("reference", flat=True).last()
    fields = {
        "refunded_kes": standing.went // CENTS or None,
        "refunded_at": None,
        "refund_reference": last,
        "due_cents": standing.at[REFUNDS_DUE],
    }
    return Booked(fields=fields, facts={"reference": last or ""})


def _role(role: str, *, due_cents: int = 0) -> Booked:
    """What its money is from now on, and not any more what it was."""
    fields: dict[str, Any] = {role: True}
    if due_cents or role != "pays_order":
        fields = {"pays_order": False, "refund_due": False, "unclaimed": False} | fields
        fields["due_cents"] = due_cents
    return Booked(fields=fields, facts={"role": role})


def _of(receipt_id: int, because: Because) -> Because:
    return Because(
        receipt_id=receipt_id,
        now=because.now,
        attempt_id=because.attempt_id,
        attempt=because.attempt,
        event_number=because.event_number,
    )


def _receipt(
    row: Snapshot, fields: Mapping[str, Any], cents: int, *, source: Source, now: datetime
) -> dict[str, Any]:
    return {
        "code": fields.get("receipt", row.receipt),
        "direction": Receipt.Direction.IN,
        "kind": Receipt.Kind.PAYMENT,
        "amount_cents": cents,
        "happened_at": fields.get("paid_at") or row.paid_at,
        "short_code": row.short_code,
        "account_no": row.account_reference,
        "payer_masked": row.phone_masked,
        "attempt_id": row.id,
        "told_by": source,
        "told_at": now,
    }
