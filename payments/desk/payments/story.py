"""One payment in a sentence or two, as one says it to the customer on the phone. Pure."""

from datetime import datetime

from payments.daraja import lookup
from payments.desk.words import counted, kes, lowered, moment, span
from payments.facts import is_on_phone, is_refund_due, is_refunded, left_kes, received_kes
from payments.models import MpesaTransaction
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


def refund(attempt: MpesaTransaction) -> str:
    """What went back, each time with its reference; empty where nothing did."""
    return "; ".join(
        f"{kes(each.amount_cents // 100)}, {each.reference}" for each in attempt.refunds.order_by("id")
    )


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
    if attempt.pays_order:
        return f"Order {attempt.account_reference} is paid with it."
    if is_refund_due(attempt):
        return f"Order {attempt.account_reference} was paid already, so this money is due back."
    if not is_refunded(attempt):
        return (
            f"Order {attempt.account_reference} is not paid by it: {kes(attempt.amount_kes)} was asked for."
        )
    return ""


def _reason(attempt: MpesaTransaction) -> str:
    result = lookup(attempt.result_code)
    if not result.final:
        return "Safaricom refused the request itself, so the phone was not asked and nothing was charged."
    return f"{lowered(result.meaning)}."


def _after(attempt: MpesaTransaction) -> str:
    if attempt.refunded_kes is not None:
        reference = f"reference {attempt.refund_reference}"
        if attempt.refunded_at is not None:
            return (
                f" {kes(attempt.refunded_kes)} was sent back on {moment(attempt.refunded_at)}, {reference}."
            )
        return f" {kes(attempt.refunded_kes)} of it was sent back, {reference}; {kes(left_kes(attempt))} is left."
    return " It came after it had been taken for not paid." if attempt.came_late else ""
