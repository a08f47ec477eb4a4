"""The Chromium of this machine, and how it is started."""

import os
import shutil

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

NO_CHROMIUM = """The browser tests need Chromium.
Install it (Debian: apt-get install chromium) or set CHROMIUM to its path."""


def chromium() -> str:
    """Its path, or nothing where there is none."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, filter(None, names))), "")
