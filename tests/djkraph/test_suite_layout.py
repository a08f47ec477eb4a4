"""Tests stand where what they test stands, and share only what is in tests/support."""

import ast
import re
from collections import defaultdict
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


def phones_used_twice(root: Path) -> list[str]:
    """Numbers that two browser tests pay with. They share one shop, which asks back a phone that has just paid."""
    users: dict[str, set[str]] = defaultdict(set)
    for file in sorted((root / "tests" / "browser").glob("test_*.py")):
        tests = [
            each
            for each in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
        ]
        for test in tests:
            texts = [each.value for each in ast.walk(test) if isinstance(each, ast.Constant)]
            for text in texts:
                digits = text.replace(" ", "") if isinstance(text, str) else ""
                if phone := re.fullmatch(r"(?:\+?254|0)([17]\d{8})", digits):
                    users[phone[1]].add(test.name)
    return [f"0{phone}: {', '.join(sorted(tests))}" for phone, tests in users.items() if len(tests) > 1]


def test_no_two_browser_tests_pay_from_one_phone() -> None:
    assert phones_used_twice(ROOT) == []


def test_no_test_imports_a_test_or_a_conftest() -> None:
    assert lent_by_tests(ROOT) == []


def test_each_folder_of_tests_is_a_room_of_payments() -> None:
    assert homeless(ROOT) == []


def test_a_phone_that_two_browser_tests_use_is_named(tmp_path: Path) -> None:
    (tmp_path / "tests" / "browser").mkdir(parents=True)
    for name, typed in (("one", "0722 000 071"), ("two", "254722000071"), ("three", "0722 000 072")):
        file = tmp_path / "tests" / "browser" / f"test_{name}.py"
        file.write_text(f'def test_{name}() -> None:\n    pay_with("{typed}")\n')
    assert phones_used_twice(tmp_path) == ["0722000071: test_one, test_two"]


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
