"""How a payment request ended, in a few words: for lists, exports and totals. Pure."""

from payments.daraja import lookup
from payments.states import State

REFUSED = "Safaricom refused the request"  # the phone was not asked


def outcome(state: str, code: str) -> str:
    """`Cancelled by the user`, `Paid`, `Given up waiting`; empty while it is open."""
    match State(state):
        case State.COMPLETED:
            return "Paid"
        case State.EXPIRED:
            return "Given up waiting"
        case State.FAILED:
            result = lookup(code)
            return result.meaning if result.final else REFUSED
        case _:
            return ""
