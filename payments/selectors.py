"""Reads of the ledger for buyers' pages. Nothing here writes or calls."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q

from djkraph import rows
from payments.attention import REASONS
from payments.daraja import lookup
from payments.models import MpesaTransaction
from payments.states import LIVE, PUBLIC, Public, State

PUBLIC_ID_PREFIX = "pay_"

_WANTED = (
    "id",
    "order_id",
    "phone_hash",
    "settled_at",
    "public_id",
    "state",
    "amount_kes",
    "receipt",
    "result_code",
    "pays_order",
    "refund_due",
    "amount_differs",
    "next_check_at",
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one attempt stands, in the words of the buyer's page."""

    attempt_id: int
    public_id: str
    status: Public
    message: str
    amount_kes: int
    receipt: str | None
    overdue_since: datetime | None  # the callback is late: Daraja may be asked


def standing(poll_id: str, *, now: datetime) -> Standing | None:
    """By Daraja's CheckoutRequestID or our own public id: one indexed read. None: no such attempt."""
    field = "public_id" if poll_id.startswith(PUBLIC_ID_PREFIX) else "checkout_request_id"
    row = rows.select(MpesaTransaction, _WANTED, {field: poll_id})
    if row is None:
        return None
    if row["state"] in (State.FAILED, State.EXPIRED):
        return _instead_of_failed(row, now=now) or _standing(row, now=now)
    return _standing(row, now=now)


def live_attempt(order_id: int) -> MpesaTransaction | None:
    """The payment of this order that is under way."""
    return MpesaTransaction.objects.filter(order_id=order_id, state__in=LIVE).first()


def paying_attempt(order_id: int) -> MpesaTransaction | None:
    """The payment that paid this order."""
    return MpesaTransaction.objects.filter(order_id=order_id, pays_order=True).first()


def needs_person() -> dict[str, int]:
    """How many payments need a person, by the key of each reason (attention.py)."""
    return {reason.key: MpesaTransaction.objects.filter(reason.applies).count() for reason in REASONS}


def _instead_of_failed(row: dict[str, Any], *, now: datetime) -> Standing | None:
    """What a buyer hears whose attempt came to nothing, but who paid all the same, or may have: on another attempt
    from the same phone. None: it did come to nothing."""
    same_phone = MpesaTransaction.objects.filter(phone_hash=row["phone_hash"])
    paying = same_phone.filter(order_id=row["order_id"], pays_order=True).values(*_WANTED).first()
    if paying is not None:
        return _standing(paying, now=now)
    if not lookup(row["result_code"]).check_earlier:
        return None
    not_asked_since = Q(last_check_at=None) | Q(last_check_at__lt=row["settled_at"])
    to_ask = same_phone.filter(not_asked_since, id__lt=row["id"], next_check_at__isnull=False)
    if not to_ask.exclude(checkout_request_id=None).exists():
        return None
    return replace(
        _standing(row, now=now),
        status=Public.PENDING,
        message="We are checking your earlier payment request. Do not pay again yet.",
    )


def _standing(row: dict[str, Any], *, now: datetime) -> Standing:
    state = State(row["state"])
    has_role = row["pays_order"] or row["refund_due"]
    in_doubt = state is State.COMPLETED and row["amount_differs"] and not has_role
    status = Public.PENDING if in_doubt else PUBLIC[state]
    overdue = state in LIVE and row["next_check_at"] is not None and row["next_check_at"] <= now
    return Standing(
        attempt_id=row["id"],
        public_id=row["public_id"],
        status=status,
        message=_message(state, row, in_doubt=in_doubt),
        amount_kes=row["amount_kes"],
        receipt=row["receipt"],
        overdue_since=row["next_check_at"] if overdue else None,
    )


def _message(state: State, row: dict[str, Any], *, in_doubt: bool) -> str:
    if in_doubt:
        return "We have received money and are checking the amount. Do not pay again."
    if state is State.FAILED:
        result = lookup(row["result_code"])
        return (
            result.buyer
            if result.final
            else "M-PESA did not take this request. Nothing was charged. Try again."
        )
    return {
        State.COMPLETED: "Payment received. Thank you!",
        State.UNKNOWN: "We are checking your payment. Do not pay again yet.",
        State.EXPIRED: "This request has expired and no payment was seen. If M-PESA took your money, "
        "do not pay again: contact us with the M-PESA message.",
    }.get(state, "Waiting for you to enter your M-PESA PIN.")
