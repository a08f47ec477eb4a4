"""What of attempts and receipts says something of a person, and goes when it is old.

Sums, codes of receipts, events, postings and seals stay as they are, and valid: an event is bound to a phone by a
salted commitment, and the salt goes too (verify.py); a seal covers what may be emptied by a hash of its own
(sealed_tables.py).
"""

import operator
from datetime import datetime
from functools import reduce

from django.db.models import Q, Value
from django.db.models.functions import Concat

from djkraph.erasing import Erasable
from payments.facts import IS_LIVE, IS_UNCLAIMED, LATE_SUCCESS, REASONS, UNPRICED
from payments.models import MpesaTransaction, Receipt

ERASED = "erased-"  # begins what stands where an id has to stand

# said of an attempt, and no reason to remember whose it was
_SAID_AND_DONE = (UNPRICED, LATE_SUCCESS)
_NEEDS_ITS_PERSON = reduce(operator.or_, (each.applies for each in REASONS if each not in _SAID_AND_DONE))


def erasable_attempts(*, before: datetime) -> Erasable:
    """Masked and hashed phone, what the buyer's page called it, Daraja's id (it ends in the number)."""
    old = MpesaTransaction.objects.filter(~Q(phone_hash=""), created_at__lt=before)
    needed = IS_LIVE | Q(next_check_at__isnull=False) | _NEEDS_ITS_PERSON
    return Erasable(
        what="payments",
        rows=old.exclude(needed),
        kept=old.filter(needed).count(),
        emptied={
            "phone_masked": "",
            "phone_hash": "",
            "phone_salt": None,
            "phone_joined": None,
            "opened_from": "",
            "description": "",
        },
    )


def erasable_ids(*, before: datetime) -> Erasable:
    """Of attempts whose phone is gone. There still was an id: that the phone rang is known by it."""
    erased = MpesaTransaction.objects.filter(phone_hash="", created_at__lt=before)
    told = erased.exclude(checkout_request_id=None).exclude(checkout_request_id__startswith=ERASED)
    return Erasable(
        what="ids of requests",
        rows=told,
        kept=0,
        emptied={"checkout_request_id": Concat(Value(ERASED), "public_id"), "merchant_request_id": ""},
    )


def erasable_receipts(*, before: datetime) -> Erasable:
    """Who paid, masked."""
    old = Receipt.objects.filter(~Q(payer_masked=""), told_at__lt=before)
    needed = IS_UNCLAIMED | Q(due_cents__gt=0) | Q(code=None, voided_at=None)
    return Erasable(
        what="receipts",
        rows=old.exclude(needed),
        kept=old.filter(needed).count(),
        emptied={"payer_masked": ""},
    )
