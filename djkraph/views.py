"""What the JSON endpoints of both apps are built on. No endpoint here."""

from typing import Any

from rest_framework.response import Response
from rest_framework.views import APIView


class JsonView(APIView):
    """An APIView whose answers carry no Content-Security-Policy: they are no pages, and are asked for often."""

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(*args, **kwargs)
        response._csp_exempt = True  # type: ignore[attr-defined]  # what csp.decorators.csp_exempt sets
        return response
