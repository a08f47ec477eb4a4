"""Money of an attempt that was never there, or was another's: taken back, or put before a person again."""

from djkraph import sql
from payments.ledger.book import CENTS, UNCLAIMED, Because, Code, Entry, mpesa
from payments.ledger.booked import NO_MONEY, NO_ROLE, Booked, of, receipt_values, valid_receipt
from payments.ledger.coming import to_order
from payments.ledger.kinds import EventKind
from payments.ledger.standing import hold, mend, move
from payments.ledger.updates import Snapshot, Source
from payments.models import PaymentEvent, Receipt, StatementLine


def undone(row: Snapshot, because: Because) -> Booked:
    """The money was never there, or was another's: where a statement shows it, it is nobody's again."""
    receipt = valid_receipt(row.id)
    if receipt is not None:
        _take_from(receipt, because)
    return Booked(fields=NO_MONEY, facts={"receipt": "", "role": ""})


def unlearned(row: Snapshot, because: Because, *, source: Source) -> Booked:
    """Money came, as Safaricom says, and its receipt is awaited again: the one that was typed is not its own. Where the
    amount had been in doubt until then, it is again."""
    receipt = valid_receipt(row.id)
    if receipt is None:
        raise RuntimeError("A receipt that was learned is in the book.")
    was_in_doubt = not _was_booked_before_it_was_learned(receipt)
    _take_from(receipt, because)
    if was_in_doubt:
        return Booked(fields={**NO_MONEY, "amount_differs": True}, facts={"receipt": "", "role": ""})
    values = receipt_values(row, NO_MONEY, CENTS * row.amount_kes, source=source, now=because.now)
    booked = to_order(
        row, sql.insert(Receipt, values | {"happened_at": None}), CENTS * row.amount_kes, because
    )
    return Booked(fields={**NO_MONEY, **booked.fields}, facts={"receipt": "", **booked.facts})


def _was_booked_before_it_was_learned(receipt: Receipt) -> bool:
    learned = PaymentEvent.objects.filter(
        attempt_id=receipt.attempt_id, kind=EventKind.RECEIPT_LEARNED
    ).last()
    first = receipt.postings.order_by("id").values_list("event_number", flat=True).first()
    return learned is None or first is None or first < learned.number


def doubted(row: Snapshot, because: Because) -> Booked:
    receipt = valid_receipt(row.id)
    if receipt is not None:
        mend(hold(receipt), of(receipt.pk, because))
        Receipt.objects.filter(pk=receipt.pk).update(voided_at=because.now)
    return Booked(fields=NO_ROLE, facts={"role": ""})


def _take_from(receipt: Receipt, because: Because) -> None:
    """All that stands of it is taken back. Where a statement shows the receipt, the money is here, and nobody's."""
    standing = hold(receipt)
    because = of(receipt.pk, because)
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
