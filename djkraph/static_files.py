"""Whether the files that pages load are built: compressed beforehand and under names that change with their content.
Settings ask it, so nothing of Django is here."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

MANIFEST = "staticfiles.json"  # as Django's storage calls it


def are_built(root: Path, sources: Iterable[Path]) -> bool:
    """Whether collectstatic has run since these were last changed: what it made before says nothing of them."""
    try:
        built = (root / MANIFEST).stat().st_mtime
    except OSError:
        return False
    return all(file.stat().st_mtime <= built for source in sources for file in _files(source))


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place) / name for name in names)
