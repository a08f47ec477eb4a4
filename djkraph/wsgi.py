"""Django alone, for servers that speak WSGI. The Procfile's speaks RSGI (rsgi.py)."""

import io
import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from djkraph.starting import refuse_what_is_unsafe

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "djkraph.settings")

CHUNKED_BYTES = 65_537  # one more than any endpoint takes, so that too much is seen to be too much

django_application = get_wsgi_application()
refuse_what_is_unsafe()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Django, with one thing mended: it takes a body without Content-Length (a proxy that streams) for empty."""
    if "CONTENT_LENGTH" not in environ and environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        body = environ["wsgi.input"].read(CHUNKED_BYTES)
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    return django_application(environ, start_response)
