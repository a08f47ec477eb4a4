"""Idempotency-Key: one key is one request, and everybody who sends it gets its one answer."""

import json
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from orders.models import Order
from payments import checkout, daraja
from payments.checkout import idempotency
from payments.models import IdempotencyKey, MpesaTransaction
from tests.support.payments.api import GOOD_PUSH, Caller, refused, said
from tests.support.payments.callback_bodies import failure
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.tampering import tampering

KEY = "click-1"


def pushed(caller: Caller, key: str = KEY, **more: Any) -> Any:
    return caller.send("/stkpush", {**GOOD_PUSH, **more}, HTTP_IDEMPOTENCY_KEY=key)


def told(answer: Any) -> tuple[int, Any]:
    """Status and words. PostgreSQL's jsonb gives a stored answer's keys back in an order of its own."""
    return answer.status_code, json.loads(answer.content)


def test_the_same_request_again_gets_its_answer_word_for_word_and_rings_once(
    caller: Caller, safaricom: FakeDaraja
) -> None:
    first = pushed(caller)
    caller.send(
        f"/api/payments/callback/{safaricom.last_token}", failure(1032)
    )  # without the key he could try again
    again = pushed(caller)
    assert told(again) == told(first)
    assert len(safaricom.pushes) == 1


def test_a_request_repeated_after_the_ledgers_key_was_rotated_gets_its_answer(
    caller: Caller, safaricom: FakeDaraja, settings: Any
) -> None:
    first = pushed(caller)
    settings.LEDGER_KEY = ["newer", "new", *settings.LEDGER_KEY]
    assert told(pushed(caller)) == told(first)
    assert said(pushed(caller, amount=20))["code"] == "key_reused"
    assert len(safaricom.pushes) == 1


def test_without_a_key_the_same_request_after_a_cancel_rings_again(
    caller: Caller, safaricom: FakeDaraja
) -> None:
    caller.send("/stkpush", GOOD_PUSH)
    caller.send(f"/api/payments/callback/{safaricom.last_token}", failure(1032))
    assert said(caller.send("/stkpush", GOOD_PUSH))["checkoutRequestId"] == "ws_CO_2"


@pytest.mark.parametrize(
    ("error", "http"),
    [
        (daraja.Refused("no", code="400.002.02"), 502),
        (daraja.Misconfigured("wrong credentials"), 502),
        (daraja.Busy("quota"), 503),
        (daraja.Unreachable("no line"), 503),
    ],
    ids=["refused", "misconfigured", "busy", "unreachable"],
)
def test_trouble_that_asked_no_phone_is_not_kept_so_that_the_same_key_can_try_again(
    caller: Caller, safaricom: FakeDaraja, error: Exception, http: int
) -> None:
    safaricom.push_answer = error
    assert pushed(caller).status_code == http
    safaricom.push_answer = None
    again = pushed(caller)
    assert said(again)["prompt"] == "sent"
    assert told(pushed(caller)) == told(again)
    assert len(safaricom.pushes) == 2


def test_a_refusal_is_replayed_as_well(caller: Caller, safaricom: FakeDaraja) -> None:
    safaricom.push_answer = daraja.SubscriberLocked("busy")
    first = pushed(caller)
    assert first.status_code == 409
    safaricom.push_answer = None
    again = pushed(caller)
    assert told(again) == told(first)
    assert len(safaricom.pushes) == 1
    assert said(pushed(caller, key="click-2"))["success"] is True  # a new click is a new request


def test_a_refusal_of_ours_is_replayed_as_well(caller: Caller, safaricom: FakeDaraja, settings: Any) -> None:
    settings.REQUIRE_PRICED_ORDERS = True
    first = pushed(caller)
    assert said(first)["code"] == "order_unknown"
    settings.REQUIRE_PRICED_ORDERS = False
    again = pushed(caller)
    assert told(again) == told(first)
    assert safaricom.pushes == []


def test_bad_input_does_not_use_up_a_key(caller: Caller, safaricom: FakeDaraja) -> None:
    refused(pushed(caller, phone="x"), 400)
    assert not IdempotencyKey.objects.exists()
    assert said(pushed(caller))["success"] is True


def test_trouble_of_ours_is_no_answer_and_is_not_replayed(
    caller: Caller, safaricom: FakeDaraja, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(checkout, "request_payment", fails)
        assert pushed(caller).status_code == 500
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    assert said(pushed(caller))["checkoutRequestId"] == "ws_CO_1"
    assert len(safaricom.pushes) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 1501},
        {"phone": "0798765432"},
        {"accountReference": "CART2"},
        {"description": "x"},
        {"remark": "x"},
    ],
    ids=str,
)
def test_the_same_key_for_another_request_is_refused(
    caller: Caller, safaricom: FakeDaraja, other: dict[str, Any]
) -> None:
    first = pushed(caller)
    assert refused(pushed(caller, **other), 409)["code"] == "key_reused"
    assert told(pushed(caller)) == told(first)
    assert len(safaricom.pushes) == 1


@pytest.mark.parametrize(
    "spelt", [{"amount": "1500"}, {"amount": 1500.0}, {"phone": "+254 712 345 678"}], ids=str
)
def test_another_spelling_is_the_same_request(
    caller: Caller, safaricom: FakeDaraja, spelt: dict[str, Any]
) -> None:
    assert told(pushed(caller)) == told(pushed(caller, **spelt))
    assert len(safaricom.pushes) == 1


def test_a_key_holds_no_phone_number_and_no_body(caller: Caller, safaricom: FakeDaraja) -> None:
    pushed(caller)
    row = IdempotencyKey.objects.get()
    assert "712345678" not in f"{row.body_hash} {row.answer} {row.key}"


