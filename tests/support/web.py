"""The web as the Procfile starts it, for tests that start one of their own."""

import shlex
from functools import cache

from tests.support.places import ROOT

OWN = ("--host", "--port", "--workers")  # what a test chooses itself


@cache
def procfile() -> dict[str, str]:
    return dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


def web(port: int, *, workers: int = 1, application: str = "") -> list[str]:
    """Words after `python`; `application` takes the place of the shop's own."""
    _granian, *words, shop = shlex.split(procfile()["web"])
    pairs = dict(zip(words[::2], words[1::2], strict=True))
    kept = [word for name, value in pairs.items() if name not in OWN for word in (name, value)]
    own = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers), "--log-level", "error"]
    return ["-m", "granian", *kept, *own, application or shop]
