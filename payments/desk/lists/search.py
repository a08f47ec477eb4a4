"""Finding a payment, or a line of a statement, by what a customer can say. Each way is one look into an index, so it is
quick at any size."""

import re
from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Right, Upper
from django.db.models.lookups import Exact

from orders.codes import codes_meant
from orders.models import Order
from payments import gateway
from payments.desk.lists import said
from payments.desk.taken import midnight, next_day
from payments.desk.words import nairobi_day
from payments.models import CallbackDelivery, MpesaTransaction, PaymentEvent, StatementLine
from payments.phones import NotAPhone, read_msisdn

RECEIPT_END, PHONE_END = re.compile(r"[A-Z0-9]{5}", re.ASCII), re.compile(r"\d{4}", re.ASCII)
AT_MOST = 200  # of each way: more is no answer to "which one"

Payments = QuerySet[MpesaTransaction]
Row = TypeVar("Row", CallbackDelivery, PaymentEvent)


def found(payments: Payments, term: str) -> Payments:
    """Those that this term names: receipt, order code, the page's reference or a checkout id (each also by its
    beginning), or a full phone number (through its keyed hash). Where there is none, those that it may mean: a whole
    message of M-PESA, a code as people type it, an e-mail address, an amount with its day, a receipt with one wrong
    character or its last five, the last four of a phone."""
    term = term.strip().replace("\x00", "")[: said.LONGEST]
    try:
        return payments.filter(phone_hash__in=gateway.phone_hashes(read_msisdn(term)))
    except NotAPhone:
        ids = {number for way in _ways(term) for number in way}
        return payments.filter(pk__in=ids or _meant(term))


def by_their_payments(rows: QuerySet[Row], term: str) -> QuerySet[Row]:
    """Rows that have an `attempt` (callbacks, events), by what names their payment."""
    if not term.strip():
        return rows
    newest = found(MpesaTransaction.objects.all(), term).order_by("-id").values_list("id", flat=True)
    return rows.filter(attempt_id__in=list(newest[:AT_MOST]))


def found_lines(lines: QuerySet[StatementLine], term: str) -> QuerySet[StatementLine]:
    """Lines of statements with this receipt, or this reference that the customer typed."""
    spelt = term.strip().replace("\x00", "").upper()
    if not spelt:
        return lines
    named = lines.filter(Q(receipt=spelt) | Q(account_no=spelt))
    receipts = said.receipts_in(spelt)
    if named.exists() or not receipts:
        return named
    whole = lines.filter(receipt__in=receipts)
    return whole if whole.exists() else lines.filter(receipt__in=said.nearly(receipts[0]))


def _meant(term: str) -> set[int]:
    """What the first of these ways finds: from the surest to the least sure."""
    for filters in _meanings(term):
        ids = MpesaTransaction.objects.filter(filters).order_by("-id").values_list("id", flat=True)
        if found := set(ids[:AT_MOST]):
            return found
    return set()


def _meanings(term: str) -> Iterator[Q]:
    receipts = said.receipts_in(term)
    if receipts:
        yield Q(receipt__in=receipts)
    if codes := codes_meant(term):
        yield Q(order__code__in=codes)
    if "@" in term:
        yield Q(order__in=Order.objects.exclude(email="").filter(Exact(Upper("email"), Upper(Value(term)))))
    if (told := said.amount_of_day(term, today=nairobi_day(gateway.now()))) is not None:
        start = midnight(told.day)
        yield Q(
            amount_kes=told.amount_kes, created_at__gte=start, created_at__lt=midnight(next_day(told.day))
        )
    if RECEIPT_END.fullmatch(term.upper()):
        yield Q(Exact(Right("receipt", 5), Value(term.upper())), receipt__isnull=False)
    if PHONE_END.fullmatch(term):
        yield Q(Exact(Right("phone_masked", 4), Value(term)))
    if len(receipts) == 1:
        yield Q(receipt__in=said.nearly(receipts[0]))


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