# --- requests whose process died ------------------------------------------------------------------------


def abandoned(*, seconds: float, attempt: MpesaTransaction | None) -> None:
    """As if the process had died before it could note its answer."""
    IdempotencyKey.objects.update(
        status=None, answer=None, attempt=attempt, created_at=timezone.now() - timedelta(seconds=seconds)
    )


def test_a_dead_request_that_rang_is_answered_with_its_attempts_own_id(
    caller: Caller, safaricom: FakeDaraja
) -> None:
    pushed(caller)
    attempt = MpesaTransaction.objects.get()
    abandoned(seconds=61, attempt=attempt)
    assert said(pushed(caller)) == {
        "success": True,
        "checkoutRequestId": attempt.public_id,
        "prompt": "same",
        "message": "A payment request is under way on your phone already. Enter your M-PESA PIN there.",
    }
    assert len(safaricom.pushes) == 1


def test_the_attempt_is_linked_to_its_key_before_anything_is_sent(
    caller: Caller, safaricom: FakeDaraja
) -> None:
    linked: list[Any] = []
    safaricom.during_push = lambda: linked.extend(IdempotencyKey.objects.values_list("attempt_id", "status"))
    pushed(caller)
    assert linked == [(MpesaTransaction.objects.get().id, None)]


def test_a_dead_request_that_never_rang_is_taken_over(caller: Caller, safaricom: FakeDaraja) -> None:
    pushed(caller)
    with tampering():
        MpesaTransaction.objects.get().events.all().delete()
    IdempotencyKey.objects.update(attempt=None)
    MpesaTransaction.objects.all().delete()
    safaricom.pushes.clear()
    abandoned(seconds=61, attempt=None)
    first = pushed(caller)
    assert said(first)["checkoutRequestId"] == "ws_CO_1"
    assert told(pushed(caller)) == told(first)
    assert len(safaricom.pushes) == 1


def test_a_request_that_may_still_live_is_waited_for(
    caller: Caller, safaricom: FakeDaraja, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key of a second ago is nobody's to take over: whoever asks waits, up to WAIT."""
    monkeypatch.setattr(idempotency, "WAIT", 0.3)
    pushed(caller)
    attempt = MpesaTransaction.objects.get()
    abandoned(seconds=1, attempt=attempt)
    began = time.monotonic()
    assert said(pushed(caller))["checkoutRequestId"] == attempt.public_id
    assert time.monotonic() - began >= 0.3
    assert len(safaricom.pushes) == 1


# --- at the same time -----------------------------------------------------------------------------------


class SlowDaraja(FakeDaraja):
    """Takes its time, as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.during_push = lambda: time.sleep(0.6)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowDaraja:
    fake = SlowDaraja()
    monkeypatch.setattr("payments.gateway.client", lambda: fake)
    return fake


def together(live_server: Any, bodies: list[dict[str, Any]], keys: list[str]) -> list[requests.Response]:
    """All at once, each over a connection of its own."""
    start = threading.Barrier(len(bodies))
    answers: list[requests.Response] = []

    def click(body: dict[str, Any], key: str) -> None:
        start.wait(timeout=10)
        answers.append(
            requests.post(
                f"{live_server.url}/stkpush", json=body, headers={"Idempotency-Key": key}, timeout=60
            )
        )

    threads = [threading.Thread(target=click, args=pair) for pair in zip(bodies, keys, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(answers) == len(bodies)
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("clicks", [2, 6])
def test_two_at_the_same_time_get_the_one_answer(live_server: Any, slow: SlowDaraja, clicks: int) -> None:
    answers = together(live_server, [GOOD_PUSH] * clicks, [KEY] * clicks)
    assert all(told(answer) == (200, answers[0].json()) for answer in answers)
    assert answers[0].json()["checkoutRequestId"] == "ws_CO_1"
    assert (len(slow.pushes), MpesaTransaction.objects.count(), Order.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_different_requests_under_one_key_at_the_same_time_ring_once(
    live_server: Any, slow: SlowDaraja
) -> None:
    answers = together(live_server, [GOOD_PUSH, {**GOOD_PUSH, "amount": 20}], [KEY, KEY])
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(slow.pushes) == 1


@pytest.mark.django_db(transaction=True)
def test_a_request_that_never_rang_is_taken_over_by_exactly_one(live_server: Any, slow: SlowDaraja) -> None:
    asked = {"phone": "254712345678", "amount": 1500, "accountReference": "CART1"}
    IdempotencyKey.objects.create(
        key=KEY,
        body_hash=idempotency.body_hashes(asked)[0],
        created_at=timezone.now() - timedelta(seconds=61),
    )
    answers = together(live_server, [GOOD_PUSH] * 4, [KEY] * 4)
    assert (len(slow.pushes), MpesaTransaction.objects.count()) == (1, 1)
    said_yes = [answer for answer in answers if answer.status_code == 200]
    assert said_yes
    assert all(answer.json() == said_yes[0].json() for answer in said_yes)
    assert {answer.status_code for answer in answers} <= {200, 503}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reference", ["CART1", ""])
def test_even_without_keys_clicks_at_the_same_time_ring_once(
    live_server: Any, slow: SlowDaraja, reference: str
) -> None:
    bodies = [{**GOOD_PUSH, "accountReference": reference and f"CART{n}"} for n in range(4)]
    answers = together(live_server, bodies, [""] * 4)
    assert {answer.status_code for answer in answers} == {200}
    assert (len(slow.pushes), MpesaTransaction.objects.count()) == (1, 1)
