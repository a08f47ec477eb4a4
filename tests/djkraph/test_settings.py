"""`.env.example` lists every setting and nothing else, and following it changes nothing."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.formats import localize

from payments.desk import words
from tests.support.places import ROOT

EXAMPLE = ROOT / ".env.example"


def listed() -> dict[str, str]:
    lines = EXAMPLE.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_and_the_settings_name_the_same() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', (ROOT / "djkraph" / "settings.py").read_text()))
    assert set(listed()) == read


def settings_under(extra: dict[str, str]) -> str:
    """What the settings come to in a process of their own with this environment."""
    program = (
        "import djkraph.settings as s; names = sorted(n for n in dir(s) if n.isupper());"
        "print({n: getattr(s, n) for n in names if n != 'UNFOLD'})"
    )
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=bare | extra,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_example_as_it_stands_is_the_default() -> None:
    assert settings_under(listed()) == settings_under({})


def test_a_sandbox_asks_five_times_a_minute_unless_told_otherwise() -> None:
    assert "'MPESA_QUERY_BUDGET_PER_MINUTE': 5," in settings_under({"MPESA_ENVIRONMENT": "sandbox"})


def test_django_writes_times_as_the_desk_does() -> None:
    at = datetime(2026, 11, 24, 14, 5, 9, tzinfo=UTC)
    assert localize(timezone.localtime(at)) == words.moment(at) == "24 Nov 2026, 17:05:09"
