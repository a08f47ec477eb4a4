"""The phone number, the keys and the tokens: in no log line, no answer, no row, whatever goes well or wrong."""

import base64
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.apps import apps
from django.db import DatabaseError
from django.utils import timezone

from djkraph.logs import ScrubbingFormatter
from payments import checkout, gateway, ledger
from payments.models import DarajaToken, MpesaTransaction
from tests.support.payments.api import Caller, said
from tests.support.payments.callback_bodies import failure, success

BASE = "https://daraja.example"
PHONE = "254798123457"
SPELLINGS = (
    "0798 123 457",
    "+254798123457",
    "254798123457",
    "0798123457",
    "798123457",
    "0798-123-457",
    "(0798) 123.457",
)
OAUTH_TOKEN = "c9SQxWWhmdVRlyh0zh8gZDTkubVF"
KEY, SECRET, PASSKEY = "consumer-key-4711", "consumer-secret-0815", "passkey-bfb279f9aa9bdbcf158e97dd71a467cd"
NUMBER_COLUMNS = {"checkout_request_id"}  # Daraja's own id


class Daraja:
    """Daraja over (mocked) HTTP, so that our real client does the talking. It remembers what it was told."""

    def __init__(self, wire: responses.RequestsMock) -> None:
        self.callback_tokens: list[str] = []
        self.passwords: list[str] = []
        self.status, self.error = 200, {}  # type: tuple[int, dict[str, str]]
        wire.get(f"{BASE}/oauth/v1/generate", json={"access_token": OAUTH_TOKEN, "expires_in": "3599"})
        wire.add_callback(responses.POST, f"{BASE}/mpesa/stkpush/v1/processrequest", self.push)
        wire.add_callback(responses.POST, f"{BASE}/mpesa/stkpushquery/v1/query", self.query)

    def push(self, request: Any) -> tuple[int, dict[str, str], str]:
        asked = json.loads(request.body)
        assert (asked["PartyA"], request.headers["Authorization"]) == (PHONE, f"Bearer {OAUTH_TOKEN}")
        self.callback_tokens.append(asked["CallBackURL"].rsplit("/", 1)[1])
        self.passwords.append(asked["Password"])
        if self.error:
            return self.status, {}, json.dumps(self.error)
        number = len(self.callback_tokens)
        told = {
            "ResponseCode": "0",
            "MerchantRequestID": f"m-{number}",
            "CheckoutRequestID": f"ws_CO_{number}",
        }
        return 200, {}, json.dumps({**told, "ResponseDescription": "ok", "CustomerMessage": "ok"})

    def query(self, request: Any) -> tuple[int, dict[str, str], str]:
        self.passwords.append(json.loads(request.body)["Password"])
        return (
            500,
            {},
            json.dumps({"errorCode": "500.001.1001", "errorMessage": f"{PHONE} {OAUTH_TOKEN} is processing"}),
        )


@pytest.fixture
def talking(settings: Any) -> Iterator[Daraja]:
    settings.MPESA_BASE_URL = BASE
    settings.MPESA_CONSUMER_KEY, settings.MPESA_CONSUMER_SECRET, settings.MPESA_PASSKEY = KEY, SECRET, PASSKEY
    settings.MPESA_QUERY_BUDGET_PER_MINUTE = 60_000
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        yield Daraja(wire)


