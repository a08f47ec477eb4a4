"""What the payer reads: the prompt and the message afterwards. Words only; the page that shows them is elsewhere."""

from payments.simulator.accounts import PAYBILL, Account
from payments.simulator.bank import Transaction
from payments.simulator.checks import PushOrder
from payments.simulator.endings import CANCELLED, INSUFFICIENT, NO_ANSWER, WRONG_PIN
from payments.simulator.schedule import eat

MAX_PROMPT = 182
"""A longer prompt ends with 1025 (daraja.md 2.1)."""

AFTERWARDS = {
    CANCELLED: "You cancelled the request. No money has moved.",
    NO_ANSWER: "The M-PESA request ran out of time. No money has moved.",
    WRONG_PIN: "You have entered the wrong PIN. No money has moved.",
    INSUFFICIENT: "Failed. You do not have enough money in your M-PESA account to pay KSh {amount:,}.00.",
}


def prompt_text(order: PushOrder, account: Account) -> str:
    paybill = account.transaction_type == PAYBILL.transaction_type
    target = f"Account no. {order.reference}" if paybill else f"Till {account.party_b}"
    return f"Do you want to pay KSh {order.amount} to {account.name} {target}? Enter M-PESA PIN"


def message_text(transaction: Transaction) -> str:
    """Empty while the prompt is open."""
    order, outcome = transaction.order, transaction.outcome
    if outcome is None:
        return ""
    if transaction.receipt:
        when = eat(transaction.ended_at or 0.0)
        return (
            f"{transaction.receipt} Confirmed. Ksh{order.amount:,}.00 sent to {transaction.account.name} "
            f"for account {order.reference} on {when.day}/{when.month}/{when:%y} at {when:%I:%M %p}."
        )
    words = AFTERWARDS.get(outcome.code, "M-PESA could not take this payment ({code}). No money has moved.")
    return words.format(amount=order.amount, code=outcome.code)
