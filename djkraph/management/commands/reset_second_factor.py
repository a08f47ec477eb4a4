"""For somebody who lost phone, passkeys and recovery codes: the desk asks for new ones at the next log-in."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from djkraph.staff import factors, sessions


class Command(BaseCommand):
    help = (
        "Forgets the second factors and recovery codes of one person and logs them out everywhere. At the next log-in "
        "the desk asks them to set up new ones. Be sure that it is they who ask."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user name at the desk")

    def handle(self, *_args: Any, name: str, **_options: Any) -> None:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"Nobody at the desk has the user name {name!r}.")
        had, ended = factors.forget(user), sessions.end_all(user)
        self.stdout.write(f"{name}: {had} second factors forgotten, {ended} sessions ended.")
