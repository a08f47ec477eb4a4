"""Taking in a statement of the M-PESA organisation portal: once, whole or not at all. Matches nothing (matching.py)."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Any

from django.db import IntegrityError, transaction

from djkraph import sql
from payments import gateway
from payments.models import Statement, StatementLine
from payments.phones import blank_phones
from payments.statement_file import Line, StatementUnreadable, read_statement
from payments.statement_file import Statement as Read

BATCH = 1000  # lines written at once
MANY = 5000  # lines of a file
ANOTHER_SHOPS = "export the statement of the shop's own short code and upload that"

Progress = Callable[[int, int], None]  # lines stored, of how many


@dataclass(frozen=True, kw_only=True)
class Imported:
    """`again`: this very file was there already, and nothing was changed."""

    statement: Statement
    again: bool


@dataclass(frozen=True, kw_only=True)
class ReadFile:
    """A file that was read and can be stored: its lines that count, and what a person should be told of it."""

    sha256: str
    file_name: str
    read: Read = field(repr=False)
    lines: Sequence[Line] = field(repr=False)
    period: tuple[datetime, datetime]
    warnings: tuple[str, ...]


def read_file(data: bytes, *, file_name: str) -> ReadFile:
    """Reads it and stores nothing. Raises StatementUnreadable, in a sentence for whoever uploaded it."""
    read = read_statement(data, filename=file_name, scrub=blank_phones)
    _refuse_another_shops(read)
    lines = [line for line in read.lines if line.counts and (line.paid_in or line.withdrawn)]
    return ReadFile(
        sha256=hashlib.sha256(data).hexdigest(),
        file_name=blank_phones(PurePath(file_name).name)[-200:] or "statement",
        read=read,
        lines=lines,
        period=_period(read, lines),
        warnings=(*read.warnings, *_not_named(read)),
    )


def import_file(
    data: bytes, *, file_name: str, by: str, now: datetime, progress: Progress = lambda _done, _total: None
) -> Imported:
    """Stores the statement and those of its lines that no earlier one brought. Raises StatementUnreadable."""
    known = earlier(data)
    if known is not None:
        return Imported(statement=known, again=True)
    file = read_file(data, file_name=file_name)
    try:
        with transaction.atomic(durable=True):
            return Imported(statement=_store(file, by=by, now=now, progress=progress), again=False)
    except IntegrityError:
        known = earlier(data)
        if known is None:
            raise
        return Imported(statement=known, again=True)  # uploaded twice in the same moment


def earlier(data: bytes) -> Statement | None:
    """The statement that this very file brought before."""
    return Statement.objects.filter(sha256=hashlib.sha256(data).hexdigest()).first()


def _store(file: ReadFile, *, by: str, now: datetime, progress: Progress) -> Statement:
    read = file.read
    statement = Statement.objects.create(
        sha256=file.sha256,
        file_name=file.file_name,
        uploaded_by=by,
        uploaded_at=now,
        short_code=read.short_code[:12],
        account=read.account_name[:60],
        period_from=file.period[0],
        period_to=file.period[1],
        opening_balance=read.opening_balance,
        closing_balance=read.closing_balance,
        total_paid_in=read.total_paid_in,
        total_withdrawn=read.total_withdrawn,
        lines_in_file=len(file.lines),
        warnings=list(file.warnings),
    )
    for done, batch in _batches(file.lines):
        # of an overlapping file that is stored in the same moment, the database leaves out what is there
        fresh = [_row(statement.pk, line) for line in _not_known(batch)]
        sql.insert_new(StatementLine, _COLUMNS, fresh)
        progress(done, len(file.lines))
    if len(file.lines) > MANY:
        sql.refresh_statistics(StatementLine)
    statement.lines_known = len(file.lines) - statement.lines.count()
    statement.save(update_fields=["lines_known"])
    return statement


def _batches(lines: Sequence[Line]) -> Iterator[tuple[int, Sequence[Line]]]:
    for start in range(0, len(lines), BATCH):
        batch = lines[start : start + BATCH]
        yield start + len(batch), batch


def _not_known(batch: Sequence[Line]) -> list[Line]:
    """Those that no earlier statement brought. One that came with another amount refuses the file."""
    receipts = {line.receipt for line in batch}
    names = ("receipt", "reason_type", "money_in", "paid_in", "withdrawn", "statement__file_name")
    found = StatementLine.objects.filter(receipt__in=receipts).values_list(*names)
    known = {(receipt, reason, money_in): rest for receipt, reason, money_in, *rest in found}
    fresh: list[Line] = []
    for line in batch:
        before = known.get((line.receipt, line.reason_type, line.paid_in > 0))
        if before is None:
            fresh.append(line)
        elif before[:2] != [line.paid_in, line.withdrawn]:
            raise StatementUnreadable(
                line.row,
                f"receipt {line.receipt} is KES {line.paid_in or line.withdrawn:,} here and KES "
                f"{before[0] or before[1]:,} in the statement {before[2]} that was uploaded before.",
            )
    return fresh


_COLUMNS = (
    "statement_id",
    "row",
    "kind",
    "receipt",
    "completed_at",
    "paid_in",
    "withdrawn",
    "money_in",
    "reason_type",
    "details",
    "other_party",
    "account_no",
    "linked_receipt",
    "match",
)


def _row(statement_id: int, line: Line) -> tuple[Any, ...]:
    """Its columns, in the order of _COLUMNS."""
    return (
        statement_id,
        line.row,
        line.kind.value,
        line.receipt,
        line.completed_at,
        line.paid_in,
        line.withdrawn,
        line.paid_in > 0,
        line.reason_type,
        line.details,
        line.other_party,
        line.account_no.upper(),
        line.linked_receipt,
        StatementLine.Match.NONE.value,
    )


def _refuse_another_shops(read: Read) -> None:
    ours = gateway.short_codes()
    if read.short_code and read.short_code not in ours:
        raise StatementUnreadable(
            None,
            f"This is the statement of short code {read.short_code}; the shop's is {' or '.join(ours)}.",
            advice=ANOTHER_SHOPS,
        )


def _not_named(read: Read) -> Iterator[str]:
    if not read.short_code:
        yield "The file does not say of which short code it is. Make sure that it is the shop's own."


def _period(read: Read, lines: Sequence[Line]) -> tuple[datetime, datetime]:
    """What the head says, stretched where lines lie outside of it: every line is within its statement's period."""
    times = [line.completed_at for line in lines if line.completed_at is not None]
    starts = [at for at in (read.period_from, min(times, default=None)) if at is not None]
    ends = [at for at in (read.period_to, max(times, default=None)) if at is not None]
    if not starts or not ends:
        raise StatementUnreadable(None, "The file names no time period and holds no completed line.")
    return min(starts), max(ends)
