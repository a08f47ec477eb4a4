"""Money that Safaricom sends back by our order: noted when it is decided, sent once by the worker, and followed until
it is seen gone or seen here. Decides nothing (manual/), reads no statement, and posts nothing itself (ledger/)."""

from payments.reversals.ending import never_went
from payments.reversals.follow import apply_result, is_address, look_next, look_soon
from payments.reversals.noting import (
    UNDER_WAY,
    Refusal,
    hold,
    note_decided,
    refuse_beside_one,
    the_one_under_way,
)
from payments.reversals.send import send_next

__all__ = (
    "UNDER_WAY",
    "Refusal",
    "apply_result",
    "hold",
    "is_address",
    "look_next",
    "look_soon",
    "never_went",
    "note_decided",
    "refuse_beside_one",
    "send_next",
    "the_one_under_way",
)
