"""Taking in a statement of the M-PESA organisation portal: once, whole or not at all. Matches nothing (matching.py)."""

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any

from django.db import IntegrityError, transaction

from djkraph import sql
from payments import gateway
from payments.models import MpesaTransaction, Statement, StatementLine
from payments.phones import blank_phones
from payments.reconciliation import kept_files
from payments.reconciliation.agreeing import mark_differences
from payments.statement_file import NAIROBI, Kind, Line, StatementUnreadable, read_statement
from payments.statement_file import Statement as Read

log = logging.getLogger(__name__)

BATCH = 1000  # lines written at once
MANY = 5000  # lines of a file
LAG = timedelta(minutes=5)  # a line may need so long until the portal shows it
ANOTHER_SHOPS = "export the statement of the shop's own short code and upload that"
# of a short code's accounts, those that buyers pay into: a paybill's, a till's
WANTED = ("Utility Account", "Merchant Account")

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
    _refuse_another_account(read)
    lines = [line for line in read.lines if line.counts and (line.paid_in or line.withdrawn)]
    return ReadFile(
        sha256=hashlib.sha256(data).hexdigest(),
        file_name=blank_phones(PurePath(file_name).name)[-200:] or "statement",
        read=read,
        lines=lines,
        period=_period(read, lines),
        warnings=(*read.warnings, *_not_named(read), *_made_early(read)),
    )


def import_file(
    data: bytes, *, file_name: str, by: str, now: datetime, progress: Progress = lambda _done, _total: None
) -> Imported:
    """Stores the statement and those of its lines that no earlier one brought, and the file as it came. Raises
    StatementUnreadable."""
    erase_old_files(now=now)
    known = earlier(data)
    if known is not None:
        _keep(known.sha256, data)
        return Imported(statement=known, again=True)
    file = read_file(data, file_name=file_name)
    _keep(file.sha256, data)
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
    return Statement.objects.filter(sha256=hashlib.sha256(data).hexdigest(), voided_at=None).first()


def kept_file(statement: Statement) -> Path | None:
    """The file that it was read from, as it came. None: it was erased, or came before files were kept."""
    return kept_files.kept(gateway.statement_folder(), statement.sha256)


def erase_old_files(*, now: datetime) -> int:
    """Those that were kept long enough. What was read from them stays. How many."""
    before = now - timedelta(days=gateway.statement_files_days())
    return kept_files.erase_older(gateway.statement_folder(), before=before)


def _keep(sha256: str, data: bytes) -> None:
    """Before anything is stored: what nobody can open again, nobody can check."""
    try:
        kept_files.keep(gateway.statement_folder(), sha256, data)
    except OSError as full:
        log.exception("A statement's file could not be kept")
        raise StatementUnreadable(
            None,
            "The file could not be kept on the shop's disk (STATEMENTS_DIR).",
            advice="tell whoever runs the shop, and upload it again",
        ) from full


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
    statement.warnings = [*mark_differences(statement, file.lines), *file.warnings]
    statement.save(update_fields=["lines_known", "warnings"])
    return statement


def _batches(lines: Sequence[Line]) -> Iterator[tuple[int, Sequence[Line]]]:
    for start in range(0, len(lines), BATCH):
        batch = lines[start : start + BATCH]
        yield start + len(batch), batch


def _not_known(batch: Sequence[Line]) -> list[Line]:
    """Those that no earlier statement brought. One that came with another amount refuses the file."""
    receipts = {line.receipt for line in batch}
    names = tuple(name.name for name in fields(_Known))
    columns = (*names[:-1], "statement__file_name")
    known: dict[str, list[_Known]] = {}
    for values in StatementLine.objects.filter(receipt__in=receipts, voided_at=None).values_list(*columns):
        before = _Known(*values)
        known.setdefault(before.receipt, []).append(before)
    return [line for line in batch if _is_new(line, known.get(line.receipt, []))]


@dataclass(frozen=True, slots=True)
class _Known:
    """A line that an earlier file brought."""

    receipt: str
    reason_type: str
    kind: str
    money_in: bool
    paid_in: Decimal
    withdrawn: Decimal
    file_name: str


def _is_new(line: Line, known: Sequence[_Known]) -> bool:
    """A payment's receipt is one payment, and a fee's one fee, though one export says `Pay Utility` and the other
    `Pay Bill`."""
    same_way = [before for before in known if before.money_in == (line.paid_in > 0)]
    spelt_alike = [before for before in same_way if before.reason_type == line.reason_type]
    of_its_kind = [before for before in same_way if before.kind == line.kind]
    if any((each.paid_in, each.withdrawn) == (line.paid_in, line.withdrawn) for each in of_its_kind):
        return False
    contradicted = spelt_alike or (of_its_kind if line.kind is Kind.PAYMENT else [])
    if not contradicted:
        return True
    before = contradicted[0]
    if (before.paid_in, before.withdrawn) == (line.paid_in, line.withdrawn):
        return False  # known under a kind that it was given before
    raise StatementUnreadable(
        line.row,
        f"receipt {line.receipt} is KES {line.paid_in or line.withdrawn:,} here and KES "
        f"{before.paid_in or before.withdrawn:,} in the statement {before.file_name} that was uploaded before.",
    )


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
    if read.short_code and read.short_code not in ours and not _was_ours(read.short_code):
        raise StatementUnreadable(
            None,
            f"This is the statement of short code {read.short_code}; the shop's is {' or '.join(ours)}.",
            advice=ANOTHER_SHOPS,
        )


def _was_ours(short_code: str) -> bool:
    """Payments were asked under it before the shop's short code was changed."""
    return MpesaTransaction.objects.filter(short_code=short_code).exists()


def _refuse_another_account(read: Read) -> None:
    """A short code has several accounts, each with a statement of its own: only one of them is the till."""
    name = read.account_name
    if name and not any(wanted.split()[0].casefold() in name.casefold() for wanted in WANTED):
        raise StatementUnreadable(
            None,
            f"This is the statement of the account “{name}”; buyers pay into the {' or the '.join(WANTED)}.",
            advice=f"export the statement of the {' or the '.join(WANTED)} of the same short code and upload that",
        )


def _made_early(read: Read) -> Iterator[str]:
    if _ends_before(read):
        yield (
            f"The portal made this statement on {_said(read.reported_at)}, before its time period ends: it covers the "
            "time until then."
        )


def _ends_before(read: Read) -> bool:
    made, start, end = read.reported_at, read.period_from, read.period_to
    return made is not None and start is not None and end is not None and start <= made < end


def _said(at: datetime | None) -> str:
    return f"{at.astimezone(NAIROBI):%d-%m-%Y %H:%M:%S}" if at else ""


def _not_named(read: Read) -> Iterator[str]:
    if not read.short_code:
        yield "The file does not say of which short code it is. Make sure that it is the shop's own."


def _period(read: Read, lines: Sequence[Line]) -> tuple[datetime, datetime]:
    """What the head says, and no more: a line outside of it counts on its own day, and says nothing of the days
    between. Without a head, from the first line to the last."""
    start, end = read.period_from, read.period_to
    if start is not None and end is not None and start <= end:
        made = read.reported_at
        return start, max(start, made - LAG) if made and _ends_before(read) else end
    times = [line.completed_at for line in lines if line.completed_at is not None]
    if not times:
        raise StatementUnreadable(None, "The file names no time period and holds no completed line.")
    return min(times), max(times)
