"""A Daraja that answers what the test says, and the people at its phones."""

from collections.abc import Callable
from typing import Any

from payments import daraja
from payments.daraja import PushAccepted, QueryAnswer, Verdict

WANJIRU = "254712345678"  # buys
OTIENO = "254798765432"  # must not see hers


class FakeDaraja:
    """Answers pushes and queries as told; `before_push` runs before a push leaves, `during_push` while it is under
    way."""

    def __init__(self) -> None:
        self.pushes: list[daraja.PushRequest] = []
        self.queries: list[str] = []
        self.push_answer: Exception | None = None
        self.query_answer = QueryAnswer(verdict=Verdict.NO_ANSWER, asked=True, description="no word")
        self.before_push: Callable[[], Any] = lambda: None
        self.during_push: Callable[[], Any] = lambda: None

    def push(
        self, request: daraja.PushRequest, *, may_leave: Callable[[], bool] = lambda: True
    ) -> PushAccepted:
        self.before_push()
        if not may_leave():
            raise daraja.TooLate("held up", code="not_asked")
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


def paid_answer() -> QueryAnswer:
    return QueryAnswer(verdict=Verdict.PAID, asked=True, code="0", description="processed")


def not_paid_answer(code: str = "1032") -> QueryAnswer:
    return QueryAnswer(verdict=Verdict.NOT_PAID, asked=True, code=code, description="not paid")


def processing_answer() -> QueryAnswer:
    return QueryAnswer(verdict=Verdict.PROCESSING, asked=True, code="4999", description="under processing")
