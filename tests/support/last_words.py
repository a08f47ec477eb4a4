"""Lines that a test wants at the end of the run, in pytest's own summary. Knows nothing of payments."""

from collections.abc import Callable, Iterable

import pytest


class LastWords:
    """Says its lines in the terminal summary."""

    def __init__(self, title: str, lines: Callable[[], Iterable[str]]) -> None:
        self._title = title
        self._lines = lines

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section(self._title)
        for line in self._lines():
            terminalreporter.write_line(line)
