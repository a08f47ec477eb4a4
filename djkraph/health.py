"""Whether this process lives, and whether it can do its work. For the platform, not for people.

Trouble that another process must mend is told beside "ready", and doesn't take this one out of service: payments go on.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache

from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from djkraph.http import problem

# As text, as in urls.py: what a payment is, this room doesn't know.
UNSEALED_SINCE = "payments.ledger.unsealed_since"
WORKER_SILENT_SINCE = "payments.enquiries.worker_silent_since"
SHARED_NOW = "payments.gateway.now"  # not this host's: another one wrote what it is compared with

# (what it is called, who says since when, its sentence), the worst first
TROUBLES = (
    ("worker_silent", WORKER_SILENT_SINCE, "The worker has not been seen since {since}."),
    ("unsealed", UNSEALED_SINCE, "Entries of the ledger have not been sealed since {since}."),
)


@require_safe
@never_cache
def alive(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"success": True, "status": "alive"})


@require_safe
@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    try:
        trouble = _trouble(import_string(SHARED_NOW)())
    except Error:
        return JsonResponse(problem("The database can't be reached.", code="not_ready"), status=503)
    return JsonResponse({"success": True, "status": "ready", **trouble})


def _trouble(now: datetime) -> dict[str, str]:
    """The worst. Each is a question to the database, which so shows that it is there."""
    for key, path, sentence in TROUBLES:
        if (since := _since(path)(now=now)) is not None:
            return {"trouble": key, "message": sentence.format(since=since.isoformat(timespec="seconds"))}
    return {}


@cache
def _since(path: str) -> Callable[..., datetime | None]:
    found: Callable[..., datetime | None] = import_string(path)
    return found
