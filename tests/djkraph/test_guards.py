"""The plan of the house (pyproject.toml, [tool.importlinter]) is shown its own violations: each contract is broken
once, in a copy, and must say so."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("djkraph", "orders", "payments")
LINT = Path(sys.executable).with_name("lint-imports")

CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
]
FLOORS = "Each floor stands on the ones below it, and no room needs one of its own floor"
ALONE = "Daraja, the statement's file and the simulator could be published alone"

# (the contract that must break, the module that breaks it, what it imports)
VIOLATIONS = [
    (
        "Payments know the shop, and the shop has never heard of payments",
        "orders.services",
        "payments.states",
    ),
    (FLOORS, "payments.ledger.write", "payments.checkout"),
    (FLOORS, "payments.enquiries.ask", "payments.reconciliation"),  # beside it
    (FLOORS, "payments.phones", "payments.signing"),  # the same, at the bottom
    (ALONE, "payments.daraja.results", "django"),
    (ALONE, "payments.statement_file.cells", "payments.phones"),
    (ALONE, "payments.simulator.ids", "orders.codes"),
    ("The door before Django knows nothing behind it", "djkraph.door.kinds", "django"),
    ("The simulator speaks HTTP by itself", "payments.simulator.callbacks", "requests"),
    ("States, phones and signing are pure", "payments.signing", "djkraph.http"),
    ("Only its command knows the simulator", "payments.checks.live", "payments.simulator"),
    *(
        (f"The door of {door.split('.')[1]}", "payments.management.commands.replay_callbacks", door)
        for door in (
            "payments.facts.money",
            "payments.models.attempt",
            "payments.gateway.settings",
            "payments.ledger.write",
            "payments.enquiries.ask",
            "payments.reconciliation.matching",
            "payments.reversals.send",
            "payments.lookups.found",
            "payments.callbacks.apply",
            "payments.checkout.push",
            "payments.manual.settling",
            "payments.attention.work",
            "payments.alerts.sending",
            "payments.api.serializers",
            "payments.daraja.client",
            "payments.statement_file.reader",
            "payments.desk.day.report",
        )
    ),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages and their plan."""
    copy = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def lint(house: Path) -> dict[str, str]:
    """What is said of each contract that is broken."""
    plainly = {**os.environ, "COLUMNS": "300", "NO_COLOR": "1"}  # no line is wrapped
    linted = subprocess.run([LINT, "--no-logo"], cwd=house, env=plainly, capture_output=True, text=True)
    broken = [name for name in CONTRACTS if f"{name} BROKEN" in linted.stdout]
    kept = [name for name in CONTRACTS if f"{name} KEPT" in linted.stdout]
    assert len(broken) + len(kept) == len(CONTRACTS), linted.stdout + linted.stderr
    assert linted.returncode == (1 if broken else 0)
    headings = "|".join(re.escape(name) for name in broken)
    said = re.split(rf"^({headings})\n-+$", linted.stdout, flags=re.MULTILINE)[1:] if broken else []
    return dict(zip(said[::2], said[1::2], strict=True))


@pytest.fixture(scope="module")
def said(house: Path) -> Iterator[dict[str, str]]:
    """What is said of a house with all those violations in it."""
    files = {house / f"{module.replace('.', '/')}.py" for _, module, _ in VIOLATIONS}
    before = {file: file.read_text() for file in files}
    for _, module, wrong in VIOLATIONS:
        with (house / f"{module.replace('.', '/')}.py").open("a") as file:
            file.write(f"import {wrong}\n")
    yield lint(house)
    for file, text in before.items():
        file.write_text(text)


@pytest.mark.parametrize(("contract", "module", "wrong"), VIOLATIONS)
def test_a_wrong_import_breaks_its_contract(
    said: dict[str, str], contract: str, module: str, wrong: str
) -> None:
    assert f"{module} -> {wrong} (l." in said[contract]


def test_each_contract_is_broken_once_in_here() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == set(CONTRACTS)


def test_a_room_must_say_on_which_floor_it_stands(house: Path) -> None:
    room = house / "payments/helpers.py"
    room.touch()
    assert "helpers" in lint(house)[FLOORS]
    room.unlink()


def test_the_house_is_built_as_planned() -> None:
    assert lint(ROOT) == {}


def readers_of_settings(house: Path) -> set[str]:
    """The files of payments that import Django's settings; commands and migrations may."""
    return {
        str(file.relative_to(house))
        for file in (house / "payments").rglob("*.py")
        if not {"management", "migrations"} & set(file.parts)
        and _imports_settings(ast.parse(file.read_text()))
    }


def _imports_settings(module: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("django.conf")
        and any(alias.name in {"settings", "*"} for alias in node.names)
        for node in ast.walk(module)
    )


def test_settings_are_read_where_they_are_wired() -> None:
    assert readers_of_settings(ROOT) == {"payments/gateway/settings.py", "payments/checks/__init__.py"}


def test_settings_read_elsewhere_are_seen(house: Path) -> None:
    (house / "payments/checkout/settings.py").write_text("from django.conf import settings\n")
    assert "payments/checkout/settings.py" in readers_of_settings(house)


def test_requests_are_not_wrapped_in_transactions(settings: Any) -> None:
    assert not settings.DATABASES["default"].get("ATOMIC_REQUESTS")
