"""Tells Safaricom where payments made by hand to the paybill or till are to be told of (C2B), once for a short code.

    python manage.py register_c2b               says which addresses, and whether anything was told there
    python manage.py register_c2b --register    registers them

A short code has one pair of addresses. Where another system has them, they stay as they are and this says so; only the
self-service of the M-PESA portal deletes them. After a change of LEDGER_KEY the registered address goes on working as
long as the old key stands in LEDGER_KEY or LEDGER_KEYS_RETIRED.
"""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import Error

from djkraph.explained import ExplainedCommand
from payments import gateway
from payments.daraja import DarajaError
from payments.gateway import release_connection, token_hash
from payments.models import CallbackDelivery

SHOWN = 6  # characters of the secret part


class Command(ExplainedCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--register", action="store_true")

    def handle(self, *_args: Any, register: bool, **_options: Any) -> None:
        code = gateway.merchant().short_code
        try:
            self.stdout.write(_registered(code) if register else _told(code))
        except DarajaError as no_answer:
            raise CommandError(f"Safaricom did not register them: {no_answer.message}") from no_answer
        except Error as away:
            raise CommandError("The database can't be reached. Check DATABASE_URL and try again.") from away


def _told(code: str) -> str:
    addresses = "\n".join(f"  {_shortened(address)}" for address in gateway.notice_addresses())
    heard = CallbackDelivery.objects.filter(
        token_hash__in=[token_hash(token) for token in gateway.notice_tokens()]
    )
    last = heard.order_by("-id").first()
    when = (
        f"{heard.count()} were told, the last {last.received_at:%Y-%m-%d %H:%M} UTC."
        if last
        else "None was told yet."
    )
    return f"{code}: payments by hand are to be told of at\n{addresses}\n{when}"


def _shortened(address: str) -> str:
    """The secret part is nobody's business."""
    front, _, secret = address.rpartition("/")
    return f"{front}/{secret[:SHOWN]}…"


def _registered(code: str) -> str:
    confirmation, validation = gateway.notice_addresses()
    release_connection()
    told = gateway.client().register_c2b(confirmation_url=confirmation, validation_url=validation)
    if told.new:
        return f"{code}: the addresses are registered."
    return (
        f"{code}: there are addresses already, ours or another system's; nothing was changed. Only the self-service of "
        "the M-PESA portal deletes them."
    )
