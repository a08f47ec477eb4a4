"""What the buyer is told of a payment: one read, and at times one question to Daraja when its callback is overdue."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime

from django.db.models import F, Q

from djkraph import sql
from orders import selectors as shop
from orders.codes import is_code
from orders.models import Order
from payments import enquiries
from payments.daraja import lookup
from payments.facts import (
    IS_LIVE,
    IS_WATCHED,
    ORDER_IS_PAID,
    amount_in_doubt,
    came_and_went,
    came_to_nothing,
    is_overdue,
    is_watched,
)
from payments.ledger import ORDER
from payments.models import MpesaTransaction, Receipt
from payments.states import PUBLIC, Public, State

PUBLIC_ID_PREFIX = "pay_"
WATCHED = (
    "If you typed your M-PESA PIN, do not pay again yet: we go on watching, and your money counts when it comes. "
    "If you did not, trying again is safe: we ask M-PESA about this request once more first."
)


@dataclass(frozen=True, kw_only=True)
class PaymentStatus:
    """How one attempt stands, in the words of the buyer's page."""

    attempt_id: int
    public_id: str
    status: Public
    message: str
    amount_kes: int
    receipt: str | None
    opened_from: str  # keyed hash of the network whose page asked for it
    overdue_since: datetime | None  # the callback is late: Daraja may be asked
    is_watched: bool  # failed, and asked about all the same: a page had better go on looking


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """What of an attempt its buyer is told about."""

    id: int
    order_id: int
    phone_hash: str
    concluded_at: datetime | None
    public_id: str
    state: str
    amount_kes: int
    receipt: str | None
    result_code: str
    pays_order: bool
    refund_due: bool
    unclaimed: bool
    due_cents: int
    refunded_at: datetime | None
    amount_differs: bool
    next_check_at: datetime | None
    opened_from: str


_COLUMNS = tuple(column.name for column in fields(_Row))


def payment_status(poll_id: str, *, now: datetime) -> PaymentStatus | None:
    """By Daraja's CheckoutRequestID or our own public id: one indexed read. None: no such attempt."""
    field = "public_id" if poll_id.startswith(PUBLIC_ID_PREFIX) else "checkout_request_id"
    row = sql.select(MpesaTransaction, _Row, {field: poll_id})
    if row is None:
        return None
    if came_to_nothing(row):
        return _instead_of_failed(row, now=now) or _status_of(row, now=now)
    return _status_of(row, now=now)


def payment_status_now(poll_id: str, *, clock: Callable[[], datetime]) -> PaymentStatus | None:
    """None: no such payment. A poll asks Daraja only where it wins the claim on that attempt's next check."""
    now = clock()
    found = payment_status(poll_id, now=now)
    if found is None or found.overdue_since is None:
        return found
    due = enquiries.read_due(found.attempt_id)
    if due.next_check_at is None or due.next_check_at > now:  # another poll was quicker, and asks already
        return payment_status(poll_id, now=now)
    if enquiries.resolve_by_clock(due, now=now) or enquiries.ask_about(due, clock=clock) is not None:
        return payment_status(poll_id, now=clock())
    return found


def live_attempt(order_id: int) -> MpesaTransaction | None:
    """The payment of this order that is under way."""
    return MpesaTransaction.objects.filter(IS_LIVE, order_id=order_id).first()


def watched_attempt(order_id: int) -> MpesaTransaction | None:
    """The latest payment of this order that came to nothing and may be paid all the same."""
    return MpesaTransaction.objects.filter(IS_WATCHED, order_id=order_id).order_by("-id").first()


def paying_attempt(order_id: int) -> MpesaTransaction | None:
    """The payment that paid this order."""
    return MpesaTransaction.objects.filter(order_id=order_id, pays_order=True).first()


def receipts_of(order: Order) -> list[str]:
    """Codes of the receipts that paid it, the oldest first: one, or one for each part."""
    of_it = Receipt.objects.filter(
        postings__credit=f"{ORDER}{order.code}", postings__mended_by=None, voided_at=None, code__isnull=False
    )
    its_own = of_it.exclude(due_cents=F("amount_cents")).order_by("id").values_list("code", flat=True)
    return list(dict.fromkeys(code for code in its_own if code))


def order_that_got(*, code: str, receipt: str) -> Order | None:
    """The order of this code, for somebody who can name a receipt of its money."""
    order_id = shop.id_of_order(code) if is_code(code.upper()) else None
    if order_id is None or "\x00" in receipt:
        return None
    order = Order.objects.get(id=order_id)
    asked_for = MpesaTransaction.objects.filter(order_id=order_id, receipt=receipt.upper()).exists()
    return order if asked_for or receipt.upper() in receipts_of(order) else None


def _instead_of_failed(row: _Row, *, now: datetime) -> PaymentStatus | None:
    """What a buyer hears whose attempt came to nothing, but who paid all the same, or may have: on another attempt
    from the same phone. None: it did come to nothing."""
    same_phone = MpesaTransaction.objects.filter(phone_hash=row.phone_hash)
    paying = same_phone.filter(order_id=row.order_id, pays_order=True).values(*_COLUMNS).first()
    if paying is not None and Order.objects.filter(ORDER_IS_PAID, id=row.order_id).exists():
        return _status_of(_Row(**paying), now=now)
    if not lookup(row.result_code).check_earlier:
        return None
    not_asked_since = Q(last_check_at=None) | Q(last_check_at__lt=row.concluded_at)
    to_ask = same_phone.filter(not_asked_since, id__lt=row.id, next_check_at__isnull=False)
    if not to_ask.exclude(checkout_request_id=None).exists():
        return None
    return replace(
        _status_of(row, now=now),
        status=Public.PENDING,
        message="We are checking your earlier payment request. Do not pay again yet.",
    )


def _status_of(row: _Row, *, now: datetime) -> PaymentStatus:
    return PaymentStatus(
        attempt_id=row.id,
        public_id=row.public_id,
        status=_public(row),
        message=_message(row),
        amount_kes=row.amount_kes,
        receipt=row.receipt,
        opened_from=row.opened_from,
        overdue_since=row.next_check_at if is_overdue(row, now=now) else None,
        is_watched=is_watched(row),
    )


def _public(row: _Row) -> Public:
    if amount_in_doubt(row):
        return Public.PENDING
    return Public.FAILED if came_and_went(row) else PUBLIC[State(row.state)]


def _message(row: _Row) -> str:
    if came_and_went(row):
        return "Your money was sent back to you, and the order is not paid. You can pay again."
    if amount_in_doubt(row):
        return "We have received money and are checking the amount. Do not pay again."
    if row.state == State.FAILED:
        result = lookup(row.result_code)
        if result.final:
            return f"{result.buyer} {WATCHED}" if is_watched(row) else result.buyer
        return "M-PESA did not take this request. Nothing was charged. Try again."
    if row.state == State.EXPIRED and is_watched(row):
        return f"No payment was seen for this request. {WATCHED}"
    return {
        State.COMPLETED: "Payment received. Thank you!",
        State.UNKNOWN: "We are checking your payment. Do not pay again yet.",
        State.EXPIRED: "This request has expired and no payment was seen. If M-PESA took your money, "
        "do not pay again: contact us with the M-PESA message.",
    }.get(State(row.state), "Waiting for you to enter your M-PESA PIN.")
