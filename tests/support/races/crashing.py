"""The shop's door with a trapdoor: the process dies by SIGKILL right before or after one chosen write becomes
permanent.

CRASH_FOLDER holds `plan.json` ({"endpoint", "number", "when"}; none: nobody dies) and `boundaries.jsonl`, a line for
every boundary that was passed: {"endpoint", "number", "writes"}.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from djkraph.door import Door, Sizes
from djkraph.rsgi import django_application as shop
from tests.support.races import permanence

FOLDER = Path(os.environ["CRASH_FOLDER"])

request = threading.local()  # endpoint, number, plan: of the request that this thread answers


def with_trapdoor(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    request.endpoint = _endpoint(environ["PATH_INFO"])
    request.number, request.plan = 0, None
    permanence.forget_uncommitted()
    with suppress(FileNotFoundError):
        request.plan = json.loads((FOLDER / "plan.json").read_text())
    return shop(environ, start_response)


application = Door(with_trapdoor, Sizes(push=4, callback=4, upload=1, archive=1, other=4))


def _endpoint(path: str) -> str:
    known = {"/stkpush": "push", "/stkpush/status": "poll"}
    return known.get(path.rstrip("/")) or ("callback" if path.startswith("/api/payments/callback") else "")


def _boundary(become_permanent: Callable[[], Any], writes: list[str]) -> Any:
    """One moment after which a write can't be lost any more, with death at its two sides."""
    if not getattr(request, "endpoint", ""):
        return become_permanent()
    request.number += 1
    _die_if_planned("before")
    done = become_permanent()
    line = {"endpoint": request.endpoint, "number": request.number, "writes": writes}
    with (FOLDER / "boundaries.jsonl").open("a") as passed:
        passed.write(json.dumps(line) + "\n")
    _die_if_planned("after")
    return done


def _die_if_planned(when: str) -> None:
    if request.plan == {"endpoint": request.endpoint, "number": request.number, "when": when}:
        os.kill(os.getpid(), signal.SIGKILL)


permanence.wrap(_boundary)
