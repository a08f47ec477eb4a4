"""Which order a request names, and whether it may be paid for as it is: too old, paid, sent back, of another price.
Calls nobody."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from orders import selectors as shop
from orders.models import Order, OrderItem
from orders.services import lock_order, place_unpriced_order
from payments import gateway, ledger
from payments.checkout.problems import PushProblem, Why
from payments.facts import (
    AMOUNT_IN_DOUBT,
    got_nothing,
    has_outlived,
    is_part_paid,
    order_is_over,
    order_is_paid,
)
from payments.models import MpesaTransaction

SENT_BACK = "This order was paid, and the money was sent back. To buy again, start from the cart."
TOO_OLD = "This order is too old to be paid. Nothing was charged. Please start again from the cart."
NAMED = 2  # so many mixes and receipts are named, and the rest counted


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What the buyer's page asks for. Whole shillings; the phone is in memory only while we push."""

    msisdn: str
    amount_kes: int
    reference: str = ""  # an order's code, or the merchant page's own
    description: str = ""
    again: bool = False  # it is meant as another purchase, though the same was just paid
    has_key: bool = False  # an Idempotency-Key of its own came with it
    opened_from: str = ""  # keyed hash of the network whose page asks

    def __repr__(self) -> str:
        return f"Ask(amount_kes={self.amount_kes}, reference={self.reference!r})"


def named_order(reference: str) -> Order | None:
    """The order this reference names, locked, or None for a reference that is new."""
    order_id = shop.id_of_order(reference)
    while order_id is not None:
        order = lock_order(order_id)
        if order.is_priced or order.client_reference == reference:
            return order
        # named by its code; or it gave its reference up while we waited for the lock
        if (order_id := shop.id_of_order(reference)) == order.id:
            return order
    return None


def is_given_up(order: Order, ask: Ask, *, now: datetime) -> bool:
    """The merchant's page asks anew, and for another amount or after the order's life, under a reference for which
    nothing came and nothing is on its way. A priced order is never given up: its price is ours."""
    is_the_pages_own = not order.is_priced and order.client_reference == ask.reference
    is_asked_anew = order.total_kes != ask.amount_kes or has_outlived(
        order, life=gateway.order_life(), now=now
    )
    return (
        is_the_pages_own
        and is_asked_anew
        and got_nothing(order)
        and not ledger.is_kept_open(order.id, now=now)
    )


def out_of_date(order: Order, *, now: datetime) -> PushProblem | None:
    """Too old, or its prices are not today's: the buyer starts again from the cart, and is told so before paying. An
    order that a part was paid for keeps its price. None: it can be asked for."""
    if order_is_over(order):
        return PushProblem(SENT_BACK, code=Why.ORDER_REFUNDED)
    if ledger.has_ended(order, now=now):
        return PushProblem(TOO_OLD, code=Why.ORDER_ENDED)
    if order.is_priced and got_nothing(order) and (changed := shop.changed_items(order)):
        return PushProblem(_price_words(changed[0]), code=Why.PRICE_CHANGED)
    return None


def _price_words(item: OrderItem) -> str:
    """Of an item that can't be had at its order's price today."""
    mix = item.mix
    now = (
        f"costs KES {mix.price_kes:,} now, not KES {item.price_kes:,}" if mix.on_sale else "is no longer sold"
    )
    return f"“{mix.title}” {now}. Nothing was charged. Please start again from the cart."


def asked_for(order: Order) -> int:
    """What a request for it must name. (One that is paid is refused as paid, where it names its price.)"""
    return order.total_kes if order_is_paid(order) else order.to_pay_kes


def other_amount(order: Order, asked_kes: int) -> str:
    if is_part_paid(order):
        return (
            f"KES {order.to_pay_kes:,} are still to pay for this order of KES {order.total_kes:,}, not KES "
            f"{asked_kes:,}. Reload the page."
        )
    return f"This order costs KES {order.total_kes:,}, not KES {asked_kes:,}. Reload the page."


def refuse_if_over(order: Order) -> None:
    if order_is_over(order):
        raise PushProblem(SENT_BACK, code=Why.ORDER_REFUNDED)


def refuse_if_paid(order: Order) -> None:
    if order_is_paid(order):
        raise PushProblem("This order is paid already. There is nothing more to pay.", code=Why.ALREADY_PAID)
    if MpesaTransaction.objects.filter(AMOUNT_IN_DOUBT, order=order).exists():
        raise PushProblem(
            "We have received money for this order and are checking it. Do not pay again.",
            code=Why.BEING_CHECKED,
        )


def bought_already(titles: list[str], paid: list[MpesaTransaction]) -> PushProblem:
    """This phone paid for these mixes within a day: whoever asks again is asked back, so that nobody buys them twice by
    mistake."""
    more = f" and {len(titles) - NAMED} more" if len(titles) > NAMED else ""
    named = ", ".join(f"“{title}”" for title in titles[:NAMED]) + more
    money = ", ".join(
        f"KES {each.amount_kes:,}" + (f", receipt {each.receipt}" if each.receipt else "")
        for each in paid[:NAMED]
    )
    return PushProblem(
        f"You paid for {named} from this phone within the last day: {money}. No request was sent now. Pay once more "
        "only if you want to buy the same again.",
        code=Why.JUST_PAID,
    )


def just_paid(attempt: MpesaTransaction) -> PushProblem:
    """The same was paid from this phone a moment ago: whoever asks again is asked back, so that nobody pays twice."""
    if attempt.order.is_priced:
        return bought_already([item.title for item in shop.items_of(attempt.order)], [attempt])
    receipt = f", receipt {attempt.receipt}" if attempt.receipt else ""
    return PushProblem(
        f"KES {attempt.amount_kes:,} was just paid from this phone{receipt}. If you want to buy once more, wait two "
        "minutes and press pay again.",
        code=Why.JUST_PAID,
    )


def unpriced_order(ask: Ask, *, now: datetime) -> Order:
    """A new order for a reference of the merchant's own page: an amount without items. Raises PushProblem, and
    IntegrityError where another phone was first with this reference, a moment ago."""
    if gateway.priced_orders_only():
        raise PushProblem(
            "Please start from the shop's cart: this order is not known.", code=Why.ORDER_UNKNOWN
        )
    reference = ask.reference or f"unnamed-{secrets.token_hex(8)}"
    return place_unpriced_order(client_reference=reference, amount_kes=ask.amount_kes, now=now)
