"""Seals made at the test's clock."""

from payments import ledger
from payments.ledger.seals import Entry, entries_of
from payments.models import Seal
from tests.support.payments.clock import Clock


def seal(clock: Clock) -> Seal | None:
    made = ledger.seal_next(now=clock())
    return Seal.objects.get(number=made.number) if made else None


def listed(made: Seal) -> list[Entry]:
    return list(entries_of(made.covers))
