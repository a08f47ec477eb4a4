"""Asks a phone for no payment any more, because its owner said so; or, with --allow-again, as before.

    python manage.py stop_prompts 0712345678
    python manage.py stop_prompts 0712345678 --allow-again

What it was asked for already stays as it is: a request that rings just now can be declined on the phone.
"""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import Error

from djkraph.explained import ExplainedCommand
from payments import gateway
from payments.models import StoppedPhone
from payments.phones import NotAPhone, mask, read_msisdn


class Command(ExplainedCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("phone")
        parser.add_argument("--allow-again", action="store_true")

    def handle(self, *_args: Any, phone: str, allow_again: bool, **_options: Any) -> None:
        try:
            msisdn = read_msisdn(phone)
        except NotAPhone as bad:
            raise CommandError(str(bad)) from bad
        hashes = gateway.phone_hashes(msisdn)
        try:
            if allow_again:
                removed, _ = StoppedPhone.objects.filter(phone_hash__in=hashes).delete()
                self.stdout.write(_allowed(mask(msisdn), was_stopped=bool(removed)))
                return
            StoppedPhone.objects.bulk_create(
                [StoppedPhone(phone_hash=hashes[0], phone_masked=mask(msisdn), at=gateway.now())],
                ignore_conflicts=True,
            )
        except Error as away:
            raise CommandError("The database can't be reached. Check DATABASE_URL and try again.") from away
        self.stdout.write(f"{mask(msisdn)} is asked for no payment any more.")


def _allowed(masked: str, *, was_stopped: bool) -> str:
    return f"{masked} may be asked to pay again." if was_stopped else f"{masked} was not stopped."
