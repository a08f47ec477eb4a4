"""From a file's bytes to its rows of text, by what is in it and never by its name. Knows no columns."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Generator, Iterator
from typing import BinaryIO

from .cells import clean
from .errors import StatementUnreadable
from .workbook import protected, workbook_rows

MAX_BYTES = 50 * 2**20
DELIMITERS = ",;\t"
LONGEST_LINE = 100_000  # characters
UPLOAD_EXPORT = "upload the account statement that the organisation portal exports (.csv, .xls or .xlsx)"
SAVE_AS_XLSX = "open the file in Excel, save it as .xlsx and upload that, or export the statement again"

Rows = Generator[list[str], None, None]

_NO_STATEMENT = (
    (b"%PDF", "This is a PDF."),
    (b"\x89PNG", "This is a picture."),
    (b"\xff\xd8\xff", "This is a picture."),
    (b"GIF8", "This is a picture."),
    (b"RIFF", "This is a picture, a sound or a film."),
    (b"BM", "This is a picture."),
    (b"{\\rtf", "This is a text document."),
    (b"\x1f\x8b", "This is a compressed file."),
    (b"7z\xbc\xaf", "This is a compressed file."),
    (b"Rar!", "This is a compressed file."),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and an .xlsx with a password
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def whole(data: bytes | BinaryIO) -> bytes:
    """The bytes, or a refusal where they are too many."""
    content = data if isinstance(data, bytes) else data.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise StatementUnreadable(
            None,
            f"The file is larger than {MAX_BYTES // 2**20} MB.",
            advice="export a shorter time period and upload the parts one by one",
        )
    return content


def candidates(data: bytes) -> Iterator[Rows]:
    """The ways to read the file as rows: one for a workbook, one per delimiter for text."""
    if not data.strip():
        raise StatementUnreadable(None, "The file is empty.")
    if data.startswith(b"PK\x03\x04"):
        return iter([_rows_of_zip(data)])
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise protected()
        return iter([_clean(workbook_rows(data))])
    for start, what in _NO_STATEMENT:
        if data.startswith(start):
            raise StatementUnreadable(None, f"{what} It holds no statement.", advice=UPLOAD_EXPORT)
    encoding = _encoding(data)
    _refuse_other_text(data[:4096].decode(encoding, "replace"))
    return (_clean(_rows_of_text(data, encoding, delimiter)) for delimiter in DELIMITERS)


def _clean(rows: Rows) -> Rows:
    for row in rows:
        yield [clean(cell) if cell else cell for cell in row]


def _rows_of_zip(data: bytes) -> Rows:
    if b"xl/workbook" not in data:
        raise StatementUnreadable(
            None,
            "This is a zip file or another Office document. It holds no statement.",
            advice=UPLOAD_EXPORT,
        )
    return _clean(workbook_rows(data))


def _encoding(data: bytes) -> str:
    """UTF-8 where it is UTF-8, UTF-16 where it looks so, Windows-1252 for the rest."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    start = data[:400]
    zeros = start[1::2].count(0), start[::2].count(0)
    if max(zeros) > len(start) // 5:
        return "utf-16-le" if zeros[0] > zeros[1] else "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _refuse_other_text(start: str) -> None:
    if start.lstrip("\ufeff \t\r\n").startswith("<"):
        raise StatementUnreadable(
            None, "This is a web page (HTML or XML), whatever its name says.", advice=SAVE_AS_XLSX
        )
    if any(letter < " " and letter not in "\t\r\n\f" for letter in start):
        raise StatementUnreadable(None, "This is neither a text nor an Excel file.", advice=UPLOAD_EXPORT)


def _rows_of_text(data: bytes, encoding: str, delimiter: str) -> Rows:
    """Strict about quotes: an open quote would swallow the rows behind it without a word."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding, errors="replace", newline="")
    rows = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    for number in itertools.count(1):
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error as bad:
            raise StatementUnreadable(
                number, "the quotation marks in this row don't match.", advice=SAVE_AS_XLSX
            ) from bad


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise StatementUnreadable(
                None, "A line of this file is far longer than a statement's.", advice=UPLOAD_EXPORT
            )
        yield line
