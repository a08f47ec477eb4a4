"""What of a statement's lines says something of a person, and goes when it is old: who paid, and in which words. A line
that no payment was found for keeps it: somebody may still have to be found."""

from datetime import datetime

from django.db.models import Q

from djkraph.erasing import Erasable
from payments.models import StatementLine


def erasable_lines(*, before: datetime) -> Erasable:
    old = StatementLine.objects.filter(~Q(details="") | ~Q(other_party=""), completed_at__lt=before)
    needed = Q(match=StatementLine.Match.NONE, voided_at=None)
    return Erasable(
        what="lines of statements",
        rows=old.exclude(needed),
        kept=old.filter(needed).count(),
        emptied={"details": "", "other_party": ""},
    )
