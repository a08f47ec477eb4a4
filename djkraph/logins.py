"""Who may try to log in, and what somebody who may not is told. django-axes counts; the two limits are ours.

One user name from one address: DESK_LOGIN_FAILURES. All names from one address together: MANY_NAMES times that, so
that a clumsy colleague doesn't lock the office out. A name alone never locks: a stranger elsewhere would use that.
"""

import re
from datetime import datetime, timedelta
from http import HTTPStatus
from math import ceil
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from djkraph.throttling import client_network

MANY_NAMES = 4
LONG_NUMBER = re.compile(r"\d(?:[\s-]*\d){8,}")  # also as people space it
NAME_LENGTH = 150  # of a user name


def address_of(request: HttpRequest) -> str:
    """As axes keeps it: an IPv6 address stands for its network."""
    return client_network(request.META)


class Handler(AxesDatabaseHandler):
    """axes' counting in the database, with a second limit, and without what was typed or asked for."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        own: int = super().get_failures(request, credentials)
        return max(own, _count(_at(request)) // MANY_NAMES)

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        """axes would keep the form and the address line: a token, and the phone number of a search."""
        if request is None:
            return
        asked, typed = request.GET, request.POST
        request.GET = request.POST = QueryDict()  # empty for axes, as long as it looks
        try:
            super().user_login_failed(sender, credentials, request, **kwargs)
        finally:
            request.GET, request.POST = asked, typed


def locked_page(request: HttpRequest, _answer: Any, credentials: dict[str, Any] | None) -> HttpResponse:
    """In words: why, until when, and who can help at once."""
    here = _at(request)
    everybody = _count(here) // MANY_NAMES >= settings.DESK_LOGIN_FAILURES
    tried = here if everybody else here.filter(username=name_of(request, credentials))
    last: datetime = tried.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    free_at = last + _lock_time()
    left = max(1, ceil((free_at - timezone.now()).total_seconds()))
    told = {
        "everybody": everybody,
        "address": address_of(request),
        "free_at": free_at + timedelta(minutes=1),  # told without its seconds: rounded up
        "minutes": ceil(left / 60),
    }
    page = render(request, "locked.html", told, status=HTTPStatus.TOO_MANY_REQUESTS)
    page["Retry-After"] = str(left)
    page["Cache-Control"] = "no-store"
    return page


def name_of(_request: HttpRequest | None, credentials: dict[str, Any] | None) -> str | None:
    """The user name as axes keeps it; a phone number that was typed there is not kept."""
    typed = (credentials or {}).get("username")
    return None if typed is None else LONG_NUMBER.sub("•", str(typed))[:NAME_LENGTH]


def lock_time(_request: HttpRequest | None) -> timedelta:
    """For axes, which calls it with the request."""
    return _lock_time()


def failure_limit(_request: HttpRequest | None, _credentials: Any) -> int:
    limit: int = settings.DESK_LOGIN_FAILURES
    return limit


def _lock_time() -> timedelta:
    return timedelta(minutes=settings.DESK_LOCK_MINUTES)


def _at(request: HttpRequest) -> "QuerySet[AccessAttempt]":
    """What failed from this address and still counts."""
    since = timezone.now() - _lock_time()
    here: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(
        ip_address=address_of(request), attempt_time__gte=since
    )
    return here


def _count(attempts: "QuerySet[AccessAttempt]") -> int:
    return attempts.aggregate(failures=Sum("failures_since_start"))["failures"] or 0
