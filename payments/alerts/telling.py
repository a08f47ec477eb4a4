"""Which of what stands was told already, and the messages for what was not. Sends nothing (sending.py)."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction

from payments import gateway
from payments.alerts import words
from payments.alerts.things import Standing, Thing, standing
from payments.alerts.words import News
from payments.models import Alert, AlertMessage

AGAIN_AFTER = timedelta(days=1)
CAME_BACK_AFTER = timedelta(hours=1)  # what comes and goes is told once an hour, and not each minute
GAP = timedelta(minutes=5)  # between two rounds that tell something: one mail for a bad minute, not five
KEPT = timedelta(days=90)  # how long it is seen what people were told
AT_A_TIME = 500  # keys in one question

ONE_AT_A_TIME = 0x616C6572  # PostgreSQL's advisory lock: any number that nothing else uses

Channel = AlertMessage.Channel


def is_wanted() -> bool:
    """Whether anybody is to be told."""
    return bool(channels())


def channels() -> list[Channel]:
    found = [
        Channel.MAIL if gateway.alert_emails() else None,
        Channel.WEBHOOK if gateway.alert_webhook() else None,
    ]
    return [channel for channel in found if channel]


def look(*, now: datetime) -> list[AlertMessage]:
    """Writes a message for each channel of what is new. What is told is noted with its message, in one transaction:
    two who look at once tell nothing twice."""
    if not is_wanted():
        return []
    with transaction.atomic(durable=True):
        _one_at_a_time()
        if _told_just_now(now):
            return []
        return _tell(standing(now=now), now)


def _one_at_a_time() -> None:
    """Until the transaction ends. (SQLite has one writer anyway.)"""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])


def _told_just_now(now: datetime) -> bool:
    return AlertMessage.objects.filter(made_at__gt=now - GAP, made_at__lte=now).exists()


def _tell(found: Standing, now: datetime) -> list[AlertMessage]:
    _close(found, now)
    news = list(_news(found.things, now))
    if not news:
        return []
    _note([each.thing.key for each in news], now)
    return AlertMessage.objects.bulk_create(_messages(news, now))


def _close(found: Standing, now: datetime) -> None:
    stands = {thing.key for thing in found.things}
    told = Alert.objects.filter(closed_at=None).values_list("key", flat=True)
    over = [key for key in told if key not in stands and found.is_over(key)]
    for keys in _in_parts(over):
        Alert.objects.filter(key__in=keys).update(closed_at=now)


def _news(things: Sequence[Thing], now: datetime) -> Iterator[News]:
    ripe = [thing for thing in things if thing.is_ripe(now)]
    told = _told([thing.key for thing in ripe])
    for thing in ripe:
        alert = told.get(thing.key)
        if alert is None or _is_due_again(alert, now):
            yield News(thing=thing, again=alert is not None and alert.closed_at is None)


def _is_due_again(alert: Alert, now: datetime) -> bool:
    return now - alert.last_told_at >= (AGAIN_AFTER if alert.closed_at is None else CAME_BACK_AFTER)


def _told(keys: Sequence[str]) -> Mapping[str, Alert]:
    return {alert.key: alert for part in _in_parts(keys) for alert in Alert.objects.filter(key__in=part)}


def _in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """SQLite takes only so many values in one question."""
    return (keys[start : start + AT_A_TIME] for start in range(0, len(keys), AT_A_TIME))


def _note(keys: Sequence[str], now: datetime) -> None:
    """One that was told before keeps when it was told first."""
    Alert.objects.bulk_create(
        (Alert(key=key, first_told_at=now, last_told_at=now) for key in keys),
        batch_size=AT_A_TIME,
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["last_told_at", "closed_at"],
    )


def _messages(news: Sequence[News], now: datetime) -> Iterator[AlertMessage]:
    for channel in channels():
        public_id = uuid.uuid4()
        body = (
            words.text(news)
            if channel is Channel.MAIL
            else words.as_json(news, message_id=str(public_id), made_at=now)
        )
        yield AlertMessage(
            public_id=public_id,
            channel=channel,
            subject=words.subject(news),
            body=body,
            made_at=now,
            next_at=now,
        )


def forget(*, now: datetime) -> None:
    """Removes what was told long ago and is over."""
    AlertMessage.objects.filter(made_at__lt=now - KEPT).delete()
    Alert.objects.filter(closed_at__lt=now - KEPT).delete()
