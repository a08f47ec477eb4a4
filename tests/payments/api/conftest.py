"""For attacks on the endpoints: a caller nobody throttles, and a Daraja that nobody may reach."""

from collections.abc import Iterator
from typing import Any

import pytest

from payments import gateway
from payments.models import IdempotencyKey, MpesaTransaction
from tests.support.payments.api import Caller, Unreached


@pytest.fixture
def caller(db: None, settings: Any) -> Caller:
    """Sees the shop as any browser does, from one address that is never throttled."""
    settings.PUSH_RATE_PER_ADDRESS = settings.ORDER_RATE_PER_ADDRESS = settings.STATUS_RATE_PER_ADDRESS = (
        10**9
    )
    settings.PUSH_LIMIT_PER_PHONE = settings.UNPAID_PROMPTS_PER_PHONE_A_DAY = 10**9
    return Caller()


@pytest.fixture
def unreached(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unreached]:
    """Fails the test in which a request got as far as Daraja, or as far as a row."""
    fake = Unreached()
    monkeypatch.setattr(gateway, "client", lambda: fake)
    yield fake
    assert fake.pushes == []
    assert not MpesaTransaction.objects.exists()
    assert not IdempotencyKey.objects.exists()
