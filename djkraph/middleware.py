"""The middleware that only pages need: calls of the JSON endpoints pass it by. Which those are stands in settings.
And the one that only calls from other sites need."""

from typing import Any

from axes.middleware import AxesMiddleware
from corsheaders.middleware import CorsMiddleware
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import reverse
from whitenoise.middleware import WhiteNoiseMiddleware

WAS_AWAY = (
    "You were away for a while, so the desk logged you out. What you did last was not done: do it again."
)


class OtherSites(CorsMiddleware):
    """Lets the pages of CORS_ALLOWED_ORIGINS call us. Where none is listed it is left out: it is a tenth of a poll."""

    def __init__(self, get_response: Any) -> None:
        if not settings.CORS_ALLOWED_ORIGINS:
            raise MiddlewareNotUsed
        super().__init__(get_response)


JSON_PATHS: tuple[str, ...] = settings.JSON_PATHS  # read once: each look into the settings costs every call


class ForPages:
    """Put before a middleware: does nothing for a JSON endpoint, which has no cookie, no user and no markup."""

    answer_json: Any

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)  # type: ignore[call-arg]  # the middleware that this is mixed into
        # Django wraps each middleware in a function: where the next one is for pages too, it is passed by as well
        following = getattr(get_response, "__wrapped__", None)
        self.answer_json = following.answer_json if isinstance(following, ForPages) else get_response

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(JSON_PATHS):
            return self.answer_json(request)
        return super().__call__(request)  # type: ignore[misc]  # that middleware again


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


class _TellsWhoWasAway:
    """Somebody whose session is over is sent to the log-in page: there a message says why."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        answer = self.get_response(request)
        to_login = answer.headers.get("Location", "").startswith(reverse("admin:login"))
        had_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        if to_login and had_session and not request.user.is_authenticated:
            messages.warning(request, WAS_AWAY)
        return answer


class WasAway(ForPages, _TellsWhoWasAway):
    pass


class LockedLogins(ForPages, AxesMiddleware):
    """Answers a log-in that is locked (logins.py)."""
