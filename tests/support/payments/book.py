"""What stands in the book's accounts, for tests."""

from collections import Counter

from payments.models import Posting


def balances() -> dict[str, float]:
    """In shillings, accounts at zero left out: ours by debits less credits, what we owe the other way."""
    found: Counter[str] = Counter()
    for debit, credit, cents in Posting.objects.values_list("debit", "credit", "amount_cents"):
        found[credit] += cents
        found[debit] -= cents
    return {
        account: (-cents if account.startswith("mpesa:") else cents) / 100
        for account, cents in found.items()
        if cents
    }
