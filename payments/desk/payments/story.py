"""One payment in a sentence or two, as one says it to the customer on the phone. Pure."""

from datetime import datetime

from orders.models import Order
from payments.daraja import lookup
from payments.desk.words import counted, kes, kes_of, lowered, moment, noun, span
from payments.facts import (
    amount_in_doubt,
    held_kes,
    is_on_phone,
    is_part_paid,
    is_refund_due,
    is_refunded,
    left_kes,
    order_is_over,
    order_is_paid,
    received_kes,
)
from payments.ledger import CENTS
from payments.models import MpesaTransaction, Refund
from payments.states import State


def sentence(attempt: MpesaTransaction, *, now: datetime) -> str:
    """What became of it, and what that means for the order."""
    asked = f"{kes(attempt.amount_kes)} for order {attempt.account_reference} from {attempt.phone_masked}"
    return f"{_became(attempt, asked, now=now)}{_after(attempt)}"


def asked(attempt: MpesaTransaction) -> str:
    """How often Safaricom was asked what became of it."""
    last = f", last on {moment(attempt.last_check_at)}" if attempt.last_check_at else ""
    answer = f"; last answered on {moment(attempt.last_answer_at)}" if attempt.last_answer_at else ""
    return f"{counted(attempt.checks, 'time')}{last}{answer}"


def advice_on_refund(attempt: MpesaTransaction) -> str:
    """What there is to send back, said before somebody records it."""
    if amount_in_doubt(attempt) and received_kes(attempt) is None:
        return (
            "How much came is not known for certain. Send back what the M-PESA portal shows, and note that."
        )
    gone = f", {kes(attempt.refunded_kes)} of it went back" if attempt.refunded_kes else ""
    left = f"{kes(held_kes(attempt))} came{gone}: {kes(left_kes(attempt))} is left."
    if is_refund_due(attempt):
        return f"{left} {kes_of(attempt.due_cents)} of that is due back to the buyer."
    if attempt.pays_order:
        return f"{left} Nothing of it is due back: the order keeps counting as paid until all of its money went back."
    return f"{left} No order is paid with it."


def given_back_kes(attempt: MpesaTransaction) -> int:
    """What Safaricom itself gave back, not a person."""
    sent = sum(each.amount_cents for each in attempt.refunds.all() if each.state != Refund.State.FAILED)
    return max(0, (attempt.refunded_kes or 0) - sent // CENTS)


def _became(attempt: MpesaTransaction, asked: str, *, now: datetime) -> str:
    ago = span(now - attempt.created_at)
    match State(attempt.state):
        case State.COMPLETED:
            return _paid(attempt)
        case State.FAILED:
            return f"{asked} was not paid: {_reason(attempt)}"
        case State.EXPIRED:
            return f"{asked} was given up: no payment was seen."
        case State.UNKNOWN:
            return f"{asked} was asked for {ago} ago, and Safaricom's answer was lost: it may have been paid or not."
        case State.PENDING if is_on_phone(attempt, now=now):
            return f"{asked} was asked for {ago} ago and waits for the buyer's PIN."
        case State.PENDING:
            return f"{asked} was asked for {ago} ago. Safaricom has not said yet what became of it."
        case _:
            return f"{asked} is being sent to Safaricom."


def _paid(attempt: MpesaTransaction) -> str:
    came = received_kes(attempt)
    money = "Money of an amount that is not known for certain" if came is None else kes(came)
    at = attempt.paid_at or attempt.concluded_at or attempt.created_at
    receipt = f"receipt {attempt.receipt}" if attempt.receipt else "the receipt is not known yet"
    taken = span(max(at, attempt.created_at) - attempt.created_at)
    after = f"{taken} after the request"
    if _came_without_prompt(attempt):
        after = "without a request of ours" if attempt.by_hand else "as a second payment of one request"
    return f"{money} came from {attempt.phone_masked} on {moment(at)}, {after}; {receipt}. {_order(attempt)}"


def _came_without_prompt(attempt: MpesaTransaction) -> bool:
    """Money of a statement that staff attached to an order, or a second receipt of one request: the phone has no hash,
    since no request named it."""
    return not attempt.phone_hash


def _order(attempt: MpesaTransaction) -> str:
    code = attempt.account_reference
    if attempt.pays_order:
        return f"{_paid_with_it(attempt.order)}{_too_much(attempt)}"
    if attempt.refund_due and is_refund_due(attempt):
        return f"Order {code} was paid already, so this money is due back."
    if attempt.refund_due:
        return f"Order {code} was paid already."
    if is_refunded(attempt):
        return ""
    if attempt.unclaimed:
        return f"Order {code} takes no more money, so it is nobody's yet."
    return f"Order {code} is not paid by it: {kes(attempt.amount_kes)} was asked for."


def _paid_with_it(order: Order) -> str:
    if order_is_over(order):
        return f"It was for order {order.code}, and all of that order's money went back."
    if is_part_paid(order):
        return f"It pays a part of order {order.code}: {kes(order.to_pay_kes)} is still to pay."
    if not order_is_paid(order):
        return f"It was for order {order.code}, which is not paid: {kes(order.to_pay_kes)} is owed."
    return f"Order {order.code} is paid with it."


def _too_much(attempt: MpesaTransaction) -> str:
    if not is_refund_due(attempt):
        return ""
    return f" {kes_of(attempt.due_cents)} of it is more than the order costs and must be sent back."


def _reason(attempt: MpesaTransaction) -> str:
    result = lookup(attempt.result_code)
    if not result.final:
        return "Safaricom refused the request itself, so the phone was not asked and nothing was charged."
    return f"{lowered(result.meaning)}."


def _after(attempt: MpesaTransaction) -> str:
    if attempt.refunded_kes is None:
        return " It came after it had been taken for not paid." if attempt.came_late else ""
    return "".join((_by_safaricom(attempt), _by_staff(attempt), _what_is_left(attempt)))


def _by_safaricom(attempt: MpesaTransaction) -> str:
    given = given_back_kes(attempt)
    return f" Safaricom gave {kes(given)} back to the buyer." if given else ""


def _by_staff(attempt: MpesaTransaction) -> str:
    sent = (attempt.refunded_kes or 0) - given_back_kes(attempt)
    if not sent:
        return ""
    named = [each.reference for each in attempt.refunds.all() if each.state != Refund.State.FAILED]
    on = f" on {moment(attempt.refunded_at)}" if attempt.refunded_at and len(named) == 1 else ""
    return f" {kes(sent)} was sent back{on}, {noun(len(named), 'reference')} {', '.join(named)}."


def _what_is_left(attempt: MpesaTransaction) -> str:
    return "" if is_refunded(attempt) else f" {kes(left_kes(attempt))} of it is left."
