"""What is true of a statement as a whole, and of its lines as of it. What they say, and whose they are, is
reconciliation's."""

from datetime import datetime
from typing import Protocol

from django.db.models import Q

TILL_ACCOUNTS = ("utility", "merchant")  # the accounts of a short code that buyers pay into


class OfAnAccount(Protocol):
    """`account`: as the file names it; empty: it names none."""

    @property
    def account(self) -> str: ...


def is_of_the_till(statement: OfAnAccount) -> bool:
    """It is of the account that buyers pay into: a short code has others, whose balances say nothing of the till."""
    name = statement.account.casefold()
    return not name or any(account in name for account in TILL_ACCOUNTS)


IS_OF_THE_TILL = Q(account="") | Q(account__icontains="utility") | Q(account__icontains="merchant")


class Voidable(Protocol):
    """A statement, or a line. `voided_at`: when a person said that it is not to be believed."""

    @property
    def voided_at(self) -> datetime | None: ...


def stands(row: Voidable) -> bool:
    """What is void counts nowhere: in no total, no comparison, no balance, no time of anything."""
    return row.voided_at is None


STANDS = Q(voided_at=None)
