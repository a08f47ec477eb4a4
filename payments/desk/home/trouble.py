"""What is wrong with the shop as a whole just now, each with what to do. It goes when its cause does: nothing is kept.

Reads only; nothing about one payment here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db.models import Exists, OuterRef, Subquery

from payments import callbacks, ledger
from payments.checkout import SET_UP_REFUSED
from payments.desk.words import counted, moment, span
from payments.enquiries import WORKER, WORKER_WITHIN
from payments.models import AlertMessage, CallbackDelivery, Heartbeat, MpesaTransaction, PaymentEvent
from payments.states import Event

SILENT_PUSHES = 5  # so many in a row without any callback are no accident
CALLBACK_WITHIN = timedelta(minutes=2)  # a prompt nobody answers is called back about after a minute
LOOK_BACK = timedelta(days=1)
TRIES = 3  # so often a message to people failed before it is said here: within ten minutes
NEWEST = 50  # attempts in which the last word of Safaricom on our set-up is looked for

START_THE_WORKER = "python manage.py reconcile_payments --watch"


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """`tone`: bad | warn. `what` and `to_do` are sentences, `command` is what to type, `words` are Safaricom's own."""

    key: str
    tone: str
    what: str
    to_do: str
    command: str = ""
    words: str = ""


def troubles(*, now: datetime, spool_folder: Path) -> list[Trouble]:
    """All of it, the worst first."""
    waiting = callbacks.count_spooled(spool_folder)
    found = [_set_up_refused(), None if waiting else _no_callbacks(now), _worker(now) or _unsealed(now)]
    return [*(each for each in found if each is not None), *_on_disk(waiting, spool_folder), *_untold()]


def _set_up_refused() -> Trouble | None:
    """The newest push that Safaricom took or refused for our set-up decides; any other refusal says nothing of it."""
    refusal = PaymentEvent.objects.filter(attempt=OuterRef("pk"), kind=Event.REFUSED).order_by("number")
    newest = MpesaTransaction.objects.order_by("-id").values("checkout_request_id", "created_at")
    for attempt in newest.annotate(refusal=Subquery(refusal.values("facts")[:1]))[:NEWEST]:
        if attempt["checkout_request_id"] is not None:
            return None
        if _is_set_up(attempt["refusal"] or {}):
            return Trouble(
                key="set_up_refused",
                tone="bad",
                what=f"Safaricom refuses the shop itself, so nobody can pay: last on {moment(attempt['created_at'])}.",
                to_do="Whoever runs the server checks the consumer key and secret, the passkey and the paybill or "
                "till number. This goes away with the next request that Safaricom takes.",
                words=attempt["refusal"].get("description", ""),
            )
    return None


def _is_set_up(facts: dict[str, Any]) -> bool:
    return SET_UP_REFUSED.items() <= facts.items()


def _no_callbacks(now: datetime) -> Trouble | None:
    """Also a callback that is not believed, or not read yet, shows that the address can be reached."""
    taken = MpesaTransaction.objects.filter(
        created_at__gt=now - LOOK_BACK,
        created_at__lt=now - CALLBACK_WITHIN,
        checkout_request_id__isnull=False,
    )
    came = Exists(CallbackDelivery.objects.filter(attempt=OuterRef("pk")))
    unread = CallbackDelivery.objects.filter(verdict=CallbackDelivery.Verdict.RECEIVED)
    came_unread = Exists(unread.filter(token_hash=OuterRef("callback_token_hash")))
    newest = taken.order_by("-created_at").annotate(called_back=came | came_unread)
    called_back = list(newest.values_list("called_back", flat=True)[:SILENT_PUSHES])
    if len(called_back) < SILENT_PUSHES or any(called_back):
        return None
    return Trouble(
        key="no_callbacks",
        tone="bad",
        what=f"No callback has come for the last {SILENT_PUSHES} payment requests.",
        to_do="Safaricom can't reach the shop. Payments are still found, a little later, because the worker asks; "
        "their receipts are not. Whoever runs the server checks that the address in MPESA_CALLBACK_URL can be "
        "reached from the internet over https.",
    )


def _worker(now: datetime) -> Trouble | None:
    seen = Heartbeat.objects.filter(name=WORKER).values_list("at", flat=True).first()
    if seen is None:
        return Trouble(
            key="worker",
            tone="warn",
            what="The worker has never been seen.",
            to_do="It asks Safaricom about payments whose callback got lost; until it runs they stay open. Whoever "
            "runs the server starts it, and keeps it running, with:",
            command=START_THE_WORKER,
        )
    if now - seen <= WORKER_WITHIN:
        return None
    return Trouble(
        key="worker",
        tone="bad",
        what=f"The worker was last seen {span(now - seen)} ago.",
        to_do="Payments whose callback got lost stay open until it runs again. Whoever runs the server looks at its "
        "log and starts it with:",
        command=START_THE_WORKER,
    )


def _unsealed(now: datetime) -> Trouble | None:
    """The worker that is not there has been told of; one that is there and can't seal is another matter."""
    since = ledger.unsealed_since(now=now)
    if since is None:
        return None
    return Trouble(
        key="unsealed",
        tone="warn",
        what=f"What was written since {moment(since)} is not sealed.",
        to_do="Until it is, nobody would notice if it were taken away whole. The worker seals each minute; whoever "
        "runs the server looks at its log, or seals once with:",
        command="python manage.py seal_ledger",
    )


def _on_disk(waiting: int, folder: Path) -> Iterator[Trouble]:
    if waiting:
        yield Trouble(
            key="spool",
            tone="warn",
            what=counted(waiting, "callback from Safaricom waits", "callbacks from Safaricom wait")
            + " on disk.",
            to_do="The database was away when they came. The worker applies them within seconds of its return; if "
            "this stays, whoever runs the server starts the worker, or reads them once with:",
            command="python manage.py reconcile_payments",
        )
    if unreadable := callbacks.count_set_aside(folder):
        yield Trouble(
            key="spool_bad",
            tone="bad",
            what=f"{counted(unreadable, 'callback')} on disk can't be read.",
            to_do="Nothing was applied from the file ending in .bad in the spool folder (SPOOL_DIR). Keep it, compare "
            "the payments of that time with the M-PESA statement, then move the file elsewhere.",
        )


SETTINGS_OF = {AlertMessage.Channel.MAIL: "EMAIL_URL", AlertMessage.Channel.WEBHOOK: "ALERT_WEBHOOK_URL"}


def failing_messages() -> dict[str, AlertMessage]:
    """By channel: the newest message that doesn't arrive, where none has arrived since."""
    arrived = AlertMessage.objects.filter(
        channel=OuterRef("channel"), state=AlertMessage.State.SENT, id__gt=OuterRef("id")
    )
    failing = AlertMessage.objects.exclude(state=AlertMessage.State.SENT).filter(attempts__gte=TRIES)
    return {message.channel: message for message in failing.exclude(Exists(arrived)).order_by("id")}


def _untold() -> Iterator[Trouble]:
    """It is told by the other channel, and it goes when one arrives."""
    newest = failing_messages()
    for channel, setting in SETTINGS_OF.items():
        if message := newest.get(channel):
            yield Trouble(
                key=f"untold_{channel}",
                tone="bad",
                what=f"People can't be told by {channel}: tried {counted(message.attempts, 'time')} since "
                f"{moment(message.made_at)}. {message.last_failure}",
                to_do=f"Whoever runs the server looks at {setting}. What was to be told stands in the desk, under "
                "Alerts.",
            )
