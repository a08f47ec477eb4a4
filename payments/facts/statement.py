"""What is true of a statement as a whole. What its lines say, and whose they are, is reconciliation's."""

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