@pytest.fixture
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ("django.request", "django.server", "urllib3", "payments", "orders", "djkraph"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def secrets_of(talking: Daraja) -> list[str]:
    basic = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
    phones = [PHONE, PHONE[3:], "0" + PHONE[3:], "0798 123 457", "0798-123-457", "798 123 457"]
    return [*phones, KEY, SECRET, PASSKEY, OAUTH_TOKEN, basic, *talking.callback_tokens, *talking.passwords]


def assert_holds_none(text: str, secrets: list[str], where: str) -> None:
    found = [secret for secret in secrets if secret in text]
    assert not found, f"{where} holds {found}: {text[:400]}"


def round_of_everything(caller: Caller, talking: Daraja, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A good payment in each spelling, and everything that goes wrong with it. The answers."""
    answers = []

    def ask(phone: Any = PHONE, reference: str = "CART1", **more: Any) -> None:
        body = {
            "phone": phone,
            "amount": 1500,
            "accountReference": reference,
            "description": "Mix",
            "remark": "x",
        }
        key = f"click-{len(answers)}"
        answers.append(caller.send("/stkpush", {**body, **more}, HTTP_IDEMPOTENCY_KEY=key))

    def call_back(body: Any, token: str | None = None) -> None:
        token = talking.callback_tokens[-1] if token is None else token
        answers.append(caller.send(f"/api/payments/callback/{token}", body))

    def told(checkout_id: str, **more: Any) -> bytes:
        raw = json.dumps(success(checkout_id, **more))
        return raw.replace("254712345678", PHONE).encode()

    for number, spelling in enumerate(SPELLINGS, 1):
        ask(spelling, f"CART{number}")
        talked = f"ws_CO_{len(talking.callback_tokens)}"
        answers.append(caller.send("/stkpush/status", {"checkoutRequestId": talked}))
        MpesaTransaction.objects.update(next_check_at=timezone.now() - timedelta(seconds=1))
        answers.append(caller.send("/stkpush/status", {"checkoutRequestId": talked}))  # asks Daraja
        call_back(told(talked, receipt=f"UKN4AB12C{number}"))
        call_back(told(talked, receipt=f"UKN4AB12C{number}"))  # twice
        call_back(json.dumps({"phone": PHONE, "spaced": "0798123457"}).encode())  # junk
        call_back(told(talked), token="")
        MpesaTransaction.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    ask(reference="CANCEL")
    call_back(
        json.dumps(failure(1032, f"ws_CO_{len(talking.callback_tokens)}"))
        .replace('"no"', f'"{PHONE} cancelled"')
        .encode()
    )
    ask(reference="WRONG")
    call_back(told(f"ws_CO_{len(talking.callback_tokens)}", amount=1))
    MpesaTransaction.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    for number, (http, code) in enumerate(
        ((400, "400.002.02"), (500, "500.001.1001"), (503, "500.003.03"), (404, "404.001.03"))
    ):
        words = f"Bad request for {PHONE} with Bearer {OAUTH_TOKEN} and {PASSKEY}"
        talking.status, talking.error = http, {"requestId": "r", "errorCode": code, "errorMessage": words}
        ask(reference=f"WORDS{number}", amount=20 + number)
        MpesaTransaction.objects.update(created_at=timezone.now() - timedelta(minutes=11 + number))
    talking.error = {}
    ask(phone=PHONE + "9")
    ask(phone=[PHONE])
    ask(phone=float(PHONE))
    ask(amount=PHONE)
    ask(transactionType=PHONE)
    for path in ("/stkpush", "/stkpush/status", "/api/orders"):
        answers.append(caller.send(path, {"phone": PHONE, "checkoutRequestId": {"x": PHONE}, "items": PHONE}))
        answers.append(caller.send(path, f'{{"phone":"{PHONE}"'.encode()))
    for more in ("", "/", "/nothing"):
        answers.append(caller.get(f"/api/mpesa-callback/{talking.callback_tokens[0]}{more}"))
    answers.append(caller.send(f"/api/payments/callback/{talking.callback_tokens[0]}", b"x" * 70_000))

    def away(*_: Any, **__: Any) -> Any:
        raise DatabaseError(f"DETAIL: Failing row contains ({PHONE}, 1500)")

    with monkeypatch.context() as broken:
        broken.setattr(ledger, "record", away)
        ask(reference="LOST", amount=77)
        call_back(told(f"ws_CO_{len(talking.callback_tokens)}", amount=77))
    with monkeypatch.context() as broken:
        broken.setattr(checkout, "request_payment", away)
        ask(reference="AWAY", amount=78)
    with monkeypatch.context() as broken:

        def bug(*_: Any, **__: Any) -> Any:
            raise ValueError(f"bad header: Bearer {OAUTH_TOKEN} {PHONE}")

        broken.setattr(gateway, "client", bug)
        MpesaTransaction.objects.update(created_at=timezone.now() - timedelta(minutes=30))
        ask(reference="BUG", amount=79)
    return answers


@pytest.fixture
def after_everything(
    caller: Caller,
    talking: Daraja,
    everything_is_logged: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> list[Any]:
    answers = round_of_everything(caller, talking, monkeypatch)
    statuses = {answer.status_code for answer in answers}
    assert {200, 400, 405, 413, 500, 502} <= statuses  # the round went everywhere
    assert "completed" in {said(answer).get("status") for answer in answers} | set(
        MpesaTransaction.objects.values_list("state", flat=True)
    )
    assert len(talking.callback_tokens) >= 10
    return answers


def test_no_line_of_the_log_holds_a_secret(
    after_everything: list[Any], talking: Daraja, everything_is_logged: pytest.LogCaptureFixture
) -> None:
    written = ScrubbingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    secrets = secrets_of(talking)
    assert len(everything_is_logged.get_records("setup")) > 20
    for record in everything_is_logged.get_records("setup"):
        assert_holds_none(written.format(record), secrets, f"a line of {record.name}")


def test_our_own_log_messages_hold_no_secret_even_before_they_are_scrubbed(
    after_everything: list[Any], talking: Daraja, everything_is_logged: pytest.LogCaptureFixture
) -> None:
    secrets = secrets_of(talking)
    ours = [
        r
        for r in everything_is_logged.get_records("setup")
        if r.name.startswith(("payments", "orders", "djkraph"))
    ]
    assert ours
    for record in ours:
        fields = {name: value for name, value in vars(record).items() if name not in ("exc_info", "exc_text")}
        assert_holds_none(repr(fields) + record.getMessage(), secrets, f"a record of {record.name}")


def test_no_answer_holds_a_secret(after_everything: list[Any], talking: Daraja) -> None:
    secrets = secrets_of(talking)
    for answer in after_everything:
        assert_holds_none(answer.content.decode() + repr(dict(answer.headers)), secrets, "an answer")


def test_no_row_of_any_table_holds_a_secret(after_everything: list[Any], talking: Daraja) -> None:
    secrets = secrets_of(talking)
    rows = 0
    for model in apps.get_models():
        for row in model._default_manager.values():
            rows += 1
            kept = {name: value for name, value in row.items() if name not in NUMBER_COLUMNS}
            assert_holds_none(json.dumps(kept, default=str, ensure_ascii=False), secrets, model.__name__)
    assert rows > 60


def test_the_oauth_token_is_kept_sealed(after_everything: list[Any]) -> None:
    sealed = DarajaToken.objects.get().sealed
    assert len(sealed) > 100
    assert OAUTH_TOKEN not in sealed


def test_objects_that_hold_the_phone_do_not_show_it() -> None:
    from payments.daraja import Merchant, PushRequest

    ask = checkout.Ask(msisdn=PHONE, amount_kes=1, reference="R")
    request = PushRequest(
        phone=PHONE, amount=1, account_reference="R", description="D", callback_url=f"https://x/{SECRET}"
    )
    shown = repr((ask, request, Merchant(short_code="174379", passkey=PASSKEY))) + str(ask)
    assert_holds_none(shown, [PHONE, SECRET, PASSKEY], "a repr")
