"""The life of one payment attempt: its states, what can happen to it, and where each event leads. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from django.db.models import TextChoices


class State(TextChoices):
    CREATED = "created", "Being sent"
    PENDING = "pending", "Waiting for the buyer"
    UNKNOWN = "unknown", "No answer: checking"
    COMPLETED = "completed", "Paid"
    FAILED = "failed", "Not paid"
    EXPIRED = "expired", "Expired"


class Event(TextChoices):
    """What can move an attempt. Evidence, not wishes: each comes from Daraja's own words, or from the clock."""

    ACCEPTED = "accepted", "Safaricom took the request"
    REFUSED = "refused", "Safaricom refused the request"
    ANSWER_LOST = "answer_lost", "No usable answer to the request"
    CONFIRMED = "confirmed", "Paid"
    DECLINED = "declined", "Not paid"
    EXPIRED = "expired", "Given up waiting"
    UNDONE = "undone", "A settlement taken back"


class Public(TextChoices):
    """What the buyer's page is told."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"


S, E = State, Event

LIVE = (S.CREATED, S.PENDING, S.UNKNOWN)  # the phone may be ringing; one of these per order

# Every state under every event. Where the state stays as it is, the event is recorded all the same.
TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (S.CREATED, E.ACCEPTED): S.PENDING,
        (S.CREATED, E.REFUSED): S.FAILED,
        (S.CREATED, E.ANSWER_LOST): S.UNKNOWN,
        (S.CREATED, E.CONFIRMED): S.COMPLETED,  # the callback outran the push's answer
        (S.CREATED, E.DECLINED): S.FAILED,  # so did this one
        (S.CREATED, E.EXPIRED): S.EXPIRED,  # the process died before it could note anything
        (S.CREATED, E.UNDONE): S.CREATED,
        (S.PENDING, E.ACCEPTED): S.PENDING,
        (S.PENDING, E.REFUSED): S.PENDING,  # an id was given before: a refusal now can't undo a prompt
        (S.PENDING, E.ANSWER_LOST): S.PENDING,
        (S.PENDING, E.CONFIRMED): S.COMPLETED,
        (S.PENDING, E.DECLINED): S.FAILED,
        (S.PENDING, E.EXPIRED): S.EXPIRED,
        (S.PENDING, E.UNDONE): S.PENDING,
        (S.UNKNOWN, E.ACCEPTED): S.PENDING,  # the answer was late, not lost
        (S.UNKNOWN, E.REFUSED): S.FAILED,
        (S.UNKNOWN, E.ANSWER_LOST): S.UNKNOWN,
        (S.UNKNOWN, E.CONFIRMED): S.COMPLETED,
        (S.UNKNOWN, E.DECLINED): S.FAILED,
        (S.UNKNOWN, E.EXPIRED): S.EXPIRED,
        (S.UNKNOWN, E.UNDONE): S.UNKNOWN,
        (S.FAILED, E.ACCEPTED): S.FAILED,  # the callback outran the push's answer; only the ids are new
        (S.FAILED, E.REFUSED): S.FAILED,
        (S.FAILED, E.ANSWER_LOST): S.FAILED,
        (S.FAILED, E.CONFIRMED): S.COMPLETED,  # money that comes late is still money
        (S.FAILED, E.DECLINED): S.FAILED,
        (S.FAILED, E.EXPIRED): S.FAILED,
        (S.FAILED, E.UNDONE): S.FAILED,
        (S.EXPIRED, E.ACCEPTED): S.EXPIRED,
        (S.EXPIRED, E.REFUSED): S.EXPIRED,
        (S.EXPIRED, E.ANSWER_LOST): S.EXPIRED,
        (S.EXPIRED, E.CONFIRMED): S.COMPLETED,  # money that comes late is still money
        (S.EXPIRED, E.DECLINED): S.EXPIRED,  # the buyer was told already; nothing changes for anybody
        (S.EXPIRED, E.EXPIRED): S.EXPIRED,
        (S.EXPIRED, E.UNDONE): S.EXPIRED,
        # Only what a person or a statement said can turn out wrong. A refund is a record of its own.
        (S.COMPLETED, E.UNDONE): S.EXPIRED,
        (S.COMPLETED, E.ACCEPTED): S.COMPLETED,
        (S.COMPLETED, E.REFUSED): S.COMPLETED,
        (S.COMPLETED, E.ANSWER_LOST): S.COMPLETED,
        (S.COMPLETED, E.CONFIRMED): S.COMPLETED,
        (S.COMPLETED, E.DECLINED): S.COMPLETED,
        (S.COMPLETED, E.EXPIRED): S.COMPLETED,
    }
)

PUBLIC: Mapping[State, Public] = MappingProxyType(
    {
        S.CREATED: Public.PENDING,
        S.PENDING: Public.PENDING,
        S.UNKNOWN: Public.PENDING,
        S.COMPLETED: Public.COMPLETED,
        S.FAILED: Public.FAILED,
        S.EXPIRED: Public.FAILED,
    }
)


def next_state(state: State, event: Event) -> State:
    """Where this event leads from this state; the same state means "recorded, nothing moves"."""
    return TRANSITIONS[state, event]
