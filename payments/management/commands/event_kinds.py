"""Prints docs/events.md: every kind of event that a payment's history can hold, drawn from payments/ledger/kinds.py."""

from collections.abc import Collection
from typing import Any

from django.core.management.base import BaseCommand

from payments.ledger import FACTS, KINDS

HEAD = """\
# What a payment's history can hold

Drawn by `python manage.py event_kinds` from `KINDS` and `FACTS` in `payments/ledger/kinds.py`; a test holds this page
to what the command prints. Each event stands in `payments_paymentevent`, is signed, and holds the hash of the one
before it. A fact that is not declared for its kind is refused when the event is written, and a kind is never renamed.

*May hold*: no event holds all of these, and what is empty is left out. *Becomes the attempt's own*: what the attempt's
row must say from then on; `verify_ledger` tells the events again and compares."""


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(page())


def page() -> str:
    kinds = [
        f"| `{kind}` | {carries.what} | {_names(carries.facts)} | {_names(carries.becomes)} |"
        for kind, carries in KINDS.items()
    ]
    facts = [f"| `{name}` | {what} |" for name, what in FACTS.items()]
    return "\n".join(
        [
            HEAD,
            "\n## Kinds\n",
            "| kind | what it says | may hold | becomes the attempt's own |\n|---|---|---|---|",
            *kinds,
            "\n## Facts\n",
            "All of them are text; amounts are shillings, times ISO 8601.\n",
            "| fact | what it is |\n|---|---|",
            *facts,
        ]
    )


def _names(facts: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(facts)) or "—"
