"""Who waits for a question to Daraja, in four lanes, and which of them the next one is for. Asks nothing itself.

A turn is a lane's by its number, so that each lane has its share however long the others are; a turn whose lane is
empty goes to the first lane where somebody waits. Buyers on the page and staff leave their names in Awaited; the other
two lanes are the attempts whose check is due.
"""

from datetime import datetime, timedelta
from enum import IntEnum

from django.db.models import Q

from payments.facts import IS_LIVE
from payments.models import Awaited, MpesaTransaction


class Lane(IntEnum):
    """In the order of who goes first where a turn is to spare."""

    BUYER = 1  # waits on the page
    STAFF = 2
    YOUNG = 3  # its callback is late, and nobody is seen to wait
    WATCHED = 4  # all others that are followed up


# Whose each turn is, over and over: a buyer waits for two of them at most, staff for four.
TURNS = (
    Lane.BUYER, Lane.STAFF, Lane.BUYER, Lane.YOUNG, Lane.BUYER, Lane.STAFF, Lane.BUYER, Lane.WATCHED,
)  # fmt: skip
YOUNG_FOR = timedelta(minutes=15)
WAITS_FOR = {Lane.BUYER: timedelta(seconds=30), Lane.STAFF: timedelta(minutes=10)}  # unless seen again
SEEN_AGAIN_AFTER = timedelta(seconds=10)  # a page polls every three seconds: not each poll is worth a write


def wait_in(lane: Lane, attempt_id: int, *, now: datetime) -> None:
    """Somebody waits to hear of this attempt and could have no turn. One attempt waits in one lane: the first that it
    came to, save that a buyer goes before staff."""
    known = Awaited.objects.filter(attempt_id=attempt_id)
    row = known.values_list("lane", "seen_at").first()
    if row is None:
        new = Awaited(attempt_id=attempt_id, lane=lane, since=now, seen_at=now)
        Awaited.objects.bulk_create([new], ignore_conflicts=True)
    elif lane < row[0]:
        known.update(lane=lane, seen_at=now)
    elif abs(now - row[1]) > SEEN_AGAIN_AFTER:
        known.update(seen_at=now)


def was_served(attempt_id: int) -> None:
    Awaited.objects.filter(attempt_id=attempt_id).delete()


def whose(turn: int, *, now: datetime) -> Lane | None:
    """The lane that this turn is for, as they stand now; None: nobody waits."""
    lanes = (TURNS[turn % len(TURNS)], *Lane)
    return next((lane for lane in lanes if first_of(lane, now=now) is not None), None)


def may_take(lane: Lane, turn: int, *, attempt_id: int, now: datetime) -> bool:
    """Whether somebody of this lane, who is here now, may have this turn for this attempt: it is their lane's, or
    nobody else waits in the lane whose it is, or in one that goes before theirs."""
    its_own = TURNS[turn % len(TURNS)]
    before = (its_own, *(other for other in Lane if other < lane))
    return its_own is lane or not any(first_of(each, now=now, but=attempt_id) for each in before)


def is_spare(turn: int, *, now: datetime) -> bool:
    """Whether a question about no attempt of ours may have this turn: it is the watched ones', or nobody waits in a
    lane that goes before theirs."""
    before = (Lane.BUYER, Lane.STAFF, Lane.YOUNG)
    return TURNS[turn % len(TURNS)] is Lane.WATCHED or not any(first_of(each, now=now) for each in before)


def is_anybody_waiting(*, now: datetime) -> bool:
    """A buyer on the page, or staff."""
    return any(first_of(lane, now=now) is not None for lane in WAITS_FOR)


def first_of(lane: Lane, *, now: datetime, but: int | None = None) -> int | None:
    """The id of the attempt that waits longest in this lane, other than this one."""
    if lane in WAITS_FOR:
        _forget_who_left(lane, now=now)
        waiting = Awaited.objects.filter(lane=lane).order_by("since", "id")
        return next(
            (found for found in waiting.values_list("attempt_id", flat=True)[:2] if found != but), None
        )
    young = IS_LIVE & Q(created_at__gt=now - YOUNG_FOR)
    due = MpesaTransaction.objects.filter(young if lane is Lane.YOUNG else ~young, next_check_at__lte=now)
    seen = Awaited.objects.filter(
        seen_at__gt=now - WAITS_FOR[Lane.BUYER]
    )  # somebody waits for those: not here
    due = due.exclude(checkout_request_id=None).exclude(id__in=seen.values("attempt_id"))
    ids = due.order_by("next_check_at").values_list("id", flat=True)
    return next((found for found in ids[:2] if found != but), None)


def _forget_who_left(lane: Lane, *, now: datetime) -> None:
    """Whoever was not seen for a while has left the page. (One who was seen in the future saw another clock.)"""
    gone = Q(seen_at__lt=now - WAITS_FOR[lane]) | Q(seen_at__gt=now + WAITS_FOR[lane])
    left = Awaited.objects.filter(gone, lane=lane)
    if left.exists():
        left.delete()
