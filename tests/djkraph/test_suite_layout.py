"""Tests stand where what they test stands, and share only what is in tests/support."""

import ast
from pathlib import Path

import pytest

from tests.support.places import ROOT


def lent_by_tests(root: Path) -> list[str]:
    """Where a file imports from a test module or a conftest: what others need belongs in tests/support."""
    return [
        f"{file.relative_to(root)}: {module}"
        for file in sorted((root / "tests").rglob("*.py"))
        for module in imports_of(file, root)
        if any(part == "conftest" or part.startswith("test_") for part in module.split("."))
    ]


def imports_of(file: Path, root: Path) -> list[str]:
    """What it imports from this repository's tests, in full, names included."""
    here = file.relative_to(root).with_suffix("").parts
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = [*here[: -node.level]] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            found += [f"{module}.{alias.name}" for alias in node.names]
    return [name for name in found if name.split(".")[0] == "tests"]


def homeless(root: Path) -> list[str]:
    """Folders of tests/payments that are no room of payments."""
    return [
        folder.name
        for folder in sorted((root / "tests" / "payments").iterdir())
        if folder.is_dir() and folder.name != "__pycache__"
        if not (root / "payments" / folder.name / "__init__.py").is_file()
    ]


def test_no_test_imports_a_test_or_a_conftest() -> None:
    assert lent_by_tests(ROOT) == []


def test_each_folder_of_tests_is_a_room_of_payments() -> None:
    assert homeless(ROOT) == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A small house in good order: one room, its tests, one helper."""
    for folder in ("payments/desk", "tests/payments/desk", "tests/support"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "tests" / "payments" / "desk" / "test_home.py").write_text(
        "from tests.support.places import ROOT\nimport testing_of_others\n"
    )
    return tmp_path


def test_a_house_in_good_order_is_let_be(copy: Path) -> None:
    assert (lent_by_tests(copy), homeless(copy)) == ([], [])


@pytest.mark.parametrize(
    "line",
    [
        "from tests.payments.desk.test_home import ROOT",
        "from tests.payments.desk import test_home",
        "import tests.payments.desk.test_home as home",
        "from .test_home import ROOT",
        "from . import test_home",
        "from ..conftest import clock",
        "from tests.payments.conftest import clock",
        "def later():\n    from tests.payments.desk.test_home import ROOT",
    ],
)
def test_a_test_that_borrows_from_a_test_is_caught(line: str, copy: Path) -> None:
    (copy / "tests" / "payments" / "desk" / "test_day.py").write_text(f"{line}\n")
    (caught,) = lent_by_tests(copy)
    assert caught.startswith("tests/payments/desk/test_day.py: tests.payments.")


def test_a_helper_that_borrows_from_a_test_is_caught(copy: Path) -> None:
    (copy / "tests" / "support" / "shop.py").write_text("from tests.payments.desk.test_home import ROOT\n")
    assert lent_by_tests(copy) == ["tests/support/shop.py: tests.payments.desk.test_home.ROOT"]


def test_tests_of_no_room_are_caught(copy: Path) -> None:
    (copy / "tests" / "payments" / "services").mkdir()
    assert homeless(copy) == ["services"]
