"""The middleware that only pages need: calls of the JSON endpoints pass it by. Which those are stands in settings.
And the one that only calls from other sites need."""

import logging
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from corsheaders.middleware import CorsMiddleware
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import MiddlewareNotUsed
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.urls import reverse
from whitenoise.middleware import WhiteNoiseMiddleware

from djkraph.staff.factors import AskedFor

log = logging.getLogger(__name__)

DESK = "/admin/"
FILTERS_UNREADABLE = "These filters can't be read, so all is shown. Set them anew."
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
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
    FOREVER = 365 * 24 * 60 * 60  # seconds, for names that change with their content


class Compression(ForPages, GZipMiddleware):
    """Of pages, lists and covers, all of them text. Django's lengthens each answer by chance, and masks its token anew
    each time, so that nobody learns it from the length."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.headers.get("Content-Type", "").startswith(("text/", "image/svg+xml")):
            return response
        answer: HttpResponseBase = super().process_response(request, response)
        return answer


class ContentSecurityPolicy(ForPages, CSPMiddleware):
    """The desk's is wider: its toolkit evaluates what its own templates say, and styles elements by script."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(DESK):
            parts.config = settings.CONTENT_SECURITY_POLICY_OF_DESK
        return parts


class Sessions(ForPages, SessionMiddleware):
    pass


class Csrf(ForPages, CsrfViewMiddleware):
    """Its check runs before every view all the same: one that takes a form under a JSON path is still refused."""


class Authentication(ForPages, AuthenticationMiddleware):
    pass


class _RefusesUploads:
    """Turns a large body away before anybody reads it: Django would store it to look for a form's token in it."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        length = _length_of(request)
        if length > _most(request.path_info):
            return render(request, "413.html", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE and not request.user.is_staff:
            return render(request, "403.html", status=HTTPStatus.FORBIDDEN)
        return self.get_response(request)


def _most(path: str) -> int:
    """A mix is larger than a statement."""
    of_mix = path.startswith(f"{DESK}orders/mix/")
    most: int = 2 * settings.AUDIO_MAX_BYTES if of_mix else settings.UPLOAD_MAX_BYTES
    return most


def _length_of(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


class Uploads(ForPages, _RefusesUploads):
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


class _ReadableAddresses:
    """Whatever stands behind the ? of a page of the desk: the list, or a word, and no error 500.

    Controls (a NUL, which no database takes) are blanks. A list that can't make sense of the rest says so.
    """

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(DESK) and _CONTROLS.search(
            unquote(request.META.get("QUERY_STRING", ""))
        ):
            request.GET = _without_controls(request.GET)  # type: ignore[assignment]  # a QueryDict, as before
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        found = request.resolver_match
        is_list = found is not None and (found.url_name or "").endswith("_changelist")
        if not is_list or request.method != "GET" or not request.GET:
            return None
        if not isinstance(error, ValueError | OverflowError | DataError):
            return None
        log.warning("A list of the desk could not read its filters", exc_info=error)
        messages.warning(request, FILTERS_UNREADABLE)
        return HttpResponseRedirect(request.path)


def _without_controls(told: QueryDict) -> QueryDict:
    clean = QueryDict(mutable=True)
    for name, values in told.lists():
        clean.setlist(_CONTROLS.sub(" ", name), [_CONTROLS.sub(" ", value).strip() for value in values])
    return clean


class ReadableAddresses(ForPages, _ReadableAddresses):
    pass


class SecondFactor(ForPages, AskedFor):
    """Staff who may move money show a second factor first (staff/factors.py)."""
