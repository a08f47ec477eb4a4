"""All there is to know of an order's money, as plain values: for `manage.py trace`. Reads only, words nothing."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from orders.models import Order
from orders.selectors import id_of_order
from payments.desk.words import shillings
from payments.ledger import UNCLAIMED
from payments.models import MpesaTransaction, PaymentEvent, Posting, Receipt, Refund


def trace(reference: str) -> dict[str, Any] | None:
    """By an order's code, a receipt, Daraja's CheckoutRequestID or our public id: the whole order it belongs to. None:
    nobody knows it. Amounts are KES, as numbers; times ISO 8601."""
    spelt = reference.strip()
    order_id = id_of_order(spelt) or _order_of_attempt(spelt) or _order_of_receipt(spelt.upper())
    if order_id is None:
        return None
    order = Order.objects.get(id=order_id)
    attempts = list(MpesaTransaction.objects.filter(order=order).order_by("id"))
    return {
        "order": {
            "code": order.code,
            "total_kes": order.total_kes,
            "received_kes": shillings(order.received_cents),
            "returned_kes": shillings(order.returned_cents),
            "to_pay_kes": order.to_pay_kes,
            "state": order.state,
        },
        "attempts": [_attempt(attempt) for attempt in attempts],
        "receipts": _receipts(order, attempts),
        "postings": _postings(attempts),
        "refunds": _refunds(attempts),
        "events": _events(attempts),
    }


def _order_of_attempt(spelt: str) -> int | None:
    named = MpesaTransaction.objects.filter(Q(public_id=spelt) | Q(checkout_request_id=spelt))
    return named.values_list("order_id", flat=True).first() if spelt else None


def _order_of_receipt(code: str) -> int | None:
    named = Receipt.objects.filter(code=code, attempt__isnull=False)
    return named.values_list("attempt__order_id", flat=True).first() if code else None


def _attempt(attempt: MpesaTransaction) -> dict[str, Any]:
    return {
        "id": attempt.public_id,
        "checkout_request_id": attempt.checkout_request_id,
        "state": attempt.state,
        "amount_kes": attempt.amount_kes,
        "receipt": attempt.receipt,
    }


def _receipts(order: Order, attempts: Iterable[MpesaTransaction]) -> list[dict[str, Any]]:
    found = (
        Receipt.objects.filter(attempt__in=attempts, voided_at=None)
        .prefetch_related("postings")
        .order_by("id")
    )
    return [
        {
            "code": receipt.code,
            "amount_kes": shillings(receipt.amount_cents),
            "direction": receipt.direction,
            "kind": receipt.kind,
            "of": order.code,
            "unclaimed_kes": shillings(_left_in(UNCLAIMED, receipt.postings.all())),
        }
        for receipt in found
    ]


def _left_in(account: str, postings: Iterable[Posting]) -> int:
    return sum(
        posting.amount_cents * ((posting.credit == account) - (posting.debit == account))
        for posting in postings
    )


def _postings(attempts: Iterable[MpesaTransaction]) -> list[dict[str, Any]]:
    found = Posting.objects.filter(attempt__in=attempts).select_related("receipt").order_by("id")
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
        for posting in found
    ]


def _refunds(attempts: Iterable[MpesaTransaction]) -> list[dict[str, Any]]:
    return [
        {
            "reference": refund.reference,
            "amount_kes": shillings(refund.amount_cents),
            "reason": refund.reason,
            "recorded_by": refund.recorded_by,
            "recorded_at": refund.recorded_at.isoformat(),
        }
        for refund in Refund.objects.filter(attempt__in=attempts).order_by("id")
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
