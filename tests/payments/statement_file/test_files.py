"""Which files are statements at all: their content decides, never their name."""

from __future__ import annotations

import io
import time
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter

from payments.statement_file import MAX_BYTES, MAX_ROWS, StatementUnreadable, read_statement, workbook
from payments.statement_file.workbook import workbook_rows
from tests.support.payments.spoilt_statements import PAYMENT, read, refusal
from tests.support.statements import Row, many, write_csv, write_xlsx

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def zipped(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, write_csv([PAYMENT]))
    return file.getvalue()


NO_STATEMENTS = {
    "empty": (b"", "The file is empty."),
    "blank": (b" \r\n\r\n", "The file is empty."),
    "pdf": (b"%PDF-1.7\n%...", "This is a PDF. It holds no statement."),
    "png": (b"\x89PNG\r\n\x1a\n....", "This is a picture. It holds no statement."),
    "jpeg": (b"\xff\xd8\xff\xe0....JFIF", "This is a picture. It holds no statement."),
    "html": (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html><table>", "This is a web page"),
    "zip": (zipped("statement.csv"), "This is a zip file or another Office document."),
    "binary": (b"\x01\x02\x03\x04" * 200, "This is neither a text nor an Excel file."),
    "password": (
        OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600),
        "protected with a password",
    ),
    "word": (OLE + bytes(2000), "The Excel file is damaged"),
    "half a workbook": (write_xlsx([PAYMENT])[:3000], "The Excel file is damaged"),
    "another workbook": (zipped("xl/workbook.xml"), "The Excel file is damaged"),
    "one endless line": (b"x" * 300_000, "far longer than a statement's"),
}


@pytest.mark.parametrize(("data", "reason"), NO_STATEMENTS.values(), ids=NO_STATEMENTS)
def test_what_is_no_statement_says_what_it_is_and_what_to_do(data: bytes, reason: str) -> None:
    refused = refusal(data, "statement.xls")
    assert reason in refused.reason
    assert "Nothing was stored; " in str(refused)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
def test_every_way_to_write_a_text_file(encoding: str, delimiter: str, newline: str) -> None:
    row = replace(PAYMENT, other_party="25470****149 - ZOË; **** O'DOE, JR", paid_in=Decimal(1450))
    data = write_csv([row, row], encoding=encoding, delimiter=delimiter, newline=newline, thousands=True)
    line = read(data, "statement.xls").lines[0]
    assert (line.other_party, line.paid_in) == (row.other_party, Decimal(1450))


def test_a_letter_no_charset_knows_loses_no_money() -> None:
    data = write_csv([replace(PAYMENT, other_party="JOS\x81 É")], encoding="latin-1")
    assert read(data).lines[0].paid_in == Decimal(450)


def test_a_workbook_is_one_whatever_its_name() -> None:
    assert read(write_xlsx([PAYMENT]), "statement.csv").lines == read(write_csv([PAYMENT])).lines


def test_a_file_may_be_given_open() -> None:
    assert read_statement(io.BytesIO(write_csv([PAYMENT])), filename="", scrub=str).lines


def test_a_number_as_account_stays_the_number_that_was_typed() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(
            2, 1, ["Receipt No.", "Completion Time", "Transaction Status", "Paid In", "Withdrawn"]
        )
        sheet.write_row(2, 6, ["Reason Type", "A/C No."])
        sheet.write_row(
            3, 1, ["UKN4AB12CD", "23-11-2026 18:00:12", "Completed", 22779.949999999997, "", "Pay", 1042]
        )
    line = read(file.getvalue()).lines[0]
    assert (line.row, line.account_no, line.paid_in) == (4, "1042", Decimal("22779.95"))


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_ROWS == 200_000
    monkeypatch.setattr("payments.statement_file.reader.MAX_ROWS", 3)
    assert len(read(write_csv(many(3))).lines) == 3
    assert refusal(write_csv(many(4))).reason == "The file has more than 3 rows."
    assert refusal(write_xlsx(many(4))).reason == "The file has more than 3 rows."


def test_too_large_a_file_is_refused_before_it_is_read_whole() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= MAX_BYTES + 1
            return bytes(size)

    with pytest.raises(StatementUnreadable, match="larger than 50 MB"):
        read_statement(Endless(), filename="", scrub=str)  # type: ignore[arg-type]  # as much of a file as is used
    with pytest.raises(StatementUnreadable, match="larger than 50 MB"):
        read(bytes(MAX_BYTES + 1))


def test_a_workbook_that_would_end_its_readers_process_ends_only_that() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Receipt No.")
        sheet.write(1_048_575, 16_383, "x")
    assert "damaged, or far larger than a statement" in refusal(file.getvalue()).reason


def test_a_second_sheet_with_something_in_it_is_refused_and_an_empty_one_is_not() -> None:
    def with_second(cell: str) -> bytes:
        file = io.BytesIO()
        with xlsxwriter.Workbook(file) as book:
            for name in ("one", "two"):
                sheet = book.add_worksheet(name)
                for number, row in enumerate(write_csv([PAYMENT]).decode().splitlines()):
                    sheet.write_row(number, 0, row.split(",") if name == "one" else [cell])
        return file.getvalue()

    assert len(read(with_second("")).lines) == 1
    assert "more than one sheet" in refusal(with_second("x")).reason


def test_a_workbook_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "PATIENCE", 0.01)
    assert "The Excel file is damaged" in refusal(write_xlsx(many(2000))).reason


def test_rows_cut_off_before_the_end_are_no_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for told in ('["Receipt No."]\\n', '["Receipt No."]\\n["UKN4'):
        program = tmp_path / "program.py"
        program.write_text(f"import sys; sys.stdin.buffer.read(); sys.stdout.write('{told}')")
        monkeypatch.setattr(workbook, "PROGRAM", program)
        with pytest.raises(StatementUnreadable, match="damaged"):
            list(workbook_rows(b"x"))


def test_the_program_sees_none_of_the_shops_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPESA_PASSKEY", "secret")
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, os, json\nsys.stdin.buffer.read()\nprint(json.dumps(list(os.environ)))\nprint('{\"end\": 0}')"
    )
    monkeypatch.setattr(workbook, "PROGRAM", program)
    assert "MPESA_PASSKEY" not in next(workbook_rows(b"x"))


def test_a_refusal_leaves_no_program_behind() -> None:
    rows = workbook_rows(write_xlsx(many(3000)))
    next(rows)
    started = time.monotonic()
    rows.close()
    assert time.monotonic() - started < 5


def test_a_row_of_the_maker_gives_the_same_bytes_again() -> None:
    rows: list[Row] = many(3)
    assert write_xlsx(rows) == write_xlsx(rows)
    assert write_csv(rows) == write_csv(rows)
