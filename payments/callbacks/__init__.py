"""Safaricom's word at our address: kept first, then read, believed or doubted, and read again where that failed. Sends
no push, and asks no question itself (enquiries/)."""

from payments.callbacks.apply import apply_delivery
from payments.callbacks.erasing import erasable_deliveries
from payments.callbacks.receive import NotFromSafaricom, note_timeout, receive_callback, validate
from payments.callbacks.replay import apply_left_behind, replay_spool, stored_deliveries
from payments.callbacks.spool import count_set_aside, count_spooled, spooled_since
from payments.callbacks.strangers import forget as forget_strangers

__all__ = (
    "NotFromSafaricom",
    "apply_delivery",
    "apply_left_behind",
    "count_set_aside",
    "count_spooled",
    "erasable_deliveries",
    "forget_strangers",
    "note_timeout",
    "receive_callback",
    "replay_spool",
    "spooled_since",
    "stored_deliveries",
    "validate",
)
