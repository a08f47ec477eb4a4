"""A request of granian's as WSGI has it."""

import sys
from typing import Any
from urllib.parse import quote

Environ = dict[str, Any]

AS_IT_IS = "%/:?#[]@!$&'()*+,;=-._~"  # of an address: the rest is quoted, as a browser would have done
NO_PREFIX = ("CONTENT_TYPE", "CONTENT_LENGTH")


def environ_of(scope: Any) -> Environ:
    """Without the body. A header whose name has an underscore is left out: WSGI would take it for the one with a
    hyphen, which a trusted proxy sets."""
    host, _, port = scope.server.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string and quote(scope.query_string, safe=AS_IT_IS),
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        if key not in NO_PREFIX:
            key = f"HTTP_{key}"
        joint = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
    if scope.authority and "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority  # HTTP/2
    return environ


def announced_length(environ: Environ) -> int | None:
    """Of the body, in bytes; None where it comes in pieces."""
    said = environ.get("CONTENT_LENGTH", "")
    return int(said) if said.isdecimal() and len(said) < 16 else None
