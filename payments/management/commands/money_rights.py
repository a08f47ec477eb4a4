"""Prints docs/money-rights.md: who may do what with money, drawn from the desk's deeds and the roles of the shop."""

from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand

from payments.desk import DEEDS

ROLES = ("viewer", "cashier", "supervisor", "auditor")
HEAD = """\
# Who may do what with money

Drawn by `python manage.py money_rights` from `DEEDS` in `payments/desk/settlements/rights.py` and the roles as
`migrate` makes them; a test holds this page to what the command prints, and tries each cell at the desk. Who may do it
may also confirm or decline what somebody else proposed of its kind. The owner (a superuser) may do all of it, within
the same limit.

*Limit*: counts in its person's day (`SETTLED_ALONE_UP_TO_KES`), and waits for a second person above it."""


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(page())


def page() -> str:
    held = {role: _permissions(role) for role in ROLES}
    rows = [
        _row(
            deed.label,
            f"`{deed.permission}`",
            *("yes" if deed.permission in held[role] else "refused" for role in ROLES),
            "yes" if deed.has_limit else "—",
        )
        for deed in DEEDS
    ]
    return "\n".join(
        [HEAD, "", _row("action", "permission", *ROLES, "limit"), "|---" * (len(ROLES) + 3) + "|", *rows]
    )


def _permissions(role: str) -> set[str]:
    found = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in found}


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
