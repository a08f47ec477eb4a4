"""How each helper of the payments is just now, in a sentence without a name, a number or a word of somebody else:
whoever asks /health/ready hears it. None of them stops the taking of money. Reads only."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from payments import callbacks, enquiries, gateway, ledger
from payments.models import AlertMessage, MpesaTransaction
from payments.states import State

OK = "ok"
UNANSWERED = 5  # pushes in a row: no accident
LATELY = timedelta(minutes=10)
TRIES = 3  # so often a message failed before it is said


def parts(*, now: datetime) -> Mapping[str, str]:
    """By name: "ok", or what is wrong."""
    looks: Mapping[str, Callable[[datetime], str | None]] = {
        "safaricom": _safaricom,
        "worker": _worker,
        "seals": _seals,
        "spool": _spool,
        "mail": _mail,
        "webhook": _webhook,
    }
    return {part: look(now) or OK for part, look in looks.items()}


def _safaricom(now: datetime) -> str | None:
    if (since := gateway.no_token_since()) is not None:
        return f"Safaricom has given no token since {_moment(since)}: nobody can be asked to pay."
    newest = MpesaTransaction.objects.order_by("-id").values_list("created_at", "state")[:UNANSWERED]
    unanswered = [at for at, state in newest if now - at < LATELY and state == State.UNKNOWN]
    if len(unanswered) == UNANSWERED:
        return f"Safaricom has answered none of the last {UNANSWERED} payment requests."
    return None


def _worker(now: datetime) -> str | None:
    since = enquiries.worker_silent_since(now=now)
    return None if since is None else f"The worker has not been seen since {_moment(since)}."


def _seals(now: datetime) -> str | None:
    since = ledger.unsealed_since(now=now)
    return None if since is None else f"Entries of the ledger have not been sealed since {_moment(since)}."


def _spool(_now: datetime) -> str | None:
    folder = gateway.spool_folder()
    if callbacks.count_set_aside(folder):
        return "A callback on disk can't be read: see the desk's home."
    if waiting := callbacks.count_spooled(folder):
        return f"Callbacks wait on disk for the worker: {waiting}."
    return None


def _mail(_now: datetime) -> str | None:
    return _untold(AlertMessage.Channel.MAIL, "Mail has not left")


def _webhook(_now: datetime) -> str | None:
    return _untold(AlertMessage.Channel.WEBHOOK, "The webhook has not been reached")


def _untold(channel: str, sentence: str) -> str | None:
    """Where its newest message has failed several times, and none arrived after it."""
    messages = AlertMessage.objects.filter(channel=channel)
    arrived = messages.filter(state=AlertMessage.State.SENT, id__gt=OuterRef("id"))
    failing = messages.exclude(state=AlertMessage.State.SENT).filter(attempts__gte=TRIES)
    first = failing.exclude(Exists(arrived)).order_by("id").values_list("made_at", flat=True).first()
    return None if first is None else f"{sentence} since {_moment(first)}."


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
