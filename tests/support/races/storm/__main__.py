"""`make storm`: a large one, with a table of what it did. Exit code 1 where a promise was broken.

STORM_BUYERS, STORM_CALLBACKS, STORM_RESTARTS (1 or 2), STORM_TOKEN_HANGS (seconds) make it larger or smaller;
STORM_SEED repeats its chances.
"""

import os
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.support.races.storm import LARGE, Findings, Size, findings, standing


def main() -> int:
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # ended from outside, it takes its processes along
    seed = _number("STORM_SEED", int(time.time()))
    _say(f"A storm of {_size()}, STORM_SEED={seed}. Some minutes.")
    folder = Path(tempfile.mkdtemp(prefix="djkraph-storm-"))
    with standing(_size(), folder, seed=seed, say=_say) as storm:
        storm.blow()
        found = findings(storm)
    _tell(found)
    if found.broken:
        _say(f"What the processes said stands in {folder}.")
    return 1 if found.broken else 0


def _size() -> Size:
    return replace(
        LARGE,
        buyers=_number("STORM_BUYERS", LARGE.buyers),
        callbacks=_number("STORM_CALLBACKS", LARGE.callbacks),
        restarts=_number("STORM_RESTARTS", LARGE.restarts),
        hangs_for=_number("STORM_TOKEN_HANGS", int(LARGE.hangs_for)),
    )


def _number(name: str, otherwise: int) -> int:
    return int(os.environ.get(name) or otherwise)


def _tell(found: Findings) -> None:
    _say("")
    for line in found.lines():
        _say(line)
    _say("")
    for broken in found.broken:
        _say(f"BROKEN: {broken}.")
    if not found.broken:
        _say("Every promise was kept.")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
