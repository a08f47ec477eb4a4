"""What the payer reads: the prompt and the message afterwards. Words only; the page that shows them is elsewhere."""

from payments.simulator.accounts import ACCOUNTS, PAYBILL, Account
from payments.simulator.bank import Transaction
from payments.simulator.checks import PushOrder
from payments.simulator.endings import CANCELLED, INSUFFICIENT, NO_ANSWER, WRONG_PIN
from payments.simulator.schedule import eat
from payments.simulator.till import Kind, Move

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


def is_told(move: Move) -> bool:
    """Whether the payer gets a message of it that no push's end was."""
    return move.kind is Kind.REVERSAL or move.by == "c2b"


def move_text(move: Move) -> str:
    when, account = eat(move.at), ACCOUNTS[move.short_code]
    at = f"{when.day}/{when.month}/{when:%y} at {when:%I:%M %p}"
    if move.kind is Kind.REVERSAL:
        came_back = f"Ksh{-move.change:,}.00 came back from {account.name}"
        return f"{move.receipt} Confirmed. {move.original} was reversed: {came_back} on {at}."
    target = f"for account {move.reference} " if move.reference else ""
    return f"{move.receipt} Confirmed. Ksh{move.change:,}.00 sent to {account.name} {target}on {at}."
