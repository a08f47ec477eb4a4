"""For the desk's figures: buyers of their own, one after the other."""

import pytest

from payments.models import MpesaTransaction
from tests.support.payments.callback_bodies import failure, success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click, Deliver, Shopper


@pytest.fixture
def buys(click: Click, safaricom: FakeDaraja, deliver: Deliver, clock: Clock) -> Shopper:
    """A buyer of one's own pays (or, with a code, doesn't) so many seconds after the request."""
    count = 0

    def buy(amount: int = 1500, *, code: int | str = 0, after: float = 9) -> MpesaTransaction:
        nonlocal count
        count += 1
        attempt = click(f"2547110{count:05}", amount, f"HOME{count}")
        clock.advance(seconds=after)
        checkout_id = attempt.checkout_request_id or ""
        deliver(success(checkout_id, amount, f"UKN{count:07}") if code == 0 else failure(code, checkout_id))
        attempt.refresh_from_db()
        return attempt

    return buy
