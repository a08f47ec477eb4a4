"""Finding a payment, or a line of a statement, by what a customer can say. Each way is one look into an index, so it is
quick at any size."""

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Q, QuerySet

from payments import gateway
from payments.models import CallbackDelivery, MpesaTransaction, PaymentEvent, StatementLine
from payments.phones import NotAPhone, read_msisdn

AT_MOST = 200  # of each way: more is no answer to "which one"

Payments = QuerySet[MpesaTransaction]
Row = TypeVar("Row", CallbackDelivery, PaymentEvent)


def found(payments: Payments, term: str) -> Payments:
    """Those that this term names: receipt, order code, the page's reference or a checkout id (each also by its
    beginning), or a full phone number (through its keyed hash)."""
    term = term.strip().replace("\x00", "")
    try:
        return payments.filter(phone_hash__in=gateway.phone_hashes(read_msisdn(term)))
    except NotAPhone:
        return payments.filter(pk__in={number for way in _ways(term) for number in way})


def by_their_payments(rows: QuerySet[Row], term: str) -> QuerySet[Row]:
    """Rows that have an `attempt` (callbacks, events), by what names their payment."""
    if not term.strip():
        return rows
    newest = found(MpesaTransaction.objects.all(), term).order_by("-id").values_list("id", flat=True)
    return rows.filter(attempt_id__in=list(newest[:AT_MOST]))


def found_lines(lines: QuerySet[StatementLine], term: str) -> QuerySet[StatementLine]:
    """Lines of statements with this receipt, or this reference that the customer typed."""
    spelt = term.strip().replace("\x00", "").upper()
    return lines.filter(Q(receipt=spelt) | Q(account_no=spelt)) if spelt else lines


def _ways(term: str) -> Iterator[list[int]]:
    spelt = term.upper()
    for filters in (
        {"receipt__startswith": spelt},
        {"order__code__startswith": spelt},
        {"order__client_reference__startswith": term},
        {"checkout_request_id__startswith": term},
        {"public_id": term},
        {"refunds__reference": spelt},
    ):
        ids = MpesaTransaction.objects.filter(**filters).order_by("-id").values_list("id", flat=True)
        yield list(ids[:AT_MOST])
