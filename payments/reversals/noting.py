"""An order to send money back is noted, once for each receipt, before anything is sent."""

from datetime import datetime

from django.db import IntegrityError, transaction

from payments import ledger
from payments.facts import REVERSAL_UNDER_WAY
from payments.ledger import CENTS
from payments.models import Receipt, Reversal

UNDER_WAY = (
    "Safaricom was ordered to send it back already: look how far that is before anything else goes back."
)


class Refusal(ValueError):
    """It can't be ordered as things stand; the message says why, to staff."""


def the_one_under_way(receipt_id: int) -> Reversal | None:
    return Reversal.objects.filter(REVERSAL_UNDER_WAY, receipt_id=receipt_id).first()


def refuse_beside_one(receipt_id: int) -> None:
    """In the transaction in which money of it goes another way, the receipt locked. Raises Refusal."""
    if the_one_under_way(receipt_id) is not None:
        raise Refusal(UNDER_WAY)


def hold(receipt_id: int) -> Receipt:
    """The receipt as it is now, locked until the transaction ends. Whoever writes its attempt too locks it first, as
    the ledger does."""
    return Receipt.objects.select_for_update(no_key=True).get(pk=receipt_id)


def note_decided(
    receipt_id: int, *, amount_kes: int, reason: str, decided_by: str, confirmed_by: str, now: datetime
) -> Reversal:
    """In the transaction in which it is decided. Raises Refusal."""
    receipt = hold(receipt_id)
    left = ledger.left_of(receipt)
    if not 0 < CENTS * amount_kes <= left:
        raise Refusal(f"KES {left / CENTS:,.2f} of this receipt is left to send back.")
    try:
        with transaction.atomic():
            return Reversal.objects.create(
                receipt=receipt,
                amount_kes=amount_kes,
                reason=reason,
                decided_by=decided_by,
                confirmed_by=confirmed_by,
                decided_at=now,
                next_look_at=now,
            )
    except IntegrityError as taken:
        raise Refusal(UNDER_WAY) from taken
