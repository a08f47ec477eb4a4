"""The only writer of attempts, events, receipts and postings: what was reported becomes a state, an event, a posting
and a paid order, in one transaction. Calls nobody outside, and knows neither Daraja's wire nor a person's rights."""

from payments.ledger.beside import (
    NotThere,
    Told,
    book_elsewhere,
    book_nobodys,
    book_payment,
    book_reversal,
    claim,
    keep,
    said,
    see_refund,
    unsee_refund,
    void_receipt,
)
from payments.ledger.book import CENTS, KEPT, ORDER, REFUNDS_DUE, UNCLAIMED
from payments.ledger.checks import (
    bring_check_forward,
    claim_check,
    join_phone,
    note_answer,
    set_checks_back,
    stop_checks,
    stop_checks_of_ended,
    stop_checks_without_id,
)
from payments.ledger.doors import apply_change, insert_paid, note, open_attempt, record
from payments.ledger.endings import ended_orders, has_ended, is_kept_open
from payments.ledger.faults import Fault
from payments.ledger.kinds import FACTS, KINDS, EventKind
from payments.ledger.moves import valid_receipt
from payments.ledger.seals import SealMade, newest_seal, seal_all, seal_next, unsealed_since
from payments.ledger.taking_back import NothingToTakeBack, give_up_receipt, kind_that_takes_back, taking_back
from payments.ledger.updates import (
    AnotherReceipt,
    Change,
    ReceiptTaken,
    ReceiptWithoutPrompt,
    Recorded,
    Snapshot,
    Source,
    Update,
    snapshot,
)
from payments.ledger.verify import Checked, Part, Place, check, check_after, faults
from payments.ledger.verify_seals import fault_of_printed

__all__ = (
    "CENTS",
    "FACTS",
    "KEPT",
    "KINDS",
    "ORDER",
    "REFUNDS_DUE",
    "UNCLAIMED",
    "AnotherReceipt",
    "Change",
    "Checked",
    "EventKind",
    "Fault",
    "NotThere",
    "NothingToTakeBack",
    "Part",
    "Place",
    "ReceiptTaken",
    "ReceiptWithoutPrompt",
    "Recorded",
    "SealMade",
    "Snapshot",
    "Source",
    "Told",
    "Update",
    "apply_change",
    "book_elsewhere",
    "book_nobodys",
    "book_payment",
    "book_reversal",
    "bring_check_forward",
    "check",
    "check_after",
    "claim",
    "claim_check",
    "ended_orders",
    "fault_of_printed",
    "faults",
    "give_up_receipt",
    "has_ended",
    "insert_paid",
    "is_kept_open",
    "join_phone",
    "keep",
    "kind_that_takes_back",
    "newest_seal",
    "note",
    "note_answer",
    "open_attempt",
    "record",
    "said",
    "seal_all",
    "seal_next",
    "see_refund",
    "set_checks_back",
    "snapshot",
    "stop_checks",
    "stop_checks_of_ended",
    "stop_checks_without_id",
    "taking_back",
    "unsealed_since",
    "unsee_refund",
    "valid_receipt",
    "void_receipt",
)
