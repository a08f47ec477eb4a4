"""Asks the process that opens Excel files for a workbook's rows. No Excel parser in here: see workbook_process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

from .errors import StatementUnreadable

PROGRAM = Path(__file__).with_name("workbook_process.py")
PATIENCE = 120.0  # seconds; 200,000 rows take far less on a machine that is busy
# It parses a stranger's file, so it is given none of the shop's secrets.
ENVIRONMENT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "TEMP", "TMP")


def workbook_rows(data: bytes) -> Generator[list[str], None, None]:
    """The rows of the only sheet, all as text. Raises StatementUnreadable, at the latest after the last row."""
    program = subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
    )
    timer = threading.Timer(PATIENCE, program.kill)
    timer.start()
    try:
        with program:
            yield from _talk(program, data)
    finally:
        timer.cancel()


def _talk(program: subprocess.Popen[bytes], data: bytes) -> Generator[list[str], None, None]:
    if program.stdin is None or program.stdout is None:
        raise RuntimeError("The program was started without pipes.")
    with contextlib.suppress(OSError):  # it ended early: what it said, or didn't say, tells why
        program.stdin.write(data)
    with contextlib.suppress(OSError):
        program.stdin.close()
    try:
        for line in program.stdout:
            answer = _read(line)
            if isinstance(answer, dict):
                return _end(answer)
            yield answer
        raise _damaged()
    finally:
        program.kill()


def _read(line: bytes) -> list[str] | dict[str, object]:
    try:
        answer: list[str] | dict[str, object] = json.loads(line)
    except ValueError as cut:  # it was ended in the middle of a row
        raise _damaged() from cut
    return answer


def _end(answer: dict[str, object]) -> None:
    if answer.get("failed") == "password":
        raise protected()
    if answer.get("end"):
        raise StatementUnreadable(
            None,
            "The workbook has more than one sheet with something in it, and only one can be the statement.",
            advice="upload the statement as the portal exported it, or keep each sheet in a file of its own",
        )


def protected() -> StatementUnreadable:
    return StatementUnreadable(
        None,
        "The file is protected with a password.",
        advice="take the password off (Save As in Excel) and upload it again",
    )


def _damaged() -> StatementUnreadable:
    return StatementUnreadable(None, "The Excel file is damaged, or far larger than a statement.")
