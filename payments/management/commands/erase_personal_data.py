"""Erases what says something of a person and is older than so many days: masked phones and their hashes, Daraja's ids
(they end in the number), the words of a buyer's page, references, e-mail addresses, payers on statements, the bodies of
callbacks, stored answers.

    python manage.py erase_personal_data --older-than 730            tells what would go, and changes nothing
    python manage.py erase_personal_data --older-than 730 --erase    and it is gone for good

Sums, receipts, events, postings and seals stay, and `verify_ledger` holds before and after. What still needs a person
(money to be sent back, a line nobody has explained) keeps who it is about, and is counted. Reasons that staff wrote are
part of the signed history: in them only numbers were blanked when they were written.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import Error

from djkraph.erasing import Erasable
from djkraph.explained import ExplainedCommand
from orders import services as orders
from payments import callbacks, checkout, gateway, ledger, lookups, reconciliation

LEAST_DAYS = 30  # younger ones are searched for by phone, when somebody says "I paid"


class Command(ExplainedCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", type=int, required=True, metavar="DAYS")
        parser.add_argument("--erase", action="store_true", help="Without it nothing is changed")

    def handle(self, *_args: Any, older_than: int, erase: bool, **_options: Any) -> None:
        if not LEAST_DAYS <= older_than <= 36_500:
            raise CommandError(
                f"--older-than is a number of days, {LEAST_DAYS} at least: what is younger is in use."
            )
        try:
            for each in _erasable(older_than):
                self._erase(each) if erase else self._tell(each)
        except Error as away:
            raise CommandError("The database can't be reached. Check DATABASE_URL and try again.") from away
        if not erase:
            self.stdout.write("Nothing was changed. With --erase it is gone for good.")

    def _tell(self, each: Erasable) -> None:
        self.stdout.write(f"{each.what}: {each.count():,} would be erased{_kept(each)}.")

    def _erase(self, each: Erasable) -> None:
        done = 0
        for done in each.erase():
            if done % 10_000 == 0:
                self.stdout.write(f"{each.what}: {done:,} …")
        self.stdout.write(f"{each.what}: {done:,} erased{_kept(each)}.")


def _kept(each: Erasable) -> str:
    return f", {each.kept:,} as old still need a person" if each.kept else ""


def _erasable(days: int) -> Iterator[Erasable]:
    before = gateway.now() - timedelta(days=days)
    yield ledger.erasable_attempts(before=before)
    yield ledger.erasable_ids(before=before)
    yield ledger.erasable_receipts(before=before)
    yield orders.erasable_emails(before=before)
    yield orders.erasable_references(before=before)
    yield callbacks.erasable_deliveries(before=before)
    yield lookups.erasable_lookups(before=before)
    yield reconciliation.erasable_lines(before=before)
    yield checkout.erasable_answers(before=before)
