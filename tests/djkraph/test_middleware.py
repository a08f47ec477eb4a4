"""What every answer keeps, and what only pages have: no JSON endpoint is left without a guard, no page either."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as shop
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from djkraph.middleware import Csrf
from tests.support.places import ROOT

JSON = ("/stkpush", "/stkpush/status", "/api/payments/callback/x", "/api/orders", "/api/mixes")
PAGE = "/cart"


def first_words(patterns: list[Any], before: str = "") -> list[tuple[str, Any]]:
    """Every address of the shop (as far as it is fixed) with what answers there."""
    found: list[tuple[str, Any]] = []
    for each in patterns:
        address = before + str(each.pattern).lstrip("^")
        if isinstance(each, URLResolver):
            found += first_words(each.url_patterns, address)
        elif isinstance(each, URLPattern):
            found.append((f"/{address}", each.callback))
    return found


@pytest.mark.parametrize("path", JSON)
def test_every_json_answer_is_guarded(client: Client, path: str) -> None:
    headers = client.options(path).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Content-Length"]


@pytest.mark.parametrize("path", [*JSON, PAGE, "/static/css/shop.css"])
def test_everything_is_sent_to_https_where_the_shop_has_it(client: Client, settings: Any, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 60
    answer = Client().get(path)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://testserver{path}")
    assert "max-age=60" in Client().get(path, secure=True).headers["Strict-Transport-Security"]


@pytest.mark.parametrize("path", [*JSON, PAGE])
def test_another_hosts_name_is_refused_everywhere(client: Client, settings: Any, path: str) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    assert client.get(path, headers={"host": "evil.example"}).status_code == 400


def test_only_json_endpoints_pass_the_middleware_of_pages_by() -> None:
    json_paths = [
        address for address, view in first_words(get_resolver().url_patterns) if hasattr(view, "cls")
    ]
    passing = [
        address
        for address, _ in first_words(get_resolver().url_patterns)
        if address.startswith(shop.JSON_PATHS)
    ]
    assert passing == json_paths
    assert len(passing) == 15


def test_a_form_under_a_json_path_would_still_need_its_token(rf: Any) -> None:
    def takes_a_form(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    request = rf.post("/api/form")
    request._dont_enforce_csrf_checks = False  # the request factory switches them off
    refused = Csrf(takes_a_form).process_view(request, takes_a_form, (), {})
    assert refused is not None
    assert refused.status_code == 403


@pytest.mark.django_db
def test_pages_know_who_is_signed_in(client: Client) -> None:
    client.force_login(User.objects.create_superuser("kraph"))
    answer = client.get("/admin/")
    assert answer.status_code == 200
    assert answer.wsgi_request.user.username == "kraph"  # type: ignore[attr-defined]
    assert client.get(PAGE).headers["Content-Security-Policy"]


# --- what browsers are told -----------------------------------------------------------------------------

DESK_POLICY = {
    "default-src 'none'",
    "script-src 'self' 'unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


def policy(answer: Any) -> set[str]:
    return {rule.strip() for rule in answer.headers["Content-Security-Policy"].split(";")}


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/admin/", "/admin/payments/mpesatransaction/", "/admin/nothing/"]
)
def test_the_desk_loads_and_sends_nothing_elsewhere(admin_client: Client, path: str) -> None:
    assert policy(admin_client.get(path)) == DESK_POLICY


def test_a_page_of_the_shop_runs_no_text_as_script_and_styles_nothing_inline(
    db: None, client: Client
) -> None:
    found = policy(client.get("/"))
    assert not [rule for rule in found if "unsafe" in rule or "data:" in rule]
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= found


def hsts_of(**variables: str) -> str | None:
    """As the settings make it of the environment."""
    program = (
        "import os, django; django.setup(); from django.conf import settings;"
        "settings.ALLOWED_HOSTS = ['testserver']; from django.test import Client;"
        "print(Client().get('/api/nothing', secure=True).headers.get('Strict-Transport-Security'))"
    )
    told = {"DJANGO_SETTINGS_MODULE": "djkraph.settings", "PATH": os.environ["PATH"], **variables}
    done = subprocess.run(
        [sys.executable, "-c", program], env=told, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return None if (said := done.stdout.strip()) == "None" else said


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, None),
        ({"SECURE_SSL_REDIRECT": "True"}, "max-age=31536000"),
        ({"SECURE_SSL_REDIRECT": "True", "HSTS_SECONDS": "0"}, None),
        ({"SECURE_SSL_REDIRECT": "True", "HSTS_SECONDS": "3600"}, "max-age=3600"),
        ({"HSTS_SECONDS": "60", "HSTS_INCLUDE_SUBDOMAINS": "True"}, "max-age=60; includeSubDomains"),
        (
            {"HSTS_SECONDS": "60", "HSTS_INCLUDE_SUBDOMAINS": "True", "HSTS_PRELOAD": "True"},
            "max-age=60; includeSubDomains; preload",
        ),
    ],
)
def test_hsts_is_by_setting_and_preload_never_by_itself(variables: dict[str, str], said: str | None) -> None:
    assert hsts_of(**variables) == said
