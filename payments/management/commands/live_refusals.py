"""Prints the table of docs/go-live.md: what a live shop refuses to start with, drawn from payments/checks/live.py."""

from typing import Any

from django.core.management.base import BaseCommand

from payments.checks import RULES


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(table())


def table() -> str:
    rows = [f"| `{rule.variable}` | {rule.wrong} | {rule} |" for rule in RULES]
    return "\n".join(["| variable | refused | what is said |", "|---|---|---|", *rows])
