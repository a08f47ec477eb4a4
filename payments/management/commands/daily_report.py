"""One day of the shop in numbers and words: taken, success, why requests came to nothing, what needs a person (with
order codes), refunds, and whether the M-PESA statement agrees.

    python manage.py daily_report                            today, in Nairobi, so far
    python manage.py daily_report --date 2026-11-23          a day that is over: its takings don't change any more
    python manage.py daily_report --csv --output day.csv     for a spreadsheet

It changes nothing. No phone number is in it.
Exit code 1: something needs a person, or the statement doesn't agree (the report says what).
"""

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import Error

from djkraph.explained import ExplainedCommand
from payments import gateway
from payments.desk import BOM, as_csv, as_text, nairobi_day, read_day, report


class Command(ExplainedCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--date", metavar="YYYY-MM-DD", help="the day in Nairobi (today)")
        parser.add_argument("--csv", action="store_true", help="as a table for a spreadsheet")
        parser.add_argument("--output", metavar="FILE", help="write it there; an older file is replaced")

    def handle(self, *_args: Any, **options: Any) -> None:
        now = gateway.now()
        day = _day(options["date"], today=nairobi_day(now))
        try:
            made = report(day, now=now)
        except Error as away:
            raise CommandError("The database can't be reached. Check DATABASE_URL and try again.") from away
        text = as_csv(made) if options["csv"] else as_text(made)
        if options["output"]:
            _write(Path(options["output"]), f"{BOM}{text}" if options["csv"] else text)
            self.stdout.write(" ".join(made.summary))
        else:
            self.stdout.write(text, ending="")
        if made.needs_person:
            sys.exit(1)


def _day(typed: str | None, *, today: date) -> date:
    if typed is None:
        return today
    day = read_day(typed, today=today)
    if day is None:
        raise CommandError(
            f"There is no report of “{typed}”. Write a day until today as year-month-day, for example {today:%Y-%m-%d}."
        )
    return day


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as failed:
        raise CommandError(f"The report can't be written to {path}: {failed.strerror}.") from failed
