"""A large body is turned away before it is read: whoever is not logged in makes us store nothing."""

from typing import Any

import pytest
from django.conf import settings as shop
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

MB = 2**20
FORM = "multipart/form-data; boundary=x"


class Body:
    """What a sender would send, were it asked for."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        self.read_bytes += max(size, 1)
        return b""

    readline = read


def sent(client: Client, size: int, path: str = "") -> tuple[int, int]:
    """The answer's status, and how much of the body was read for it."""
    body = Body()
    client.cookies[shop.CSRF_COOKIE_NAME] = (
        "a" * 32
    )  # whoever opens the log-in page has one: now the form's is looked for
    extra: dict[str, Any] = {"CONTENT_LENGTH": str(size), "wsgi.input": body}
    answer = client.generic("POST", path or reverse("admin:login"), b"-", FORM, **extra)
    return answer.status_code, body.read_bytes


@pytest.fixture
def staff(db: None) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("kraph", is_staff=True))
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["", "/cart", "/admin/payments/statement/upload/"])
def test_a_stranger_s_file_is_not_even_read(path: str) -> None:
    assert sent(Client(enforce_csrf_checks=True), 60 * MB, path) == (413, 0)
    assert sent(Client(enforce_csrf_checks=True), 1 * MB, path) == (403, 0)


def test_a_file_that_is_too_large_is_refused_to_staff_too(staff: Client) -> None:
    assert sent(staff, shop.UPLOAD_MAX_BYTES + 1) == (413, 0)


def test_a_statement_of_staff_is_read(staff: Client) -> None:
    assert sent(staff, 40 * MB)[1] > 0


@pytest.mark.django_db
def test_a_small_form_of_anybody_is_read() -> None:
    assert sent(Client(enforce_csrf_checks=True), 400)[1] > 0


@pytest.mark.django_db
def test_an_odd_length_is_no_error_of_ours() -> None:
    body: dict[str, Any] = {"CONTENT_LENGTH": "many", "wsgi.input": Body()}
    assert Client().generic("POST", "/cart", b"-", FORM, **body).status_code < 500
