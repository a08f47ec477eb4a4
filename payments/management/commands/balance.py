"""What stands at each short code by the book, beside what Safaricom says stands there, and what we owe.

    python manage.py balance                        all since the opening, which the first statement names
    python manage.py balance --day 2026-11-23       a day in Nairobi
    python manage.py balance --json                 for programs; amounts are KES

All figures of a short code are until the end of the statement that it is compared with. It changes nothing.
"""

import argparse
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from djkraph.explained import ExplainedCommand
from payments import gateway
from payments.desk import kes_of, moment, nairobi_day, read_day, shillings
from payments.reconciliation import Till, TrialBalance, trial_balance

OWED = {"orders": "Orders", "unclaimed": "Nobody's yet", "refunds_due": "To be sent back", "kept": "Kept"}


class Command(ExplainedCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--day", metavar="YYYY-MM-DD", help="the day in Nairobi (all since the opening)")
        parser.add_argument("--json", action="store_true", help="as one JSON object, for programs")

    def handle(self, *_args: Any, **options: Any) -> None:
        told = trial_balance(_day(options["day"]))
        if options["json"]:
            self.stdout.write(json.dumps(_plain(told)))
            return
        for line in _words(told):
            self.stdout.write(line)


def _day(typed: str | None) -> date | None:
    if typed is None:
        return None
    today = nairobi_day(gateway.now())
    day = read_day(typed, today=today)
    if day is None:
        raise CommandError(
            f"There is no balance of “{typed}”. Write a day until today as year-month-day, "
            f"for example {today:%Y-%m-%d}."
        )
    return day


def _plain(told: TrialBalance) -> dict[str, Any]:
    return {"short_codes": {till.short_code: _plain_till(till) for till in told.tills}} | {
        name: shillings(getattr(told, name)) for name in OWED
    }


def _plain_till(till: Till) -> dict[str, Any]:
    return {
        "opening": shillings(till.opening),
        "in": shillings(till.came),
        "out": shillings(till.out),
        "charges": shillings(till.charges),
        "to_bank": shillings(till.to_bank),
        "closing": shillings(till.closing),
        "theirs": None if till.theirs is None else shillings(till.theirs),
        "compared_with": till.compared_with,
        "difference": None if till.difference is None else shillings(till.difference),
    }


def _words(told: TrialBalance) -> Iterator[str]:
    for till in told.tills:
        yield f"Short code {till.short_code}{f', until {moment(till.until)}' if till.until else ''}"
        for name, cents in (
            ("Opening", till.opening),
            ("Came in", till.came),
            ("Went out", till.out),
            ("Charges", till.charges),
            ("To the bank", till.to_bank),
            ("Closing", till.closing),
        ):
            yield _line(name, cents)
        yield f"  {_compared(till)}"
    yield "What is owed, as the book stands now"
    for name, label in OWED.items():
        yield _line(label, getattr(told, name))


def _line(name: str, cents: int) -> str:
    return f"  {name:<16} {kes_of(cents):>18}"


def _compared(till: Till) -> str:
    if till.theirs is None or till.difference is None:
        return "No statement says what stood there."
    if not till.difference:
        return f"The statement says the same: {kes_of(till.theirs)}."
    side = "more" if till.difference > 0 else "less"
    return f"The statement says {kes_of(till.theirs)}: we hold {kes_of(abs(till.difference))} {side}."
