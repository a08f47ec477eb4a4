"""Everything that needs a person, the oldest first: why, which order, payment and receipt, and what to do.

    python manage.py needs_person            to read
    python manage.py needs_person --json     for programs, as one JSON list; amounts are KES

It changes nothing. Exit code 1: something needs a person.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError
from django.db import Error

from djkraph.explained import ExplainedCommand
from payments import attention, gateway
from payments.attention import Row
from payments.desk import counted, kes_of, moment, shillings


class Command(ExplainedCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="as one JSON list, for programs")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            found = self._write_json() if options["json"] else self._write_words()
        except Error as away:
            raise CommandError("The database can't be reached. Check DATABASE_URL and try again.") from away
        if found:
            sys.exit(1)

    def _write_json(self) -> int:
        """Row by row: there may be very many."""
        count = 0
        for count, row in enumerate(attention.rows(now=gateway.now()), start=1):
            self.stdout.write("[" if count == 1 else ",", ending="")
            self.stdout.write(json.dumps(_plain(row), ensure_ascii=False), ending="")
        self.stdout.write("]" if count else "[]")
        return count

    def _write_words(self) -> int:
        count = 0
        for row in attention.rows(now=gateway.now()):
            count += 1
            self.stdout.write(" · ".join(_parts(row)))
            self.stdout.write(f"    {row.to_do}")
        told = f"{counted(count, 'thing needs', 'things need')} a person."
        self.stdout.write(told if count else "Nothing needs a person.")
        return count


def _plain(row: Row) -> dict[str, Any]:
    return {
        "reason": row.reason,
        "label": row.label,
        "payment": row.payment,
        "order": row.order,
        "receipt": row.receipt,
        "amount_kes": None if row.cents is None else shillings(row.cents),
        "since": row.since.isoformat(),
        "to_do": row.to_do,
    }


def _parts(row: Row) -> Iterator[str]:
    yield f"{row.label}, since {moment(row.since)}"
    if row.order:
        yield f"order {row.order}"
    if row.receipt:
        yield f"receipt {row.receipt}"
    if row.cents is not None:
        yield kes_of(row.cents)
    if row.payment:
        yield f"payment {row.payment}"
