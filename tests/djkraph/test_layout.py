"""Imports point one way: doors → services → orders and daraja. Nothing points back."""

import ast
from pathlib import Path

import pytest

from tests.support.places import ROOT

PACKAGES = ("djkraph", "orders", "payments")

# (part of the project, what it may never import)
FORBIDDEN = [
    ("orders", ("payments",)),
    ("payments/daraja", ("django", "rest_framework", "orders", "payments", "djkraph")),
    ("payments/statement_file", ("django", "rest_framework", "orders", "payments", "djkraph")),
    ("payments/simulator", ("django", "rest_framework", "orders", "payments", "djkraph", "requests")),
    ("payments/states.py", ("orders", "payments", "rest_framework")),
]


def imports_of(file: Path) -> set[str]:
    """The modules a file names, relative ones in full."""
    package = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: -node.level]) + "." if node.level else ""
            module = (base + (node.module or "")).rstrip(".")
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def files_of(part: str) -> list[Path]:
    path = ROOT / part
    return [path] if path.is_file() else sorted(f for f in path.rglob("*.py") if "migrations" not in f.parts)


@pytest.mark.parametrize(("part", "never"), FORBIDDEN, ids=[part for part, _ in FORBIDDEN])
def test_no_import_points_back(part: str, never: tuple[str, ...]) -> None:
    own = part.removesuffix(".py").replace("/", ".")
    back = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files_of(part)
        for name in imports_of(file)
        if name.startswith(tuple(f"{root}." for root in never) + never) and not name.startswith(own)
    ]
    assert back == []


def test_only_the_command_knows_the_simulator() -> None:
    knows = [
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in files_of(package)
        if "simulator" not in file.parts
        and any(name.startswith("payments.simulator") for name in imports_of(file))
    ]
    assert knows == ["payments/management/commands/daraja_simulator.py"]


def test_settings_are_read_where_they_are_wired() -> None:
    readers = {
        str(file.relative_to(ROOT))
        for file in files_of("payments")
        if "django.conf.settings" in imports_of(file) and "management" not in file.parts
    }
    assert readers == {"payments/gateway/settings.py", "payments/checks.py"}


def test_requests_are_not_wrapped_in_transactions(settings: object) -> None:
    assert not settings.DATABASES["default"].get("ATOMIC_REQUESTS")  # type: ignore[attr-defined]
