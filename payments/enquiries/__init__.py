"""Our questions to Daraja: which attempts, when, within one budget, and what the answers mean. Sends no push, and reads
no callback or statement."""

from payments.enquiries.ask import (
    Due,
    Outcome,
    ask_about,
    ask_about_open,
    ask_next,
    count_open,
    due,
    due_without_id,
    expire,
    heard_since,
    open_since,
    read_due,
    request_check,
    request_check_by_stranger,
    request_check_of_earlier,
    resolve_by_clock,
    take_spare_turn,
)
from payments.enquiries.budget import next_turn_at, pause, take_turn
from payments.enquiries.heartbeat import WORKER, WORKER_WITHIN, beat, worker_silent_since
from payments.enquiries.lanes import Lane

__all__ = (
    "WORKER",
    "WORKER_WITHIN",
    "Due",
    "Lane",
    "Outcome",
    "ask_about",
    "ask_about_open",
    "ask_next",
    "beat",
    "count_open",
    "due",
    "due_without_id",
    "expire",
    "heard_since",
    "next_turn_at",
    "open_since",
    "pause",
    "read_due",
    "request_check",
    "request_check_by_stranger",
    "request_check_of_earlier",
    "resolve_by_clock",
    "take_spare_turn",
    "take_turn",
    "worker_silent_since",
)
