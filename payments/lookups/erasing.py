"""What of the receipts that were told says something of a person, and goes when it is old: what the payer typed."""

from datetime import datetime

from djkraph.erasing import Erasable
from payments.models import Lookup


def erasable_lookups(*, before: datetime) -> Erasable:
    old = Lookup.objects.filter(told_at__lt=before).exclude(account_no="")
    waiting = old.filter(next_look_at__isnull=False)
    return Erasable(
        what="receipts told",
        rows=old.filter(next_look_at=None),
        kept=waiting.count(),
        emptied={"account_no": ""},
    )
