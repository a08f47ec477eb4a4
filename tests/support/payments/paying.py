"""Payments that come to an end, for tests that begin there."""

import json
from collections.abc import Callable
from typing import Any

from payments import callbacks, enquiries
from payments.models import CallbackDelivery, MpesaTransaction
from tests.support.payments.callback_bodies import failure, success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja, paid_answer

SAFARICOM = "196.201.212.69"

# what the fixtures give that press Pay, deliver a callback, and do both
Click = Callable[..., MpesaTransaction]
Deliver = Callable[..., CallbackDelivery.Verdict]
Shopper = Callable[..., MpesaTransaction]


def called_back(
    safaricom: FakeDaraja, clock: Clock, *, code: int = 0, receipt: str = "UKN4AB12CD", amount: Any = 1500
) -> CallbackDelivery.Verdict:
    """Safaricom's callback for the last push: paid with this receipt and amount, or another code."""
    checkout_id = f"ws_CO_{len(safaricom.pushes)}"
    body = failure(code, checkout_id) if code else success(checkout_id, amount, receipt)
    return callbacks.receive_callback(
        token=safaricom.last_token, body=json.dumps(body).encode(), source_address=SAFARICOM, now=clock()
    )


def pay(
    click: Click,
    safaricom: FakeDaraja,
    clock: Clock,
    *,
    receipt: str = "UKN4AB12CD",
    **ask: Any,
) -> MpesaTransaction:
    """One click, and the callback that pays it."""
    attempt = click(**ask)
    called_back(safaricom, clock, receipt=receipt, amount=attempt.amount_kes)
    attempt.refresh_from_db()
    return attempt


def asked_and_paid(attempt: MpesaTransaction, safaricom: FakeDaraja, clock: Clock) -> None:
    """No callback came; Safaricom, asked, says paid, and names no receipt."""
    clock.advance(minutes=2)
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.pk), clock=clock)


def doubted(
    click: Click, safaricom: FakeDaraja, clock: Clock, *, asked: int = 1500, named: int = 900
) -> MpesaTransaction:
    """A callback named another amount than was asked for, and Safaricom says paid."""
    attempt = click(amount=asked)
    called_back(safaricom, clock, amount=named)
    safaricom.query_answer = paid_answer()
    enquiries.ask_about(enquiries.read_due(attempt.pk), clock=clock)
    attempt.refresh_from_db()
    return attempt


def paid_twice(click: Click, safaricom: FakeDaraja, clock: Clock, *, amount: int = 1500) -> MpesaTransaction:
    """An idle prompt and the one that replaced it are both paid: the money that came second."""
    first = click(amount=amount)
    token, checkout_id = safaricom.last_token, f"ws_CO_{len(safaricom.pushes)}"
    clock.advance(minutes=4)
    pay(click, safaricom, clock, receipt="UKN4AB12ZZ", amount=amount)
    body = json.dumps(success(checkout_id, amount, "UKN4AB12CD")).encode()
    callbacks.receive_callback(token=token, body=body, source_address=SAFARICOM, now=clock.advance(seconds=9))
    first.refresh_from_db()
    return first
