"""Prints the life of a payment as a Mermaid diagram, drawn from the table in payments/states.py."""

from typing import Any

from django.core.management.base import BaseCommand

from payments.states import PUBLIC, TRANSITIONS, State


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(diagram())


def diagram() -> str:
    """One arrow per move; events that move nothing are left out."""
    moves = [f"    {old} --> {new}: {event}" for (old, event), new in TRANSITIONS.items() if old != new]
    words = [f"    {state}: {state} ({PUBLIC[state]})" for state in State]
    return "\n".join(["stateDiagram-v2", *words, f"    [*] --> {State.CREATED}", *moves])
