"""A program of its own: an Excel file on standard input, its first sheet's rows as JSON on standard output.

It stands apart because its parser ends its whole process on some files (a cell in the last column of the last row
asks for 500 GB), and a web worker must outlive any upload. Imports nothing of ours.

Lines: one list of texts per row, then {"end": <other sheets with something in them>} or {"failed": <why>}.
Without an end the rows are not the whole sheet.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import python_calamine

MEMORY = 1536 * 2**20
LONGEST_CELL = 2000
WIDEST_ROW = 200

Cell = int | float | str | bool | time | date | datetime | timedelta


def limit_memory() -> None:
    """Windows has no such limit; there the process stands alone all the same."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def as_text(cell: Cell) -> str:
    """A cell as the portal would have written it: a real date becomes dd-MM-yyyy HH:mm:ss, 600000.0 is 600000."""
    if isinstance(cell, str):
        return cell[:LONGEST_CELL]
    if isinstance(cell, datetime):  # Excel keeps days as a fraction: round to the second
        return f"{(cell + timedelta(milliseconds=500)):%d-%m-%Y %H:%M:%S}"
    if isinstance(cell, date):
        return f"{cell:%d-%m-%Y} 00:00:00"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 10**15 else repr(round(cell, 6))
    return str(cell)


def sheet_rows(sheet: python_calamine.CalamineSheet) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [as_text(cell) for cell in row[:WIDEST_ROW]]


def read(data: bytes) -> Iterator[object]:
    """The first sheet that has anything in it, hidden or not."""
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    sheets = [book.get_sheet_by_index(number) for number in range(len(book.sheet_names))]
    filled = [sheet for sheet in sheets if sheet.height]
    if filled:
        yield from sheet_rows(filled[0])
    yield {"end": max(len(filled) - 1, 0)}


def main() -> None:
    limit_memory()
    try:
        for answer in read(sys.stdin.buffer.read()):
            sys.stdout.write(json.dumps(answer) + "\n")
    except python_calamine.PasswordError:
        sys.stdout.write('{"failed": "password"}\n')


if __name__ == "__main__":
    main()
