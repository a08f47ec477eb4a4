"""Why a phone was not asked: the codes that pages act on, and the sentences that the buyer reads."""

from enum import StrEnum


class Why(StrEnum):
    """Stable: the wire's `code`."""

    AMOUNT_MISMATCH = "amount_mismatch"
    ORDER_UNKNOWN = "order_unknown"
    ALREADY_PAID = "already_paid"
    JUST_PAID = "just_paid"
    ORDER_REFUNDED = "order_refunded"
    ORDER_ENDED = "order_ended"
    PRICE_CHANGED = "price_changed"
    BEING_CHECKED = "being_checked"
    PROMPT_OPEN = "prompt_open"
    TOO_MANY_PROMPTS = "too_many_prompts"
    PHONE_STOPPED = "phone_stopped"
    DARAJA_REFUSED = "daraja_refused"
    DARAJA_UNUSABLE = "daraja_unusable"
    TOO_MANY_AT_ONCE = "too_many_at_once"
    NOT_ASKED = "not_asked"
    DARAJA_UNREACHABLE = "daraja_unreachable"
    DARAJA_BUSY = "daraja_busy"


class PushProblem(Exception):
    """No prompt was sent, and the message says to the buyer what to do. `retry_after`: seconds until
    trying again makes sense, None where time alone changes nothing."""

    def __init__(self, message: str, *, code: Why, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after
