"""What people decide about a payment and whether it makes sense: settle, claim, refund, undo, void, note, review. And
how much one person decides alone. Not which role may do it, and no page: both are the desk's."""

from payments.manual.actions import (
    ActionRefused,
    Asked,
    Row,
    ask_now,
    mark_delivery_reviewed,
    mark_reviewed,
    read_delivery_again,
    refusal_to_ask,
    refusal_to_mark,
    refusal_to_mark_delivery,
    refusal_to_read_again,
    refusal_to_settle,
    write_note,
)
from payments.manual.believing import Waits, believe, lines_that_wait, refusal_to_believe, what_waits
from payments.manual.claiming import Claim, claim_receipt, refusal_to_claim
from payments.manual.correcting import (
    refusal_to_undo,
    refusal_to_undo_refund,
    undo_decision,
    undo_refund,
)
from payments.manual.placing import keep_part, mark_receipt_reviewed, place_part, refusal_to_place
from payments.manual.proposals import (
    close_pointless,
    confirm_settlement,
    decline_settlement,
    why_pointless,
)
from payments.manual.refunding import (
    record_refund,
    refund_receipt,
    refusal_to_refund,
    refusal_to_refund_receipt,
)
from payments.manual.sending_back import (
    mark_reversal_reviewed,
    refusal_to_say_never_went,
    refusal_to_send_back,
    say_never_went,
    send_back,
)
from payments.manual.settling import (
    Settlement,
    propose_settlement,
    waiting_settlement,
    waiting_settlement_of_line,
)
from payments.manual.voiding import Voided, refusal_to_void, void_line, void_statement

__all__ = (
    "ActionRefused",
    "Asked",
    "Claim",
    "Row",
    "Settlement",
    "Voided",
    "Waits",
    "ask_now",
    "believe",
    "claim_receipt",
    "close_pointless",
    "confirm_settlement",
    "decline_settlement",
    "keep_part",
    "lines_that_wait",
    "mark_delivery_reviewed",
    "mark_receipt_reviewed",
    "mark_reversal_reviewed",
    "mark_reviewed",
    "place_part",
    "propose_settlement",
    "read_delivery_again",
    "record_refund",
    "refund_receipt",
    "refusal_to_ask",
    "refusal_to_believe",
    "refusal_to_claim",
    "refusal_to_mark",
    "refusal_to_mark_delivery",
    "refusal_to_place",
    "refusal_to_read_again",
    "refusal_to_refund",
    "refusal_to_refund_receipt",
    "refusal_to_say_never_went",
    "refusal_to_send_back",
    "refusal_to_settle",
    "refusal_to_undo",
    "refusal_to_undo_refund",
    "refusal_to_void",
    "say_never_went",
    "send_back",
    "undo_decision",
    "undo_refund",
    "void_line",
    "void_statement",
    "waiting_settlement",
    "waiting_settlement_of_line",
    "what_waits",
    "why_pointless",
    "write_note",
)
