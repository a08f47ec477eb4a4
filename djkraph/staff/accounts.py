"""How allauth lets somebody in: whom, how often they may try, and what somebody who may not is told.

One user name from one address: DESK_LOGIN_FAILURES in DESK_LOCK_MINUTES. All names from one address together: four
times that, so that a clumsy colleague doesn't lock the office out. A name alone never locks: a stranger elsewhere would
use that. The counts stand in the database (ACCOUNT_RATE_LIMITS and CACHES in the settings), for all processes.
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from math import ceil
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.app_settings import REAUTHENTICATION_TIMEOUT
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from djkraph.throttling import client_network

log = logging.getLogger(__name__)

FAILED = {"app": "allauth.account", "action": "login_failed"}
NOT_STAFF = "This user name may not use the desk. Ask the shop’s owner."


class Accounts(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 — allauth's
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """An IPv6 address stands for its network."""
        return client_network(request.META)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            log.warning("too many wrong passwords: a log-in was not tried")
            key = self._get_login_attempts_cache_key(request, **credentials)
            raise ImmediateHttpResponse(_locked(request, key)) from None

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        return f"{credentials.get('username', '').lower()}@{self.get_client_ip(request)}"

    def pre_login(self, request: HttpRequest, user: User, **told: Any) -> HttpResponse | None:
        if user.is_active and user.is_staff:
            answer: HttpResponse | None = super().pre_login(request, user, **told)
            return answer
        clear_login(request)
        messages.error(request, NOT_STAFF)
        return HttpResponseRedirect(settings.LOGIN_URL)

    def is_reauthentication_required(self, *, app: str, **told: Any) -> bool:
        """Not of somebody who has just come in."""
        known = get_authentication_records(context.request, context.request.user)
        if known and time.time() - known[-1]["at"] < REAUTHENTICATION_TIMEOUT:
            return False
        required: bool = super().is_reauthentication_required(app=app, **told)
        return required


def unlock() -> None:
    """Forgets every wrong password (and code) of everybody."""
    cache.clear()


def _locked(request: HttpRequest, key: str) -> HttpResponse:
    """In words: why, until when, and who can help at once."""
    full = {
        rate.per: free for rate in ratelimit.get_rates(**FAILED) if (free := _free_at(request, rate, key))
    }
    free_at = datetime.fromtimestamp(max(full.values(), default=time.time()), UTC)
    left = max(1, ceil(free_at.timestamp() - time.time()))
    told = {
        "everybody": "ip" in full,
        "free_at": free_at + timedelta(minutes=1),  # told without its seconds: rounded up
        "minutes": ceil(left / 60),
    }
    page = render(request, "locked.html", told, status=HTTPStatus.TOO_MANY_REQUESTS)
    page["Retry-After"] = str(left)
    page["Cache-Control"] = "no-store"
    return page


def _free_at(request: HttpRequest, rate: ratelimit.Rate, key: str) -> float | None:
    """When this limit has room again, in seconds since 1970; None: it has room."""
    counted = cache.get(ratelimit.get_cache_key(request, **FAILED, rate=rate, key=key), [])
    begins = time.time() - rate.duration
    recent = [at for at in counted if at > begins]  # newest first
    return recent[rate.amount - 1] + rate.duration if len(recent) >= rate.amount else None
