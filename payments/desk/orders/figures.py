"""One order as the desk tells it: what it costs, what came, what went back, what is owed. Reads only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet, Value
from django.db.models.functions import Upper
from django.db.models.lookups import Exact

from orders.models import Order
from payments.desk.lists import search
from payments.desk.outcomes import outcome
from payments.desk.words import counted, kes, lowered, moment
from payments.facts import (
    Reason,
    is_live,
    is_paid,
    is_refund_due,
    is_refunded,
    left_kes,
    order_is_paid,
    reasons_of,
    received_kes,
)
from payments.models import MpesaTransaction

NOT_KNOWN = "Not known yet"

Attempts = Sequence[MpesaTransaction]


@dataclass(frozen=True, kw_only=True)
class Money:
    """Shillings of one order. `received` is all that came for it, `due_back` what must still be sent back of it,
    `undecided` what came in another amount than asked and waits for a person. `in_doubt`: payments of which we know
    that money came, and not how much; they are in no sum."""

    total: int
    received: int
    refunded: int
    owed: int
    due_back: int
    undecided: int
    in_doubt: int


def money(order: Order, attempts: Attempts) -> Money:
    came = [attempt for attempt in attempts if is_paid(attempt)]
    kept = [attempt for attempt in came if not is_refunded(attempt) and not attempt.pays_order]
    return Money(
        total=order.total_kes,
        received=sum(received_kes(attempt) or 0 for attempt in came),
        refunded=sum(attempt.refunded_kes or 0 for attempt in came),
        owed=order.to_pay_kes,
        due_back=sum(left_kes(attempt) for attempt in kept if is_refund_due(attempt)),
        undecided=sum(
            left_kes(attempt)
            for attempt in kept
            if not attempt.refund_due and received_kes(attempt) is not None
        ),
        in_doubt=sum(received_kes(attempt) is None for attempt in kept),
    )


def reasons(attempts: Attempts) -> list[Reason]:
    """Why an order needs a person: for each reason that one of its payments has, once."""
    return list(dict.fromkeys(reason for attempt in attempts for reason in reasons_of(attempt)))


def received(told: Money) -> str:
    if not told.in_doubt:
        return kes(told.received)
    return f"{kes(told.received)} and an amount not known yet" if told.received else NOT_KNOWN


def bought(order: Order, items: int) -> str:
    """`2 mixes`; where the items are not known, where the amount came from."""
    if order.is_priced:
        return counted(items, "mix", "mixes")
    return f"what a web page named {order.client_reference}"


def sentence(order: Order, attempts: Attempts, *, items: int) -> str:
    """Cost, payment, what is owed and what goes back, as one says it to the customer."""
    told = money(order, attempts)
    paying = next((attempt for attempt in attempts if attempt.pays_order), None)
    parts = [f"{kes(told.total)} for {bought(order, items)}, {_stands(order, paying)}."]
    if not order_is_paid(order):
        parts.append(_asked(attempts))
    if told.undecided:
        parts.append(
            f"{kes(told.undecided)} came, another amount than asked for: a person must decide on it."
        )
    if told.in_doubt:
        parts.append(
            "Money came in another amount than asked for, and how much is not known yet: a person must decide on it."
        )
    if told.due_back:
        parts.append(f"{kes(told.due_back)} more came for it and must be sent back.")
    if told.refunded:
        parts.append(f"{kes(told.refunded)} was sent back.")
    return " ".join(part for part in parts if part)


def found(orders: QuerySet[Order], term: str) -> QuerySet[Order]:
    """Those that this term names: an order's code, the page's reference, the buyer's whole e-mail address, or what
    finds one of its payments (receipt, full phone number). Each way is a look into an index."""
    term = term.strip().replace("\x00", "")
    ways: Iterable[QuerySet[Order]] = (
        Order.objects.filter(code__startswith=term.upper()),
        Order.objects.filter(client_reference__startswith=term),
        Order.objects.exclude(email="").filter(Exact(Upper("email"), Upper(Value(term)))),
    )
    ids = {
        number
        for way in ways
        for number in way.order_by("-id").values_list("id", flat=True)[: search.AT_MOST]
    }
    payments = search.found(MpesaTransaction.objects.all(), term)
    ids.update(payments.order_by("-id").values_list("order_id", flat=True)[: search.AT_MOST])
    return orders.filter(pk__in=ids)


def _stands(order: Order, paying: MpesaTransaction | None) -> str:
    if not order_is_paid(order):
        return f"not paid; {kes(order.total_kes)} is owed"
    at = (paying and (paying.paid_at or paying.concluded_at)) or order.paid_at
    on = f"paid on {moment(at)}" if at else "paid"
    if paying is None or paying.receipt is None:
        return f"{on}, the receipt is not known yet; nothing is owed"
    return f"{on} with receipt {paying.receipt}; nothing is owed"


def _asked(attempts: Attempts) -> str:
    """How far an order that is not paid has come."""
    newest = max(attempts, key=lambda attempt: attempt.pk, default=None)
    if newest is None:
        return "No payment request was sent for it."
    if is_live(newest):
        return f"A request to {newest.phone_masked} is under way."
    if is_paid(newest):
        return ""
    return f"The last request came to nothing: {lowered(outcome(newest.state, newest.result_code))}."
