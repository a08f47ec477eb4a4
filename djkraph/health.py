"""Whether this process lives, and whether it can do its work. For the platform, not for people."""

from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from djkraph.http import problem


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
    except Error:
        return JsonResponse(problem("The database can't be reached.", code="not_ready"), status=503)
    return JsonResponse({"success": True, "status": "ready"})
