"""Reads a whole statement: finds the columns, reads the lines, weighs them against the totals."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import BinaryIO

from . import files, heading
from .cells import day_or_moment
from .errors import StatementUnreadable
from .kinds import with_sweeps
from .lines import LineReader
from .named import read_name
from .records import Statement
from .totals import doubts_about

MAX_ROWS = 200_000
LONGEST_NAME = 200


def read_statement(data: bytes | BinaryIO, *, filename: str, scrub: Callable[[str], str]) -> Statement:
    """The statement in these bytes, or StatementUnreadable; never another exception, whatever the bytes.

    What it is, its content decides; `filename` says the short code and the days of the newer export, which stand
    nowhere else, and helps to guess what a foreign file is. `scrub` blanks phone numbers: every text kept or quoted
    has been through it.
    """
    rows, above, columns_row = _find_columns(files.whole(data), filename)
    named = read_name(filename)
    with closing(rows):
        columns = heading.columns_of(columns_row) or {}
        packed = heading.is_packed(columns_row, columns, named=bool(named.short_code))
        heading.check_columns(len(above) + 1, columns_row, columns, packed=packed)
        reader = LineReader(columns, width=len(columns_row), packed=packed, scrub=scrub)
        for number, row in enumerate(rows, len(above) + 2):
            if number > len(above) + 1 + MAX_ROWS:
                raise _too_many()
            reader.take(number, row)
    facts = heading.read_facts(above)
    if packed and not facts.texts:
        facts = replace(facts, texts={"shortcode": named.short_code}, period=named.period)
    return _statement(facts, reader, scrub)


def _find_columns(data: bytes, filename: str) -> tuple[files.Rows, list[list[str]], list[str]]:
    """The rows under the columns, the rows above them, and the row that names them."""
    sample: list[list[str]] = []
    misread: StatementUnreadable | None = None
    for rows in files.candidates(data):
        above: list[list[str]] = []
        try:
            for row in itertools.islice(rows, heading.WITHIN):
                if heading.columns_of(row):
                    return rows, above, row
                above.append(row)
        except StatementUnreadable as bad:
            if bad.row is None:
                raise
            misread = misread or bad  # the wrong delimiter, perhaps
        rows.close()
        sample += above
    raise misread or heading.no_columns(sample, filename)


def _statement(facts: heading.Facts, reader: LineReader, scrub: Callable[[str], str]) -> Statement:
    lines = with_sweeps(reader.lines)
    short_code = re.search(r"(?<!\d)\d{5,7}(?!\d)", facts.texts.get("shortcode", ""), re.ASCII)
    withdrawn = facts.amounts["Total Withdrawn"]
    return Statement(
        short_code=short_code[0] if short_code else "",
        account_holder=scrub(facts.texts.get("accountholder", ""))[:LONGEST_NAME],
        account_name=scrub(facts.texts.get("account", ""))[:LONGEST_NAME],
        period_from=facts.period[0],
        period_to=facts.period[1],
        reported_at=day_or_moment(facts.texts.get("dateofreport", ""), end=True),
        opening_balance=facts.amounts["Opening Balance"],
        closing_balance=facts.amounts["Closing Balance"],
        total_paid_in=facts.amounts["Total Paid In"],
        total_withdrawn=abs(withdrawn) if withdrawn is not None else None,
        lines=tuple(lines),
        warnings=(*reader.notes, *doubts_about(facts, lines, reader.totals)),
    )


def _too_many() -> StatementUnreadable:
    return StatementUnreadable(
        None,
        f"The file has more than {MAX_ROWS:,} rows.",
        advice="export a shorter time period and upload the parts one by one",
    )
