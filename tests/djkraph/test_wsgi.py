"""The WSGI door: a body that came in chunks is a body."""

import io
from typing import Any

import pytest

from djkraph.wsgi import application
from payments.models import CallbackDelivery


def post(body: bytes, **environ: Any) -> str:
    told: list[str] = []
    request = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/api/payments/callback/" + "a" * 48, "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1", "CONTENT_TYPE": "application/json", "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), **environ,
    }  # fmt: skip
    answer = application(request, lambda status, *_: told.append(status))
    list(answer)
    return told[0]


@pytest.mark.django_db(transaction=True)
def test_a_callback_in_chunks_is_kept_whole() -> None:
    assert post(b'{"Body": 1}', HTTP_TRANSFER_ENCODING="chunked") == "200 OK"
    assert CallbackDelivery.objects.get().body == '{"Body": 1}'


@pytest.mark.django_db(transaction=True)
def test_too_many_chunks_are_refused() -> None:
    assert post(b"x" * 70_000, HTTP_TRANSFER_ENCODING="chunked").startswith("413")
    assert not CallbackDelivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_body_with_a_length_is_left_as_it_is() -> None:
    assert post(b'{"Body": 1} and more', CONTENT_LENGTH="11") == "200 OK"
    assert CallbackDelivery.objects.get().body == '{"Body": 1}'
