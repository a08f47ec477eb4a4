"""When an attempt is asked about next: the columns that no event holds, since asking changes nothing of the money.

Whom to ask, and what to make of the answer, is decided in enquiries/.
"""

from datetime import datetime, timedelta

from django.db.models import F, Q

from payments import gateway
from payments.facts import CAME_TO_NOTHING, IS_LIVE, IS_PAID
from payments.models import MpesaTransaction
from payments.signing import key_id


def claim_check(
    attempt_id: int, *, checks: int, next_check_at: datetime | None, now: datetime, step: timedelta
) -> bool:
    """Wins the attempt's next check, or not: somebody else asks already. Sets the one after it."""
    as_it_was = MpesaTransaction.objects.filter(id=attempt_id, checks=checks, next_check_at=next_check_at)
    return as_it_was.update(next_check_at=now + step, checks=F("checks") + 1, last_check_at=now) == 1


def bring_check_forward(
    attempt_id: int, *, now: datetime, unless_asked_since: datetime, only_live: bool = False
) -> None:
    """It is asked about now, where it can be asked about, is not paid, and was not asked about just now."""
    quiet = Q(last_check_at=None) | Q(last_check_at__lte=unless_asked_since) | Q(last_check_at__gt=now)
    later = Q(next_check_at=None) | Q(next_check_at__gt=now)
    askable = MpesaTransaction.objects.filter(quiet, later, id=attempt_id).exclude(IS_PAID)
    if only_live:
        askable = askable.filter(IS_LIVE)
    askable.exclude(checkout_request_id=None).update(next_check_at=now)


def set_checks_back(*, by: timedelta) -> None:
    """All that is due goes back with the clock."""
    MpesaTransaction.objects.filter(next_check_at__isnull=False).update(next_check_at=F("next_check_at") - by)


def note_answer(attempt_id: int, *, now: datetime, was_last: bool) -> None:
    """Safaricom said paid or not paid. `was_last`: nobody asks about it any more."""
    answered = MpesaTransaction.objects.filter(id=attempt_id)
    if was_last:
        answered.update(last_answer_at=now, next_check_at=None)
    else:
        answered.update(last_answer_at=now)


def stop_checks(attempt_id: int) -> None:
    MpesaTransaction.objects.filter(id=attempt_id).update(next_check_at=None)


def stop_checks_without_id(attempt_id: int) -> None:
    """Where it has no id still: one that learned it in this moment is asked about."""
    MpesaTransaction.objects.filter(id=attempt_id, checkout_request_id=None).update(next_check_at=None)


def stop_checks_of_ended(attempt_id: int) -> None:
    """Where it came to nothing."""
    MpesaTransaction.objects.filter(CAME_TO_NOTHING, id=attempt_id).update(next_check_at=None)


def join_phone(hashes: list[str]) -> None:
    """A phone's earlier rows get the hash that its next one is written with: after a rotation of the key they would
    seem to be another phone's. `hashes`: of one number under each key, the one to write first.

    What each was written with at first, and that it is the same phone's, is kept with it, signed: its first event is
    bound to that.
    """
    if len(hashes) == 1:
        return
    earlier = MpesaTransaction.objects.filter(phone_hash__in=hashes[1:])
    for phone_hash, joined in list(earlier.values_list("phone_hash", "phone_joined").distinct().order_by()):
        first = first_hash(phone_hash, joined)
        same = earlier.filter(phone_hash=phone_hash, phone_joined=joined)
        same.update(phone_hash=hashes[0], phone_joined=join_of(first, hashes[0]))


def first_hash(phone_hash: str, joined: str | None) -> str:
    """The hash that a row was written with at first."""
    return joined.partition(":")[0] if joined else phone_hash


def join_of(first: str, phone_hash: str) -> str:
    """Says, signed, that both are hashes of one phone."""
    ring = gateway.keyring()
    return ":".join((first, key_id(ring.signing_key), ring.short_hash(_joins(first, phone_hash)) or ""))


def is_joined(joined: str | None, phone_hash: str) -> bool:
    """Whether the row says so truly. One that was never joined says nothing."""
    if joined is None:
        return True
    first, signed_with, digest = (*joined.split(":"), "", "")[:3]
    return gateway.keyring().short_hash(_joins(first, phone_hash), signed_with=signed_with) == digest


def _joins(first: str, phone_hash: str) -> list[str]:
    return ["phone", first, phone_hash]
