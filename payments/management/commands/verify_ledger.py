"""Checks the whole ledger: every chain of events, every state against its events, every receipt, posting and refund
against its payment, every order against what paid it. Prints what is wrong; exit code 1 if anything is. Shows how far
it is on a terminal."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from payments import ledger


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        checked = found = 0
        for part in ledger.check():
            checked += part.attempts
            found += len(part.faults)
            self._progress("" if part.is_last or part.faults else f"{checked:,} payments checked …")
            for fault in part.faults:
                self.stdout.write(str(fault))
        if found:
            self.stdout.write(f"{checked} payments checked: {found} faults. Nothing was changed.")
            sys.exit(1)
        self.stdout.write(f"{checked} payments checked: all is as their events say.")

    def _progress(self, words: str) -> None:
        """In one line of its own, which what is printed takes over."""
        if self.stderr.isatty():
            self.stderr.write(f"\r{words:<50}" if words else f"\r{'':<50}\r", ending="")
            self.stderr.flush()
