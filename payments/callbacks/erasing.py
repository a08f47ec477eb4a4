"""What of the inbox says something of a person, and goes when it is old: the body, Daraja's id, the sender's address.
That something came, when, and what was made of it stays."""

from datetime import datetime

from django.db.models import Q

from djkraph.erasing import Erasable
from payments.models import CallbackDelivery


def erasable_deliveries(*, before: datetime) -> Erasable:
    holds = (
        ~Q(body="") | ~Q(checkout_request_id="") | Q(as_bytes__isnull=False) | Q(source_address__isnull=False)
    )
    old = CallbackDelivery.objects.filter(holds, received_at__lt=before)
    unread = Q(verdict=CallbackDelivery.Verdict.RECEIVED)
    return Erasable(
        what="callbacks",
        rows=old.exclude(unread),
        kept=old.filter(unread).count(),
        emptied={"body": "", "checkout_request_id": "", "as_bytes": None, "source_address": None},
    )
