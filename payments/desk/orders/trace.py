"""All there is to know of an order's money, as plain values: for `manage.py trace`. Reads only, words nothing."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from orders.models import Order
from orders.selectors import id_of_order
from payments.desk.words import shillings
from payments.ledger import ORDER, UNCLAIMED
from payments.models import MpesaTransaction, PaymentEvent, Posting, Receipt, Refund


def trace(reference: str) -> dict[str, Any] | None:
    """By an order's code, the code of a receipt or a refund, Daraja's CheckoutRequestID or our public id: the whole
    order it belongs to; of a receipt that is no order's, the receipt alone. None: nobody knows it. Amounts are KES;
    times ISO 8601."""
    spelt = reference.strip()
    code = spelt.upper()
    order_id = (
        id_of_order(spelt) or _order_of_attempt(spelt) or _order_of_receipt(code) or _order_of_refund(code)
    )
    if order_id is not None:
        return _whole(Order.objects.get(id=order_id))
    alone = list(_coded(code))
    return _told(None, [], alone) if alone else None


def _whole(order: Order) -> dict[str, Any]:
    attempts = list(MpesaTransaction.objects.filter(order=order).order_by("id"))
    return _told(order, attempts, _receipts_of(order, attempts))


def _told(
    order: Order | None, attempts: Sequence[MpesaTransaction], receipts: Sequence[Receipt]
) -> dict[str, Any]:
    of = Q(attempt__in=attempts) | Q(receipt__in=receipts)
    return {
        "order": _order(order) if order else None,
        "attempts": [_attempt(attempt) for attempt in attempts],
        "receipts": [_receipt(receipt, order) for receipt in receipts if receipt.voided_at is None],
        "postings": _postings(Posting.objects.filter(of)),
        "refunds": _refunds(Refund.objects.filter(of)),
        "events": _events(attempts),
    }


# --- what it is asked by --------------------------------------------------------------------------------


def _order_of_attempt(spelt: str) -> int | None:
    named = MpesaTransaction.objects.filter(Q(public_id=spelt) | Q(checkout_request_id=spelt))
    return named.values_list("order_id", flat=True).first() if spelt else None


def _order_of_receipt(code: str) -> int | None:
    """A payment's order, or that of the payment which it gave back."""
    orders = (_order_with(receipt) for receipt in _coded(code))
    return next((found for found in orders if found is not None), None)


def _order_of_refund(reference: str) -> int | None:
    refund = Refund.objects.filter(reference=reference).select_related("attempt", "receipt__attempt").first()
    if refund is None:
        return None
    if refund.attempt is not None:
        return refund.attempt.order_id
    return _order_with(refund.receipt) if refund.receipt else None


def _order_with(receipt: Receipt) -> int | None:
    if receipt.attempt is not None:
        return receipt.attempt.order_id
    to_orders = (
        receipt.postings.filter(credit__startswith=ORDER).order_by("-id").values_list("credit", flat=True)
    )
    account = to_orders.first()
    if account is not None:
        return id_of_order(account.removeprefix(ORDER))
    return _order_with(receipt.reverses) if receipt.reverses else None


def _coded(code: str) -> QuerySet[Receipt]:
    """A payment and its charge have one code."""
    found = Receipt.objects.filter(code=code, voided_at=None) if code else Receipt.objects.none()
    return found.select_related("attempt", "reverses__attempt").order_by("id")


# --- what belongs to it ---------------------------------------------------------------------------------


def _receipts_of(order: Order, attempts: Sequence[MpesaTransaction]) -> list[Receipt]:
    """Of its requests, and whatever else brought it money; with what gave that back. Voided ones too."""
    account = f"{ORDER}{order.code}"
    moved = Posting.objects.filter(Q(credit=account) | Q(debit=account), receipt__isnull=False)
    own = Q(attempt__in=attempts) | Q(id__in=moved.values("receipt_id"))
    ids = list(Receipt.objects.filter(own).values_list("id", flat=True))
    with_what_left = Receipt.objects.filter(Q(id__in=ids) | Q(reverses__in=ids))
    return list(with_what_left.prefetch_related("postings").order_by("id"))


def _order(order: Order) -> dict[str, Any]:
    return {
        "code": order.code,
        "total_kes": order.total_kes,
        "received_kes": shillings(order.received_cents),
        "returned_kes": shillings(order.returned_cents),
        "to_pay_kes": order.to_pay_kes,
        "state": order.state,
    }


def _attempt(attempt: MpesaTransaction) -> dict[str, Any]:
    return {
        "id": attempt.public_id,
        "checkout_request_id": attempt.checkout_request_id,
        "state": attempt.state,
        "amount_kes": attempt.amount_kes,
        "receipt": attempt.receipt,
    }


def _receipt(receipt: Receipt, order: Order | None) -> dict[str, Any]:
    return {
        "code": receipt.code,
        "amount_kes": shillings(receipt.amount_cents),
        "direction": receipt.direction,
        "kind": receipt.kind,
        "of": order.code if order else None,
        "unclaimed_kes": shillings(_left_in(UNCLAIMED, receipt.postings.all())),
    }


def _left_in(account: str, postings: Iterable[Posting]) -> int:
    return sum(
        posting.amount_cents * ((posting.credit == account) - (posting.debit == account))
        for posting in postings
    )


def _postings(postings: QuerySet[Posting]) -> list[dict[str, Any]]:
    return [
        {
            "number": posting.pk,
            "at": posting.at.isoformat(),
            "debit": posting.debit,
            "credit": posting.credit,
            "amount_kes": shillings(posting.amount_cents),
            "code": posting.code,
            "receipt": posting.receipt.code if posting.receipt else None,
            "mends": posting.mends_id,
        }
        for posting in postings.select_related("receipt").order_by("id")
    ]


def _refunds(refunds: QuerySet[Refund]) -> list[dict[str, Any]]:
    return [
        {
            "reference": refund.reference,
            "amount_kes": shillings(refund.amount_cents),
            "receipt": refund.receipt.code if refund.receipt else None,
            "state": refund.state,
            "reason": refund.reason,
            "recorded_by": refund.recorded_by,
            "recorded_at": refund.recorded_at.isoformat(),
        }
        for refund in refunds.select_related("receipt").order_by("id")
    ]


def _events(attempts: Iterable[MpesaTransaction]) -> list[dict[str, Any]]:
    return [
        {
            "number": event.number,
            "attempt": event.attempt.public_id,
            "kind": event.kind,
            "source": event.source,
            "at": event.at.isoformat(),
            "facts": event.facts,
        }
        for event in PaymentEvent.objects.filter(attempt__in=attempts)
        .select_related("attempt")
        .order_by("id")
    ]
