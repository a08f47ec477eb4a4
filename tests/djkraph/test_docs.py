"""What the documents say of the code is what the code says."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from payments.api.errors import STATUS
from payments.ledger import FACTS, KINDS
from payments.management.commands import event_kinds, money_rights
from payments.management.commands.payment_states import diagram

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
PACKAGES = ("djkraph", "orders", "payments", "templates", "static", "tests")

# whose paths in backticks must be there; the other documents name none, or are of their day (decisions)
NAME_PATHS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/ARCHITECTURE.md",
    "docs/rules.md",
    "docs/performance.md",
    "docs/runbook.md",
)


def test_the_drawing_of_the_states_is_the_table() -> None:
    assert diagram() in (DOCS / "states.md").read_text()


def test_the_page_of_the_kinds_of_events_is_what_the_command_prints() -> None:
    assert (DOCS / "events.md").read_text() == event_kinds.page() + "\n"


def test_the_page_of_who_may_do_what_with_money_is_what_the_command_prints(db: None) -> None:
    assert (DOCS / "money-rights.md").read_text() == money_rights.page() + "\n"


def test_each_fact_of_an_event_is_explained_and_each_explained_one_is_some_events() -> None:
    assert set().union(*(carries.facts for carries in KINDS.values())) == set(FACTS)


def test_the_readme_names_every_code() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [code for code in STATUS if f"`{code}`" not in readme] == []


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", "docs/decisions/README.md"]
)
def test_every_page_that_is_linked_to_is_there(page: str) -> None:
    file = ROOT / page
    links = re.findall(r"\]\(([^)#:]+)\)", file.read_text())
    assert links
    assert [link for link in links if not (file.parent / link).exists()] == []


# --- the decisions --------------------------------------------------------------------------------------

DECISION = re.compile(
    r"# .+\n\n\d{4}-\d\d-\d\d\n\n## What\n.+\n## Why\n.+\n## What it cost\n.+"
    r"\n## What would make us change it\n.+",
    re.DOTALL,
)


def test_every_decision_is_listed_dated_and_says_what_it_cost() -> None:
    pages = sorted(DECISIONS.glob("[0-9]*.md"))
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (DECISIONS / "README.md").read_text())
    assert listed == [page.name for page in pages]
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert [page.name for page in pages if not DECISION.fullmatch(page.read_text())] == []


# --- paths in backticks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("page", NAME_PATHS)
def test_no_document_names_a_path_that_is_not_there(page: str) -> None:
    assert absent((ROOT / page).read_text()) == []


def test_a_path_that_is_not_there_is_found() -> None:
    text = (
        "See `payments/services/`, `nowhere.py`, `payments/ledger/`, `doors.py`, `/api/schema` and `a / b`."
    )
    assert absent(text) == ["payments/services/", "nowhere.py"]


def absent(text: str) -> list[str]:
    return [path for path in paths_in(text) if not is_there(path)]


def paths_in(text: str) -> Iterator[str]:
    """What stands in backticks and looks like a file or folder of ours: not an address, not a pattern, not a call."""
    for quoted in re.findall(r"`([^`\n]+)`", text):
        path = quoted.split("::")[0]
        is_path = re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", path) and ("/" in path or path.endswith(ENDINGS))
        if is_path and not re.fullmatch(r"var/.*|spool|application/.*", path):
            yield path


ENDINGS = (".py", ".md", ".js", ".mjs", ".html", ".css", ".toml", ".txt", ".json")


def is_there(path: str) -> bool:
    """From the top, from payments/ or from tests/; a file's bare name anywhere."""
    if "/" not in path:
        return path in file_names()
    return any((base / path).exists() for base in (ROOT, ROOT / "payments", ROOT / "tests"))


@cache
def file_names() -> frozenset[str]:
    of_packages = {file.name for package in (*PACKAGES, "docs") for file in (ROOT / package).rglob("*.*")}
    return frozenset(of_packages | {file.name for file in ROOT.iterdir()})


# --- the rules about money ------------------------------------------------------------------------------


def test_every_guard_and_every_test_that_the_rules_name_is_there() -> None:
    rules = (DOCS / "rules.md").read_text()
    assert unknown_tests(rules) == []
    assert unknown_guards(rules) == []


def test_a_guard_or_a_test_that_is_not_there_is_found() -> None:
    gone = "`prompts._answer_dead`, `test_reconcile.py::test_two_who_sing`, `decide.decide`"
    assert unknown_tests(gone) == ["test_two_who_sing"]
    assert unknown_guards(gone) == ["prompts._answer_dead"]


def unknown_tests(text: str) -> list[str]:
    ours = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"\b(test_\w+)\b(?!\.py)", text)
    return [name for name in named if f"def {name}" not in ours]


def unknown_guards(text: str) -> list[str]:
    """Of `module.name`: those whose module has no such name."""
    named = re.findall(r"`([a-z_]+)\.(\w+)`", text)
    pairs = [(module, name) for module, name in named if name not in ("py", "md")]
    return [f"{module}.{name}" for module, name in pairs if not defines(module, name)]


def defines(module: str, name: str) -> bool:
    files = [file for package in PACKAGES[:3] for file in (ROOT / package).rglob(f"{module}.py")]
    return any(re.search(rf"^(def |class )?{name}\b", file.read_text(), re.MULTILINE) for file in files)


# --- the fact sheet -------------------------------------------------------------------------------------

SECTION = r"(?:Appendix [A-Z](?:\.\d+)?|\d+(?:\.\d+)?)"
CITATION = re.compile(rf"daraja\.md,?(?: section)? ({SECTION}(?:(?:,| to| and) {SECTION})*)")


def test_every_section_that_is_cited_stands_in_the_fact_sheet() -> None:
    sheet = sections()
    cited = dict.fromkeys(citations())
    assert len(cited) > 50
    assert [f"{where}: {section}" for where, section in cited if section not in sheet] == []


def test_a_section_that_is_not_there_is_found() -> None:
    assert set(cited_in("(daraja.md, 4) and daraja.md 2.9, 11; daraja.md Appendix A.99")) - sections() == {
        "2.9",
        "11",
        "Appendix A.99",
    }


def citations() -> Iterator[tuple[str, str]]:
    """(file, section)"""
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.*"):
            if file.suffix in (".py", ".json", ".js", ".html") and file != Path(__file__).resolve():
                for section in cited_in(file.read_text(encoding="utf-8")):
                    yield str(file.relative_to(ROOT)), section


def cited_in(text: str) -> list[str]:
    return [section for cited in CITATION.findall(text) for section in re.findall(SECTION, cited)]


def sections() -> set[str]:
    """Its headings, and the numbered items under one: `2.3`, `0.14`, `Appendix A.2`."""
    found: set[str] = set()
    chapter = ""
    for line in (DOCS / "daraja.md").read_text().splitlines():
        if heading := re.match(rf"#+ ({SECTION})[. ]", line):
            chapter = heading[1]
            found.add(chapter)
        elif item := re.match(r"(\d+)\. ", line):
            found.add(f"{chapter}.{item[1]}")
    return found
