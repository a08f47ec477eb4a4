"""A host whose clock goes wrong by CLOCK_AHEAD seconds: manage.py's commands, and the shop's door. The database's
clock is its own.

Whatever asks "what time is it" through Django or the time module hears the wrong one; it must be imported before them.
"""

import os
import sys
import time
from datetime import UTC, datetime, timedelta

from django.utils import timezone

AHEAD = float(os.environ["CLOCK_AHEAD"])

_right_time = time.time


def wrong_time() -> float:
    return _right_time() + AHEAD


def wrong_now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=AHEAD)


time.time = wrong_time
timezone.now = wrong_now

from djkraph.rsgi import application  # noqa: E402 — only now: some of it takes a clock where it is defined

__all__ = ["application"]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
