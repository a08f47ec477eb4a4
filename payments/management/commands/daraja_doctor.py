"""Looks whether the shop can take money, part by part: settings, short code, database, migrations, worker, spool,
clocks, credentials, passkey, callback, mail. A line each, and under it what to do.

    python manage.py daraja_doctor

Safe on a live shop: it asks no phone and moves nothing. Exit code 1: something is wrong.
"""

from collections import Counter
from typing import Any

from django.core.management.base import CommandError

from djkraph.explained import ExplainedCommand
from payments.desk import counted
from payments.management.doctor import State, findings

SIGNS = {State.WELL: "ok   ", State.WRONG: "WRONG", State.UNKNOWN: "?    "}


class Command(ExplainedCommand):
    help = __doc__
    requires_system_checks = ()  # what they would say is among the lines

    def handle(self, *_args: Any, **_options: Any) -> None:
        states: Counter[State] = Counter()
        for each in findings():
            states[each.state] += 1
            self.stdout.write(f"{SIGNS[each.state]}  {each.part}: {each.said}")
            if each.to_do:
                self.stdout.write(f"         {each.to_do}")
        if wrong := states[State.WRONG]:
            raise CommandError(f"{counted(wrong, 'thing')} must be mended before the shop can take money.")
        unknown = states[State.UNKNOWN]
        self.stdout.write(f"Nothing is wrong{f', and {unknown} of it is not known' if unknown else ''}.")
