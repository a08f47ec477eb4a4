"""Where machines that will die are born: Django is loaded once, and every machine is a fork of this process.

A line on stdin starts one; its process id is the answer. It serves through granian, as in the Procfile, with one
worker, and has served nobody yet.
"""

import logging
import os
import sys
from contextlib import suppress

from django.urls import get_resolver
from granian import Granian
from granian.constants import Interfaces

from tests.support.races import crashing


def serve() -> None:
    os.setsid()  # it is killed with its worker
    sys.stdin.close()
    door = f"{crashing.__name__}:application"
    Granian(
        door,
        address="127.0.0.1",
        port=int(os.environ["PORT"]),
        interface=Interfaces.RSGI,
        workers=1,
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    get_resolver().url_patterns  # noqa: B018 — loads views and all they need
    logging.raiseExceptions = False
    for _line in sys.stdin:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        sys.stdout.flush()
        born = os.fork()
        if born == 0:
            serve()
            os._exit(0)
        print(born, flush=True)
