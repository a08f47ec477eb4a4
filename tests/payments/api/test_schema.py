"""schemathesis reads our own OpenAPI page and tries what it says, and what it doesn't say."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
import yaml
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from djkraph.wsgi import application
from tests.support.payments.api import QUICK, Caller
from tests.support.payments.fake_daraja import FakeDaraja

EXPECTED = {
    "POST /stkpush",
    "POST /stkpush/status",
    "POST /api/orders",
    "GET /api/mixes",
    "GET /api/orders/{token}",
    "POST /api/receipts",
}
CASES = int(os.environ.get("SCHEMA_CASES", "40"))  # for each endpoint, in each mode
AS_DOCUMENTED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@contextmanager
def one_connection() -> Iterator[None]:
    """The bare WSGI application would close the connection that holds the test's transaction."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.fixture
def schema(caller: Caller) -> Any:
    text = caller.get("/api/schema").content
    return schemathesis.openapi.from_dict(yaml.safe_load(text))


def operations(schema: Any) -> list[Any]:
    return [found.ok() for found in schema.get_all_operations()]


def test_the_page_names_every_endpoint(schema: Any) -> None:
    named = {operation.label.rstrip("/?") for operation in operations(schema)}
    assert named >= EXPECTED


def test_the_page_names_the_callback_address(schema: Any) -> None:
    named = {operation.label for operation in operations(schema)}
    assert any(name.startswith("POST /api/payments/callback/{token}") for name in named)
    assert any(name.startswith("POST /api/mpesa-callback/{token}") for name in named)


@pytest.mark.usefixtures("safaricom", "mixes")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_generated_request_is_a_server_error(schema: Any, caller: Caller, mode: GenerationMode) -> None:
    tried = 0
    for operation in operations(schema):
        if mode is GenerationMode.NEGATIVE and operation.label.startswith("GET"):
            continue  # nothing about it can be wrong

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(QUICK, max_examples=CASES)
        def attack(case: Any) -> None:
            nonlocal tried
            tried += 1
            response = case.call(base_url="http://testserver", app=application)
            case.validate_response(response, checks=AS_DOCUMENTED)
            assert response.headers["content-type"][0].startswith(("application/json", "application/vnd.oai"))

        with one_connection():
            attack()
    assert tried > 50


@pytest.mark.usefixtures("mixes")
@given(
    amount=st.integers(1, 250_000),
    last=st.integers(0, 99_999_999),
    words=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200),
)
@QUICK
def test_every_documented_push_is_sent_once(
    caller: Caller, safaricom: FakeDaraja, amount: int, last: int, words: str
) -> None:
    before = len(safaricom.pushes)
    answer = caller.send(
        "/stkpush", {"phone": f"2547{last:08d}", "amount": amount, "description": words, "remark": words}
    )
    assert answer.status_code in (200, 409), answer.content
    sent = safaricom.pushes[before:]
    assert len(sent) <= 1
    for asked in sent:
        assert (asked.phone, asked.amount) == (f"2547{last:08d}", amount)
        assert 1 <= len(asked.description) <= 13
