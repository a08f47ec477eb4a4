"""Checks the whole ledger: every chain of events, every state against its events, every paid order against the
payment that paid it. Prints what is wrong; exit code 1 if anything is."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from payments.services import audit


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        found = 0
        for fault in audit.faults():
            found += 1
            self.stdout.write(str(fault))
        checked = audit.attempts_checked()
        if found:
            self.stdout.write(f"{checked} payments checked: {found} faults. Nothing was changed.")
            sys.exit(1)
        self.stdout.write(f"{checked} payments checked: all is as their events say.")
