"""For the services' tests: a Daraja that answers what the test says, and remembers what it was asked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from payments import daraja, gateway
from payments.checkout import prompts, push
from payments.daraja import PushAccepted, QueryAnswer, Verdict
from payments.models import MpesaTransaction

WANJIRU = "254712345678"  # buys
OTIENO = "254798765432"  # must not see hers


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


class FakeDaraja:
    """Answers pushes and queries as told; `during_push` runs while the push is under way."""

    def __init__(self) -> None:
        self.pushes: list[daraja.PushRequest] = []
        self.queries: list[str] = []
        self.push_answer: Exception | None = None
        self.query_answer = QueryAnswer(verdict=Verdict.NO_ANSWER, asked=True, description="no word")
        self.during_push: Callable[[], Any] = lambda: None

    def push(self, request: daraja.PushRequest) -> PushAccepted:
        self.pushes.append(request)
        self.during_push()
        if self.push_answer is not None:
            raise self.push_answer
        number = len(self.pushes)
        return PushAccepted(
            merchant_request_id=f"m-{number}", checkout_request_id=f"ws_CO_{number}", message="Success."
        )

    def query(self, checkout_request_id: str) -> QueryAnswer:
        self.queries.append(checkout_request_id)
        return self.query_answer

    @property
    def last_token(self) -> str:
        """The token in the callback address that the last push named."""
        return self.pushes[-1].callback_url.rsplit("/", 1)[1]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def safaricom(monkeypatch: pytest.MonkeyPatch) -> FakeDaraja:
    fake = FakeDaraja()
    monkeypatch.setattr(gateway, "client", lambda: fake)
    return fake


@pytest.fixture
def click(safaricom: FakeDaraja, clock: Clock, db: None) -> Callable[..., MpesaTransaction]:
    """Wanjiru presses Pay; the attempt that her page then polls."""

    def press(msisdn: str = WANJIRU, amount: int = 1500, reference: str = "CART1") -> MpesaTransaction:
        ask = prompts.Ask(msisdn=msisdn, amount_kes=amount, reference=reference)
        poll_id = push.request_payment(ask, clock=clock).poll_id
        field = "public_id" if poll_id.startswith("pay_") else "checkout_request_id"
        return MpesaTransaction.objects.get(**{field: poll_id})

    return press


def paid_answer() -> QueryAnswer:
    return QueryAnswer(verdict=Verdict.PAID, asked=True, code="0", description="processed")


def not_paid_answer(code: str = "1032") -> QueryAnswer:
    return QueryAnswer(verdict=Verdict.NOT_PAID, asked=True, code=code, description="not paid")


def processing_answer() -> QueryAnswer:
    return QueryAnswer(verdict=Verdict.PROCESSING, asked=True, code="4999", description="under processing")
