"""Our questions to Daraja: which attempts, when, within one budget, and what the answers mean. Sends no push, and reads
no callback or statement."""

from payments.enquiries.ask import (
    Due,
    Outcome,
    ask_about,
    count_open,
    due,
    expire,
    open_since,
    read_due,
    request_check,
    request_check_of_earlier,
    resolve_by_clock,
)
from payments.enquiries.budget import next_turn_at
from payments.enquiries.heartbeat import WORKER, beat

__all__ = (
    "WORKER",
    "Due",
    "Outcome",
    "ask_about",
    "beat",
    "count_open",
    "due",
    "expire",
    "next_turn_at",
    "open_since",
    "read_due",
    "request_check",
    "request_check_of_earlier",
    "resolve_by_clock",
)
