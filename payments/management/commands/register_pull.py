"""Tells Safaricom that this shop will ask for its transactions of the last 48 hours (Pull), once for a short code.

    python manage.py register_pull                         says whether Pull answers
    python manage.py register_pull --register 254722000000 registers it, with the phone of whoever answers for the shop

Without it an order to send money back whose answer was lost can only be found by a statement. A second registration
changes nothing: Safaricom says "already registered", and so does this.
"""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from djkraph.explained import ExplainedCommand
from payments import gateway
from payments.daraja import DarajaError
from payments.gateway import release_connection
from payments.phones import NotAPhone, read_msisdn


class Command(ExplainedCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--register", metavar="PHONE")

    def handle(self, *_args: Any, register: str | None, **_options: Any) -> None:
        release_connection()
        try:
            self.stdout.write(_looked() if register is None else _registered(register))
        except DarajaError as no_answer:
            raise CommandError(f"Safaricom gave no usable answer: {no_answer.message}") from no_answer


def _looked() -> str:
    code, now = gateway.merchant().short_code, gateway.now()
    page = gateway.client().pull(start=now - timedelta(hours=47), end=now, offset=0)
    if page.fetched:
        return f"{code}: Pull answers, with {len(page.rows)} transactions on its first page."
    return (
        f"{code}: Safaricom says 1001, which means nothing came in 48 hours, or that Pull is not registered. "
        "Register it with --register PHONE; where it was, that changes nothing."
    )


def _registered(phone: str) -> str:
    try:
        nominated = read_msisdn(phone)
    except NotAPhone as bad:
        raise CommandError(str(bad)) from bad
    code = gateway.merchant().short_code
    told = gateway.client().register_pull(
        nominated_number=nominated, callback_url=gateway.callback_url("pull")
    )
    return f"{code}: Pull is registered." if told.new else f"{code}: Pull was registered before."
