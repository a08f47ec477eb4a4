"""Seals now what was written since the last seal, and prints the newest seal: its number, its rows and its hash. Kept
where nobody of the shop gets at it, it is what `verify_ledger --seal NUMBER:HASH` holds the ledger against.

The worker seals each minute by itself. The first time, the whole history is sealed, in as many seals as it needs."""

from typing import Any

from django.core.management.base import BaseCommand

from payments import gateway, ledger


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        made = rows = 0
        last = None
        for last in ledger.seal_all(clock=gateway.now):
            made, rows = made + 1, rows + last.rows
            self._progress(f"{rows:,} rows sealed …")
        self._progress("")
        if last is None:
            newest = ledger.newest_seal()
            self.stdout.write(
                f"Nothing new to seal. {newest.in_words()}" if newest else "There is nothing to seal yet."
            )
            return
        if made > 1:
            self.stdout.write(f"{made:,} seals over {rows:,} rows.")
        self.stdout.write(last.in_words())

    def _progress(self, words: str) -> None:
        """In one line of its own, which what is printed takes over."""
        if self.stderr.isatty():
            self.stderr.write(f"\r{words:<50}" if words else f"\r{'':<50}\r", ending="")
            self.stderr.flush()
