"""For attacks on the endpoints: a caller that sees what a browser sees, and a Daraja that counts its calls."""

import json
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, settings

from payments import daraja
from tests.support.payments.fake_daraja import FakeDaraja

THOROUGH = settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # one database transaction and one fake for all examples: meant so
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
        HealthCheck.filter_too_much,
    ],
)

QUICK = settings(THOROUGH, max_examples=40)
JSON = "application/json"
GOOD_PUSH = {"phone": "0712345678", "amount": 1500, "accountReference": "CART1"}
GOOD_STATUS = {"checkoutRequestId": "ws_CO_unknown"}
GOOD_ORDER = {"items": [{"mix": "nairobi-after-dark"}]}
ACCEPTED = {"ResultCode": 0, "ResultDesc": "Accepted"}
ENDPOINTS = {"/stkpush": GOOD_PUSH, "/stkpush/status": GOOD_STATUS, "/api/orders": GOOD_ORDER}
OURS_ALONE = re.compile(
    r"traceback|<!doctype|<html|<class|file \"|\b(NoneType|dict|str|int|bool|bytes|float|tuple|QueryDict)\b"
    r"|\b\w+(Error|Exception)\b|django|psycopg|sqlite",
    re.IGNORECASE,
)


class Caller(Client):
    """A browser's view of the shop: a crash of ours is a 500, not a Python exception."""

    def __init__(self) -> None:
        super().__init__(raise_request_exception=False)

    def send(
        self, path: str, body: Any = b"", *, method: str = "POST", content_type: str = JSON, **extra: Any
    ) -> HttpResponse:
        """Bytes as they are, anything else as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.generic(method, path, raw, content_type, **extra)


class Unreached(FakeDaraja):
    """A Daraja that nobody may call."""

    def push(
        self, request: daraja.PushRequest, *, may_leave: Callable[[], bool] = lambda: True
    ) -> daraja.PushAccepted:
        self.pushes.append(request)
        raise AssertionError("Daraja was reached")

    query = push  # type: ignore[assignment]


def said(response: Any) -> dict[str, Any]:
    """The JSON of an answer, whatever it says."""
    assert response.headers["Content-Type"].startswith(JSON), response.content[:300]
    body: dict[str, Any] = json.loads(response.content)
    return body


def refused(response: Any, *statuses: int) -> dict[str, Any]:
    """The answer is a refusal in the documented shape, in words a buyer can read. Its JSON."""
    assert 400 <= response.status_code < 500, (response.status_code, response.content[:300])
    assert not statuses or response.status_code in statuses, (response.status_code, response.content[:300])
    body = said(response)
    assert set(body) <= {"success", "message", "code", "errors"}, body
    assert body["success"] is False
    assert re.fullmatch(r"[a-z_]+", body["code"]), body
    sentences = [body["message"], *(s for told in body.get("errors", {}).values() for s in told)]
    for sentence in sentences:
        assert isinstance(sentence, str)
        assert sentence.rstrip("\"'”").endswith((".", "!", "?")), sentence
        assert len(sentence) < 300, sentence
        assert not OURS_ALONE.search(sentence), sentence
    return body
