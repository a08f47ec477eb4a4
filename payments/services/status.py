"""How a payment stands now: one read, and at times one question to Daraja when its callback is overdue."""

from collections.abc import Callable
from datetime import datetime

from payments.selectors import Standing, standing
from payments.services import reconcile


def standing_now(poll_id: str, *, clock: Callable[[], datetime]) -> Standing | None:
    """None: no such payment. A poll asks Daraja only where it wins the claim on that attempt's next check."""
    now = clock()
    seen = standing(poll_id, now=now)
    if seen is None or seen.overdue_since is None:
        return seen
    due = reconcile.see(seen.attempt_id)
    if due.next_check_at is None or due.next_check_at > now:  # another poll was quicker, and asks already
        return standing(poll_id, now=now)
    if reconcile.settle_without_asking(due, now=now) or reconcile.ask(due, clock=clock) is not None:
        return standing(poll_id, now=clock())
    return seen
