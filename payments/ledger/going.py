"""Money of an attempt that goes back: by a refund, or because Safaricom reversed it. And that it never did."""

from django.db.models import Q

from djkraph import sql
from payments.ledger.book import REFUNDS_DUE, UNCLAIMED, Because, Code, Entry, mpesa
from payments.ledger.booked import Booked, of, receipt_values, valid_receipt
from payments.ledger.kinds import EventKind
from payments.ledger.standing import Standing, hold, in_force, mend, move, reversed_by_safaricom, sent_back
from payments.ledger.updates import Snapshot, Source
from payments.models import PaymentEvent, Receipt, Refund


def refunded(row: Snapshot, cents: int, because: Because, *, source: Source) -> Booked:
    """A refund. What was never booked, because its amount was in doubt, is booked by what went back."""
    receipt = valid_receipt(row.id)
    if receipt is None:
        values = receipt_values(row, {}, cents, source=source, now=because.now)
        receipt = Receipt.objects.get(pk=sql.insert(Receipt, values))
        beside = Entry(debit=mpesa(row.short_code), credit=UNCLAIMED, cents=cents, code=Code.UNCLAIMED)
        move(Standing(receipt_id=receipt.pk, short_code=row.short_code), [beside], of(receipt.pk, because))
    standing = hold(receipt)
    move(standing, sent_back(standing, cents), of(receipt.pk, because))
    return Booked(fields={"due_cents": standing.at[REFUNDS_DUE]})


def reversed_(row: Snapshot, cents: int, reference: str, because: Because) -> Booked:
    """Safaricom took it back: of the attempt's receipt, which is in the book."""
    receipt = valid_receipt(row.id)
    if receipt is None:
        raise RuntimeError("Only a receipt that is in the book is reversed.")
    standing = hold(receipt)
    move(standing, reversed_by_safaricom(standing, cents), of(receipt.pk, because))
    fields = {
        "refunded_kes": standing.went_kes,
        "refunded_at": None if standing.left else because.now,
        "refund_reference": reference,
        "due_cents": standing.at[REFUNDS_DUE],
        "reviewed_at": None,
    }
    return Booked(fields=fields)


def refund_undone(row: Snapshot, reference: str, because: Because) -> Booked:
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
    of_it = [each for each in in_force(receipt.pk) if event is None or each.event_number == event.number]
    mend(standing, of(receipt.pk, because), only=of_it)
    last = last_reference(receipt, besides=reference) if standing.went else None
    fields = {
        "refunded_kes": standing.went_kes,
        "refunded_at": None,
        "refund_reference": last,
        "due_cents": standing.at[REFUNDS_DUE],
    }
    return Booked(fields=fields, facts={"reference": last or ""})


def last_reference(receipt: Receipt, *, besides: str = "") -> str:
    """Of what went back of this receipt, the last: a refund's reference, or the code of Safaricom's reversal."""
    of_its_attempt = Q(receipt=None, attempt=receipt.attempt_id, attempt__isnull=False)
    refunds = (
        Refund.objects.filter(Q(receipt=receipt) | of_its_attempt)
        .exclude(state=Refund.State.FAILED)
        .order_by("id")
    )
    reversals = receipt.reversals.filter(voided_at=None).order_by("id")
    references = [
        *reversals.values_list("code", flat=True),
        *refunds.exclude(state=Refund.State.FAILED).values_list("reference", flat=True),
    ]
    return [each for each in references if each and each != besides][-1]
