"""A message that waits, sent: taken by one process, let out with no transaction open, tried again with growing waits.
At least once: whoever dies between sending and noting it leaves it to be sent again, under the same id."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from payments import gateway
from payments.alerts.channels import NotDelivered, send_mail, send_webhook
from payments.models import AlertMessage

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
State = AlertMessage.State

# until the next try, after each that failed; after the last it is given up, and told again a day later
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60, 120, 240, 480))
LEASE = timedelta(minutes=5)  # longer than a try can take: then whoever had it is taken for dead


class TryAgain(Exception):
    """It was not delivered, and is due again at this time."""

    def __init__(self, at: datetime) -> None:
        super().__init__("A message to people was not delivered; it is tried again.")
        self.at = at


def waiting(*, now: datetime) -> QuerySet[AlertMessage, int]:
    """The ids of those that are due."""
    due = AlertMessage.objects.filter(state=State.WAITING, next_at__lte=now)
    return due.order_by("next_at").values_list("pk", flat=True)


def count_unsent() -> int:
    return AlertMessage.objects.filter(state=State.WAITING).count()


def deliver_due(*, clock: Clock) -> int:
    """Each that is due, once. How many were sent."""
    return sum(_sent(pk, clock) for pk in list(waiting(now=clock())))


def _sent(pk: int, clock: Clock) -> bool:
    try:
        return deliver(pk, clock=clock)
    except TryAgain:
        return False


def deliver(pk: int, *, clock: Clock) -> bool:
    """False: it is not due, or another process has it, or it was given up. Raises TryAgain."""
    message = _take(pk, clock())
    if message is None:
        return False
    gateway.release_connection()
    try:
        _send(message, int(clock().timestamp()))
    except NotDelivered as failed:
        _note_failure(message, str(failed), clock())
        return False
    _note(message, state=State.SENT, sent_at=clock(), next_at=None, last_failure="")
    return True


def _take(pk: int, now: datetime) -> AlertMessage | None:
    due = AlertMessage.objects.filter(pk=pk, state=State.WAITING, next_at__lte=now)
    if not due.update(next_at=now + LEASE, attempts=F("attempts") + 1):
        return None
    return AlertMessage.objects.get(pk=pk)


def _send(message: AlertMessage, at: int) -> None:
    message_id = str(message.public_id)
    if message.channel == AlertMessage.Channel.MAIL:
        if not (to := gateway.alert_emails()):
            raise NotDelivered("ALERT_EMAILS names nobody any more.")
        send_mail(to=to, subject=message.subject, body=message.body, message_id=message_id)
        return
    if (webhook := gateway.alert_webhook()) is None:
        raise NotDelivered("ALERT_WEBHOOK_URL is set no more.")
    send_webhook(webhook, body=message.body, message_id=message_id, at=at)


def _note_failure(message: AlertMessage, words: str, now: datetime) -> None:
    given_up = message.attempts > len(WAITS)
    fields = {"message": message.pk, "channel": message.channel, "tries": message.attempts}
    log.warning("A message to people was not delivered", extra={f"alert_{k}": v for k, v in fields.items()})
    if given_up:
        _note(message, state=State.GIVEN_UP, next_at=None, last_failure=words)
        return
    again_at = now + WAITS[message.attempts - 1]
    if _note(message, next_at=again_at, last_failure=words):
        raise TryAgain(again_at)


def _note(message: AlertMessage, **fields: object) -> bool:
    """False: this try took so long that another process has taken it meanwhile; that one's word counts."""
    mine = AlertMessage.objects.filter(pk=message.pk, state=State.WAITING, attempts=message.attempts)
    return bool(mine.update(**fields))
