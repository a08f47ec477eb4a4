"""What an attempt's event does to the book: which receipt it is about, which postings go with it, and what the attempt
says of its money from then on. In the event's own transaction, before it: receipt, order, attempt are locked in this
order, always."""

from datetime import datetime
from decimal import Decimal

from payments.ledger.book import CENTS, Because
from payments.ledger.booked import NOTHING, Booked, Facts
from payments.ledger.coming import came, corrected, named
from payments.ledger.going import refund_undone, refunded, reversed_
from payments.ledger.kinds import EventKind
from payments.ledger.undoing import doubted, undone, unlearned
from payments.ledger.updates import Change, Snapshot, Source
from payments.states import State


def book(row: Snapshot, change: Change, *, source: Source, facts: Facts, now: datetime) -> Booked:
    """Writes what the change does to the book. Raises ReceiptTaken."""
    because = _because(row, now)
    if change.pays:
        return came(row, change, because, source=source)
    match change.kind:
        case EventKind.REFUND_RECORDED:
            return refunded(row, CENTS * int(facts["amount"]), because, source=source)
        case EventKind.REVERSED:
            return reversed_(row, round(CENTS * Decimal(facts["amount"])), facts["reference"], because)
        case EventKind.STATEMENT_DIFFERS:
            return corrected(row, round(CENTS * Decimal(facts["amount"])), because, source=source)
        case EventKind.RECEIPT_LEARNED:
            return named(row, change, because)
        case EventKind.UNDONE if row.state == State.COMPLETED:
            return undone(row, because)
        case EventKind.RECEIPT_UNLEARNED:
            return unlearned(row, because, source=source)
        case EventKind.AMOUNT_DOUBTED:
            return doubted(row, because)
        case EventKind.REFUND_UNDONE:
            return refund_undone(row, facts["undone"], because)
        case _:
            return NOTHING


def _because(row: Snapshot, now: datetime) -> Because:
    return Because(
        receipt_id=None, now=now, attempt_id=row.id, attempt=row.public_id, event_number=row.events_count + 1
    )
