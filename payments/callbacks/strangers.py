"""What of strangers' posts the inbox takes, and for how long. Never in Safaricom's way: whatever comes from its
addresses, or on an address of ours, is taken however full the inbox is.
"""

import logging
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import QuerySet

from payments import gateway
from payments.models import CallbackDelivery

log = logging.getLogger(__name__)

PER_ADDRESS = 60  # posts an hour
UNREAD = 2000  # posts in all that nobody has looked at
HOUR = 3600  # seconds
FULL_FOR = 60  # seconds until it is looked at again whether there is room
BATCH = 1000

Verdict = CallbackDelivery.Verdict
NOT_OURS = (Verdict.HINT, Verdict.UNKNOWN_TOKEN, Verdict.UNREADABLE)


def are_too_many(address: str | None) -> bool:
    """From this address, or in all."""
    try:
        return int(cache.get(_key(address)) or 0) >= PER_ADDRESS or bool(cache.get("strangers:full"))
    except Exception:  # a cache that is away loses no callback
        log.exception("Strangers can't be counted")
        return False


def count(address: str | None) -> None:
    """One more has come from there."""
    try:
        cache.add(_key(address), 0, timeout=HOUR)
        cache.incr(_key(address))
        if count_unread() >= UNREAD:
            cache.set("strangers:full", True, timeout=FULL_FOR)
            log.warning("The inbox takes no more posts of strangers: too many are unread")
    except Exception:  # counted or not, it is kept
        log.exception("Strangers can't be counted")


def count_unread() -> int:
    """No further than it matters."""
    return _from_strangers().filter(reviewed_at=None)[:UNREAD].count()


def forget(*, now: datetime) -> int:
    """Removes what is old and was about no attempt of ours. How many there were, of as many as are removed at once."""
    before = now - timedelta(days=gateway.strangers_kept_days())
    old = list(
        _from_strangers().filter(attempt=None, received_at__lt=before).values_list("id", flat=True)[:BATCH]
    )
    CallbackDelivery.objects.filter(id__in=old).delete()
    return len(old)


def _from_strangers() -> QuerySet[CallbackDelivery]:
    return CallbackDelivery.objects.filter(verdict__in=NOT_OURS, from_safaricom=False)


def _key(address: str | None) -> str:
    return f"strangers:{address}"
