"""`make check` and the hooks before a commit are the same; the templates' check is shown what it must refuse."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DJLINT = Path(sys.executable).with_name("djlint")


def test_the_hooks_before_a_commit_are_the_pieces_of_make_check() -> None:
    (pieces,) = re.findall(r"^check: (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [hook["entry"] for hook in local["hooks"]] == [f"make {piece}" for piece in pieces.split()]


WRONG = {
    "T120": f"<p>{'a' * 114}</p>",  # 121 characters
    "H011": "<p class=note>Paid.</p>",
    "H025": "<div><p>Paid.</p>",
    "H037": '<p id="a" id="b">Paid.</p>',
    "T038": "{% if paid %}<p>Paid.</p>",
    "H021": '<p style="color: red">Paid.</p>',
}


def lint(template: Path) -> subprocess.CompletedProcess[str]:
    command = [
        DJLINT,
        template,
        "--lint",
        "--configuration",
        "pyproject.toml",
        "--rules",
        ".djlint_rules.yaml",
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("rule", WRONG)
def test_a_wrong_template_is_refused(rule: str, tmp_path: Path) -> None:
    template = tmp_path / "wrong.html"
    template.write_text(f"{WRONG[rule]}\n")
    answer = lint(template)
    assert answer.returncode == 1
    assert rule in answer.stdout


def test_a_line_of_120_characters_is_not(tmp_path: Path) -> None:
    template = tmp_path / "right.html"
    template.write_text(f"<p>{'ä' * 113}</p>\n")
    assert lint(template).returncode == 0
