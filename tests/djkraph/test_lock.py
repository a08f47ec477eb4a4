"""What is installed is what was pinned, byte for byte: requirements.lock names each package with its hashes."""

import re
from importlib import metadata

import pytest

from tests.support.licences import page, pinned
from tests.support.places import ROOT

FILES = {"requirements.lock": "requirements.txt", "requirements-dev.lock": "requirements-dev.txt"}
ASKED_FOR = re.compile(r"^(?P<name>[A-Za-z0-9.-]+)(?:\[[a-z,]+\])?==(?P<version>\S+)", re.M)


@pytest.mark.parametrize("lock", FILES)
def test_a_lock_holds_what_its_requirements_name(lock: str) -> None:
    locked = pinned((ROOT / lock).read_text())
    asked = ASKED_FOR.findall((ROOT / FILES[lock]).read_text())
    assert {name.lower(): version for name, version in asked}.items() <= locked.items(), "run: make lock"


def test_both_locks_agree() -> None:
    shop, tests = (pinned((ROOT / lock).read_text()) for lock in FILES)
    assert shop.items() <= tests.items()


@pytest.mark.parametrize("lock", FILES)
def test_each_package_has_a_hash_and_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    for block in re.split(r"\n(?=[a-z])", text):
        if "==" in block.partition("\n")[0]:
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_a_package_with_machine_code_is_locked_for_all_systems() -> None:
    """One hash would be one machine's: these have a file for each system and version of Python."""
    text = (ROOT / "requirements.lock").read_text()
    for name in ("granian", "psycopg-binary", "cryptography"):
        block = text[text.index(f"\n{name}==") :]
        assert block[: block.index("# via")].count("--hash") > 20, name


def test_what_runs_here_is_what_is_locked() -> None:
    locked = pinned((ROOT / "requirements-dev.lock").read_text())
    here = {name: metadata.version(name) for name in ("django", "requests", "granian", "pytest", "urllib3")}
    assert here.items() <= locked.items()


def test_the_list_of_licences_is_drawn_from_the_lock() -> None:
    told = (ROOT / "docs" / "licences.md").read_text()
    assert told == page() + "\n", "run: make lock"
    for row in told.splitlines()[7:]:
        name, _, licence = (cell.strip() for cell in row.strip("|").split("|"))
        assert licence, name
        assert "AGPL" not in licence, name
