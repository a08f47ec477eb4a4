"""Checks the whole ledger: every chain of events, every state against its events, every receipt, posting and refund
against its payment, every order against what paid it, and every seal with each row that it lists. Prints what is wrong;
exit code 1 if anything is. Shows how far it is on a terminal.

With --seal it also holds the ledger against a seal that was printed and kept elsewhere."""

import argparse
import re
import sys
from typing import Any

from django.core.management.base import BaseCommand

from payments import ledger

PRINTED = re.compile(r"(\d{1,18}):([0-9a-fA-F]{64})", re.ASCII)


def printed(text: str) -> tuple[int, str]:
    found = PRINTED.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("a printed seal is given as NUMBER:HASH, the hash in 64 hex digits")
    return int(found[1]), found[2]


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--seal",
            type=printed,
            action="append",
            default=[],
            metavar="NUMBER:HASH",
            help="a seal as seal_ledger printed it; more than one may be named",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        checked = seals = found = 0
        for number, digest in options["seal"]:
            if (fault := ledger.fault_of_printed(number, digest)) is not None:
                found += 1
                self.stdout.write(str(fault))
        for part in ledger.check():
            checked, seals, found = (
                checked + part.attempts,
                seals + part.seals,
                found + len(part.faults),
            )
            self._progress("" if part.is_last or part.faults else _so_far(part, checked, seals))
            for fault in part.faults:
                self.stdout.write(str(fault))
        if found:
            self.stdout.write(f"{checked} payments checked: {found} faults. Nothing was changed.")
            sys.exit(1)
        self.stdout.write(f"{checked} payments checked: all is as their events say.")
        newest = ledger.newest_seal()
        self.stdout.write(
            f"{seals:,} seals checked: every row stands as it was sealed. {newest.in_words()}"
            if newest
            else "Nothing is sealed yet: start the worker, or run seal_ledger."
        )

    def _progress(self, words: str) -> None:
        """In one line of its own, which what is printed takes over."""
        if self.stderr.isatty():
            self.stderr.write(f"\r{words:<50}" if words else f"\r{'':<50}\r", ending="")
            self.stderr.flush()


def _so_far(part: ledger.Checked, checked: int, seals: int) -> str:
    if part.next.part is ledger.Part.SEALS:
        return f"{checked:,} payments and {seals:,} seals checked …"
    return f"{checked:,} payments checked …"
