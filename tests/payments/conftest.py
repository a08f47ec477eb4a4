"""For the rooms' tests: Wanjiru presses Pay, a fake Daraja answers what the test says, a callback comes."""

import json
from typing import Any

import pytest

from payments import callbacks, gateway
from payments.checkout import push, wanted
from payments.models import CallbackDelivery, MpesaTransaction
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import WANJIRU, FakeDaraja
from tests.support.payments.paying import SAFARICOM, Click, Deliver


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def safaricom(monkeypatch: pytest.MonkeyPatch) -> FakeDaraja:
    fake = FakeDaraja()
    monkeypatch.setattr(gateway, "client", lambda: fake)
    return fake


@pytest.fixture
def click(safaricom: FakeDaraja, clock: Clock, db: None) -> Click:
    """Wanjiru presses Pay; the attempt that her page then polls."""

    def press(msisdn: str = WANJIRU, amount: int = 1500, reference: str = "CART1") -> MpesaTransaction:
        ask = wanted.Ask(msisdn=msisdn, amount_kes=amount, reference=reference)
        poll_id = push.request_payment(ask, clock=clock).poll_id
        field = "public_id" if poll_id.startswith("pay_") else "checkout_request_id"
        return MpesaTransaction.objects.get(**{field: poll_id})

    return press


@pytest.fixture
def deliver(safaricom: FakeDaraja, clock: Clock) -> Deliver:
    """Safaricom's callback for the last push, or with another token."""

    def post(body: Any, token: str | None = None) -> CallbackDelivery.Verdict:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return callbacks.receive_callback(
            token=safaricom.last_token if token is None else token,
            body=raw,
            source_address=SAFARICOM,
            now=clock(),
        )

    return post
