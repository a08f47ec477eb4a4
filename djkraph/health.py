"""Whether this process lives, and whether it can do its work; and how each of its helpers is. For the platform, not for
people.

Only what stops the taking of money takes a process out of service: the database, and migrations that are missing. The
rest is told beside "ready": payments go on.
"""

import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from djkraph import counting
from djkraph.http import problem

log = logging.getLogger(__name__)

# As text, as in urls.py: what a payment is, this room doesn't know.
PAYMENTS_PARTS = "payments.health.parts"
SHARED_NOW = "payments.gateway.now"  # not this host's: another one wrote what it is compared with

OK = "ok"
NO_DATABASE = "The database can't be reached."
UNMIGRATED = "The database is not migrated: {count} migrations are missing. Run: python manage.py migrate"
LEAST_FREE = 200 * 1024 * 1024  # bytes: callbacks are kept there when the database is away

ALIVE, READY = "/health", "/health/ready"

# what /health/ready called these before each part was told
TROUBLES = {"worker": "worker_silent", "seals": "unsealed"}

Parts = Mapping[str, str]  # "ok", or a sentence that says what is wrong


class Probes:
    """Answers before anything else: a probe comes over plain http, to an address instead of a name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path.startswith(ALIVE):
            if path.rstrip("/") == ALIVE:
                return alive(request)
            if path.rstrip("/") == READY:
                return ready(request)
        return self.get_response(request)


@require_safe
@never_cache
def alive(_request: HttpRequest) -> HttpResponseBase:
    return JsonResponse({"success": True, "status": "alive"})


@require_safe
@never_cache
def ready(_request: HttpRequest) -> HttpResponseBase:
    here: dict[str, str] = {"cache": _cache(), "disk": _disk()}
    try:
        missing = _missing_migrations()
        if missing:
            sentence = UNMIGRATED.format(count=missing)
            return _not_ready(sentence, {"database": OK, "migrations": sentence, **here})
        payments = _found(PAYMENTS_PARTS)(now=_found(SHARED_NOW)())
    except Error:
        return _not_ready(NO_DATABASE, {"database": NO_DATABASE, **here})
    parts = {"database": OK, "migrations": OK, **payments, **here}
    return JsonResponse({"success": True, "status": "ready", **_worst(parts), "parts": parts})


def _not_ready(sentence: str, parts: Parts) -> JsonResponse:
    body = problem(sentence, code="not_ready") | {"parts": parts}
    return JsonResponse(body, status=HTTPStatus.SERVICE_UNAVAILABLE)


def _worst(parts: Parts) -> dict[str, str]:
    """The first that isn't well: they stand in the order of what it costs the shop."""
    for part, said in parts.items():
        if said != OK:
            return {"trouble": TROUBLES.get(part, part), "message": said}
    return {}


def _missing_migrations() -> int:
    """How many of this code's migrations the database has not seen. Asked each time: somebody may migrate just now."""
    applied = set(MigrationRecorder(connection).applied_migrations())
    return len(_migrations() - applied)


@cache
def _migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations)


def _cache() -> str:
    """Only a shared one can be away. It is given half a second, by settings."""
    if not counting.has_shared_cache():
        return OK
    try:
        caches["shared"].get("health")
    except Exception:  # whatever its client raises
        log.warning("the shared cache can't be reached", exc_info=True)
        return "The cache (CACHE_URL) can't be reached: each process counts requests for itself, sales go on."
    return OK


def _disk() -> str:
    """Whether a callback could be kept there while the database is away."""
    folder = Path(settings.SPOOL_DIR)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
        free = shutil.disk_usage(folder).free
    except OSError:
        return "The spool (SPOOL_DIR) can't be written: callbacks would be lost if the database went away."
    if free < LEAST_FREE:
        return "The disk of the spool (SPOOL_DIR) has less than 200 MB left."
    return OK


@cache
def _found(path: str) -> Callable[..., Any]:
    found: Callable[..., Any] = import_string(path)
    return found
