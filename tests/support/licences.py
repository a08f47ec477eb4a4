"""Prints docs/licences.md: under which licence each package of requirements.lock stands. `make lock` runs it.

python -m tests.support.licences
"""

import re
from collections.abc import Iterator
from importlib import metadata

from tests.support.places import ROOT

LOCK = ROOT / "requirements.lock"
PINNED = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+)", re.M)
HEAD = """# Licences

What the shop is installed with, drawn from `requirements.lock` by `make lock`. What only tests and checks need is not
handed on, and not listed.

| package | version | licence |
|---|---|---|
"""
# not installed on every machine, so that their own files can't be asked
ELSEWHERE = {"async-timeout": "Apache-2.0", "colorama": "BSD-3-Clause"}


def pinned(lock: str) -> dict[str, str]:
    """Versions by name."""
    return {each["name"]: each["version"] for each in PINNED.finditer(lock)}


def licence_of(name: str) -> str:
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ELSEWHERE[name]
    if expression := told.get("License-Expression"):
        return str(expression)
    classifiers = [
        each.rpartition(" :: ")[2] for each in told.get_all("Classifier", []) if "License ::" in each
    ]
    return (
        ", ".join(each for each in classifiers if each != "OSI Approved")
        or str(told.get("License", "")).partition("\n")[0]
    )


def rows() -> Iterator[str]:
    for name, version in sorted(pinned(LOCK.read_text()).items()):
        yield f"| {name} | {version} | {licence_of(name)} |"


def page() -> str:
    return HEAD + "\n".join(rows())


if __name__ == "__main__":
    print(page())
