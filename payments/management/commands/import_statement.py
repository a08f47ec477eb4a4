"""Takes in an account statement exported from the M-PESA organisation portal (.csv, .xls or .xlsx), matches its lines
to payments and says whether the till agrees.

The same file twice changes nothing; what was left unmatched is tried again, since callbacks may have come meanwhile.
Stopping it at any point loses nothing: the next run goes on. Exit code 1: something needs a person (the summary says
what, the desk shows which).
"""

import argparse
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import Error

from djkraph.explained import ExplainedCommand
from payments import desk, gateway, reconciliation
from payments.models import Statement
from payments.reconciliation import Matched
from payments.statement_file import MAX_BYTES, StatementUnreadable


class Command(ExplainedCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the file as the portal exported it")
        parser.add_argument(
            "--by", default="the command line", metavar="NAME", help="who uploads it, for the records"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="read it, say what is in it, store nothing"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        data = _read(options["file"])
        try:
            if options["dry_run"]:
                self._dry_run(data, options["file"].name)
            else:
                self._import(data, options["file"].name, by=options["by"])
        except StatementUnreadable as bad:
            raise CommandError(str(bad)) from bad
        except Error as away:
            raise CommandError("The database can't be reached. Check DATABASE_URL and try again.") from away
        except KeyboardInterrupt:
            self.stderr.write("\nStopped. Nothing is lost: run it again and it goes on from here.")
            sys.exit(130)

    def _dry_run(self, data: bytes, name: str) -> None:
        if (known := reconciliation.earlier(data)) is not None:
            self.stdout.write(f"{name} is known: {known.uploaded_by} uploaded it as {known.file_name}.")
            return
        file = reconciliation.read_file(data, file_name=name)
        self._warn(file.warnings)
        paid_in = desk.kes(sum((line.paid_in for line in file.lines), Decimal(0)))
        self.stdout.write(
            f"{name}: {desk.counted(len(file.lines), 'line')}, {paid_in} paid in. Nothing was stored."
        )

    def _import(self, data: bytes, name: str, *, by: str) -> None:
        imported = reconciliation.import_file(
            data, file_name=name, by=by[:150], now=gateway.now(), progress=self._stored
        )
        stated = imported.statement
        if imported.again:
            reconciliation.begin_again(stated.pk)
        else:
            self._warn(stated.warnings)
        matched = reconciliation.match_all(stated.pk, clock=gateway.now, progress=self._matched)
        self._clear_line()
        comparison = desk.compare(stated)
        self.stdout.write(_summary(stated, matched, comparison, again=imported.again))
        if not comparison.is_settled:
            sys.exit(1)

    def _warn(self, warnings: Any) -> None:
        for warning in warnings:
            self.stderr.write(f"Note: {warning}")

    def _stored(self, done: int, total: int) -> None:
        self._progress(f"{done:,} of {total:,} lines stored …")

    def _matched(self, so_far: Matched) -> None:
        self._progress(f"{so_far.lines:,} lines looked up …")

    def _progress(self, words: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{words:<50}", ending="")
            self.stderr.flush()

    def _clear_line(self) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{'':<50}\r", ending="")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as bad:
        raise CommandError(f"The file {path} can't be read: {bad.strerror}.") from bad


def _summary(stated: Statement, matched: Matched, found: desk.Comparison, *, again: bool) -> str:
    fresh = "known already, nothing new was stored" if again else _lines_of(stated)
    counts = (
        (matched.by_receipt, "line matched by receipt", "lines matched by receipt"),
        (matched.receipts_learned, "awaited receipt filled in", "awaited receipts filled in"),
        (matched.found_paid, "payment found paid", "payments found paid"),
    )
    did = ", ".join(desk.counted(*each) for each in counts if each[0])
    person = ", ".join(f"{g.count:,} {g.title.lower()}" for g in found.groups if g.tone == "warn")
    return (
        f"{stated.file_name}: {fresh}. {(did or 'nothing new matched').capitalize()}. "
        f"Needs a person: {person or 'nothing'}. {found.verdict}"
    )


def _lines_of(stated: Statement) -> str:
    known = f" ({stated.lines_known:,} of them known before)" if stated.lines_known else ""
    return f"{desk.counted(stated.lines_in_file, 'line')}{known}"
