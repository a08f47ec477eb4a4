"""So many pushes at once and no more: the next is refused in words, and takes the place that comes free."""

from typing import Any

import pytest
from django.test import Client

from payments.checkout import PushProblem
from payments.checkout.bulkhead import Bulkhead
from payments.models import MpesaTransaction
from tests.support.payments.fake_daraja import FakeDaraja


def test_nobody_waits_at_the_door_and_a_place_that_comes_free_is_taken() -> None:
    pushes = Bulkhead()
    with pushes.place(of=2), pushes.place(of=2):
        with pytest.raises(PushProblem, match="nothing was charged") as refused, pushes.place(of=2):
            pass
        assert (refused.value.code, refused.value.retry_after) == ("too_many_at_once", 5)
    with pytest.raises(RuntimeError), pushes.place(of=1):
        raise RuntimeError
    with pushes.place(of=1):
        pass


def test_a_push_that_is_refused_leaves_nothing_behind(
    client: Client, db: None, safaricom: FakeDaraja, settings: Any
) -> None:
    settings.PUSHES_IN_FLIGHT = 0
    body = {"phone": "0712345678", "amount": 1500, "accountReference": "CART1"}
    headers = {"HTTP_IDEMPOTENCY_KEY": "click-1"}
    answer = client.post("/stkpush", body, content_type="application/json", **headers)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert (safaricom.pushes, MpesaTransaction.objects.count()) == ([], 0)
    settings.PUSHES_IN_FLIGHT = 1
    assert client.post("/stkpush", body, content_type="application/json", **headers).status_code == 200
