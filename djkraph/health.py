"""Whether this process lives, and whether it can do its work. For the platform, not for people.

Trouble that another process must mend is told beside "ready", and doesn't take this one out of service: payments go on.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from djkraph.http import problem

# As text, as in urls.py: what a payment is, this room doesn't know.
UNSEALED_SINCE = "payments.ledger.unsealed_since"


@require_safe
@never_cache
def alive(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"success": True, "status": "alive"})


@require_safe
@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        unsealed = _unsealed_since()(now=timezone.now())
    except Error:
        return JsonResponse(problem("The database can't be reached.", code="not_ready"), status=503)
    told = {"success": True, "status": "ready"}
    if unsealed is None:
        return JsonResponse(told)
    message = f"Entries of the ledger have not been sealed since {unsealed.isoformat(timespec='seconds')}."
    return JsonResponse({**told, "trouble": "unsealed", "message": message})


@cache
def _unsealed_since() -> Callable[..., datetime | None]:
    found: Callable[..., datetime | None] = import_string(UNSEALED_SINCE)
    return found
