"""How many lines one process can hold."""

import sys

ENOUGH = 65_536


def hold_as_many_lines_as_allowed() -> None:
    """A process starts with 1,024 open files, which slow senders alone can fill; it may raise that itself."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
