"""One order as the desk tells it: what it costs, what came, what went back, what is owed. Reads only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet, Value
from django.db.models.functions import Upper
from django.db.models.lookups import Exact

from orders.models import Order
from payments.desk.lists import search
from payments.desk.orders.parts import Part
from payments.desk.outcomes import outcome
from payments.desk.receipts.figures import Need
from payments.desk.receipts.figures import needs as needs_of_receipt
from payments.desk.words import counted, kes_of, lowered, moment
from payments.facts import (
    Reason,
    amount_in_doubt,
    is_live,
    is_paid,
    is_part_paid,
    left_kes,
    order_is_over,
    order_is_paid,
    reasons_of,
    received_kes,
)
from payments.ledger import CENTS, ORDER
from payments.models import MpesaTransaction, Posting, Receipt

NOT_KNOWN = "Not known yet"

Attempts = Sequence[MpesaTransaction]
Parts = Sequence[Part]


@dataclass(frozen=True, kw_only=True)
class Money:
    """Cents of one order, as the book has them. `received` is all that came for it, `sent_back` and `reversed` what
    left of that, `due_back` what must still be sent back, `waived` what a person let go of. `beside`: came with one of
    its requests and never was its own, `unclaimed` what of that is nobody's yet.

    What is in no book: `undecided` came in another amount than asked, and waits for a person; `in_doubt` counts the
    payments of which we know that money came, and not how much."""

    total: int
    received: int
    sent_back: int
    reversed: int
    owed: int
    due_back: int
    waived: int
    beside: int
    unclaimed: int
    undecided: int
    in_doubt: int

    @property
    def own(self) -> int:
        """What the order has. Of a part-paid one: what came so far."""
        return self.received - self.sent_back - self.reversed - self.due_back


def money(order: Order, attempts: Attempts, came: Parts) -> Money:
    doubted = [attempt for attempt in attempts if amount_in_doubt(attempt)]
    its = [part for part in came if part.came]
    return Money(
        total=CENTS * order.total_kes,
        received=order.received_cents,
        sent_back=sum(part.sent for part in its),
        reversed=sum(part.reversed for part in its),
        owed=CENTS * order.to_pay_kes,
        due_back=sum(part.due for part in came),
        waived=order.waived_cents,
        beside=sum(part.beside for part in came),
        unclaimed=sum(part.unclaimed for part in came),
        undecided=sum(CENTS * left_kes(each) for each in doubted if received_kes(each) is not None),
        in_doubt=sum(received_kes(each) is None for each in doubted),
    )


def reasons(attempts: Attempts) -> list[Reason]:
    """Why an order needs a person: for each reason that one of its payments has, once."""
    return list(dict.fromkeys(reason for attempt in attempts for reason in reasons_of(attempt)))


def notices(attempts: Attempts, came: Parts) -> list[Reason | Need]:
    """Why a person must look, in words: for its payments, and for what came without a request."""
    alone = [part.receipt for part in came if part.receipt.attempt_id is None or part.unclaimed]
    return [
        *reasons(attempts),
        *(need for receipt in alone for need in needs_of_receipt(receipt, named=True)),
    ]


def received(told: Money) -> str:
    if not told.in_doubt:
        return kes_of(told.received)
    return f"{kes_of(told.received)} and an amount not known yet" if told.received else NOT_KNOWN


def bought(order: Order, items: int) -> str:
    """`2 mixes`; where the items are not known, where the amount came from."""
    if order.is_priced:
        return counted(items, "mix", "mixes")
    return f"what a web page named {order.client_reference}"


def sentence(order: Order, attempts: Attempts, came: Parts, *, items: int, ended: bool) -> str:
    """Cost, payment, what is owed and what goes back, as one says it to the customer."""
    told = money(order, attempts, came)
    parts = [f"{kes_of(told.total)} for {bought(order, items)}, {_stands(order, told, came)}."]
    if not order_is_paid(order) and not order_is_over(order):
        parts.append(_asked(attempts))
    if ended:
        parts.append("It has ended: whoever still wants the mixes begins anew from the cart.")
    if told.waived:
        parts.append(f"{kes_of(told.waived)} less than the total was accepted.")
    if told.undecided:
        parts.append(
            f"{kes_of(told.undecided)} came, another amount than asked for: a person must decide on it."
        )
    if told.in_doubt:
        parts.append(
            "Money came in another amount than asked for, and how much is not known yet: a person must decide on it."
        )
    if told.unclaimed:
        parts.append(f"{kes_of(told.unclaimed)} more came and is nobody's yet: a person must decide on it.")
    if told.due_back:
        parts.append(f"{kes_of(told.due_back)} more came for it and must be sent back.")
    if gone := sum(part.sent for part in came):
        parts.append(f"{kes_of(gone)} was sent back.")
    if given := sum(part.reversed for part in came):
        parts.append(f"Safaricom gave {kes_of(given)} back to the buyer.")
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
    ids.update(_paid_by(term.upper()))
    return orders.filter(pk__in=ids)


def _paid_by(code: str) -> Iterable[int]:
    """Orders that this receipt is for, whether a request of ours asked for it or not."""
    moved = Posting.objects.filter(receipt__code=code, receipt__voided_at=None, credit__startswith=ORDER)
    names = {
        account.removeprefix(ORDER) for account in moved.values_list("credit", flat=True)[: search.AT_MOST]
    }
    return Order.objects.filter(code__in=names).values_list("id", flat=True)


def _stands(order: Order, told: Money, came: Parts) -> str:
    if order_is_over(order):
        return "paid once, and all of it went back; nothing is owed"
    if is_part_paid(order):
        return f"part paid: {kes_of(told.own)} came, {kes_of(told.owed)} still to pay"
    if not order_is_paid(order):
        return f"not paid; {kes_of(told.owed)} is owed"
    return f"{_paid(order, [part.receipt for part in came if part.own])}; nothing is owed"


def _paid(order: Order, receipts: Sequence[Receipt]) -> str:
    times = [receipt.happened_at or receipt.told_at for receipt in receipts]
    on = f"paid on {moment(max(times))}" if times else f"paid on {moment(order.paid_at)}"
    if len(receipts) > 1:
        return f"paid in {len(receipts)} parts, the last on {moment(max(times))}"
    code = receipts[0].code if receipts else None
    return f"{on} with receipt {code}" if code else f"{on}, the receipt is not known yet"


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
