"""Rows as CSV lines that a spreadsheet opens and nobody can run a formula through. Pure; knows no payment."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

Cell = str | int | None

BOM = "\ufeff"  # Excel on Windows reads UTF-8 only where this stands first

# A spreadsheet runs what begins with one of these (owasp.org/www-community/attacks/CSV_Injection; the full-width
# forms where the keyboard is Japanese or Chinese), also behind blanks and quotes, which some of them strip.
_FORMULA = "=+\\-@＝＋－﹣−＠﹢﹦﹫"
_BEFORE = r"[^\w!#-&(-/:-@\[-_{-~]*"  # blanks, quotes, and whatever is neither ASCII nor a letter or digit
# Behind a separator too: a spreadsheet of another locale splits at ; or a tab, whatever the quotes say.
_RUNS = re.compile(rf"(?P<at>^|[,;|])(?P<formula>{_BEFORE}[{_FORMULA}])")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def safe(text: str) -> str:
    """The text as a cell that is shown and never run: an apostrophe before what would begin a formula. Tabs, line
    ends and other controls become blanks."""
    return _RUNS.sub(r"\g<at>'\g<formula>", plain(text))


def plain(text: str) -> str:
    """On one line, and nothing in it that moves a terminal's cursor."""
    return _CONTROLS.sub(" ", text)


def lines(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Each row as a line with its end. Text is quoted, whole numbers are not."""
    writer = csv.writer(_Line(), quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    for row in rows:
        yield writer.writerow([safe(cell) if isinstance(cell, str) else cell for cell in row])


class _Line:
    """A file for csv.writer, whose `write` gives the line back."""

    def write(self, line: str) -> str:
        return line
