"""Receipts that somebody told us of, unsigned: kept, and looked up at Safaricom before a shilling of them is believed.
Asks within the budget of all questions; reads no statement, and decides nothing that a person would."""

from payments.lookups.ask import look_next
from payments.lookups.erasing import erasable_lookups
from payments.lookups.found import apply_result, is_address
from payments.lookups.heard import hear, is_ours, refusal_of
from payments.lookups.named import name_by_person, said_of

__all__ = (
    "apply_result",
    "erasable_lookups",
    "hear",
    "is_address",
    "is_ours",
    "look_next",
    "name_by_person",
    "refusal_of",
    "said_of",
)
