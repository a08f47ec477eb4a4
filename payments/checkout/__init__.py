"""Asking a phone to pay, once, and telling the buyer how it stands. Nothing of HTTP (api/), and nothing for staff
(desk/)."""

from payments.checkout.bulkhead import place_for_push
from payments.checkout.idempotency import (
    KeyReused,
    StoredAnswer,
    answer_once,
    body_hashes,
    erasable_answers,
)
from payments.checkout.noting import note_kept_answers
from payments.checkout.problems import PushProblem, Why
from payments.checkout.prompts import Answer, Prompt, poll_id_of
from payments.checkout.push import SET_UP_REFUSED, request_payment
from payments.checkout.status import (
    PaymentStatus,
    live_attempt,
    order_that_got,
    paying_attempt,
    payment_status,
    payment_status_now,
    receipts_of,
    watched_attempt,
)
from payments.checkout.wanted import Ask, out_of_date
from payments.checkout.whereabouts import Next, Story, where_is

__all__ = (
    "SET_UP_REFUSED",
    "Answer",
    "Ask",
    "KeyReused",
    "Next",
    "PaymentStatus",
    "Prompt",
    "PushProblem",
    "StoredAnswer",
    "Story",
    "Why",
    "answer_once",
    "body_hashes",
    "erasable_answers",
    "live_attempt",
    "note_kept_answers",
    "order_that_got",
    "out_of_date",
    "paying_attempt",
    "payment_status",
    "payment_status_now",
    "place_for_push",
    "poll_id_of",
    "receipts_of",
    "request_payment",
    "watched_attempt",
    "where_is",
)
