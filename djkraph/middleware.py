"""The middleware that only pages need: calls of the JSON endpoints pass it by. Which those are stands in settings."""

from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware


class ForPages:
    """Put before a middleware: does nothing for a JSON endpoint, which has no cookie, no user and no markup."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(settings.JSON_PATHS):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]  # the middleware that this is mixed into


class StaticFiles(ForPages, WhiteNoiseMiddleware):
    pass


class ContentSecurityPolicy(ForPages, CSPMiddleware):
    pass


class Sessions(ForPages, SessionMiddleware):
    pass


class Csrf(ForPages, CsrfViewMiddleware):
    """Its check runs before every view all the same: one that takes a form under a JSON path is still refused."""


class Authentication(ForPages, AuthenticationMiddleware):
    pass


class Messages(ForPages, MessageMiddleware):
    pass
