"""Long work of which the page asks for one step after the other (static/js/desk/steps.js). Not the work itself."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse


def step(request: HttpRequest, cursor: re.Pattern[str], do: Callable[..., dict[str, Any]]) -> HttpResponse:
    """Does one, from where the last one ended: `do` is handed the numbers of the cursor that the page sends back."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    found = cursor.fullmatch(request.POST.get("cursor", ""))
    if found is None:
        out_of_date = {"message": "The page is out of date. Open it again."}
        return JsonResponse(out_of_date, status=HTTPStatus.BAD_REQUEST)
    return JsonResponse(do(*(int(number) for number in found.groups())))
