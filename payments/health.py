"""How each helper of the payments is just now, in a sentence without a name, a number or a word of somebody else:
whoever asks /health/ready hears it. None of them stops the taking of money. Reads only."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from payments import callbacks, desk, enquiries, gateway, ledger
from payments.facts import IS_UNKNOWN
from payments.models import AlertMessage, MpesaTransaction

OK = "ok"
UNANSWERED = 5  # pushes in a row: no accident
LATELY = timedelta(minutes=10)


def parts(*, now: datetime) -> Mapping[str, str]:
    """By name: "ok", or what is wrong."""
    failing = desk.failing_messages()
    said = {
        "safaricom": _safaricom(now),
        "worker": _worker(now),
        "seals": _seals(now),
        "spool": _spool(),
        "mail": _untold(failing.get(AlertMessage.Channel.MAIL), "Mail does not leave"),
        "webhook": _untold(failing.get(AlertMessage.Channel.WEBHOOK), "The webhook is not reached"),
    }
    return {part: wrong or OK for part, wrong in said.items()}


def _safaricom(now: datetime) -> str | None:
    if (since := gateway.no_token_since()) is not None:
        return f"Safaricom has given no token since {_moment(since)}: nobody can be asked to pay."
    newest = list(MpesaTransaction.objects.order_by("-id").values_list("pk", flat=True)[:UNANSWERED])
    unanswered = MpesaTransaction.objects.filter(IS_UNKNOWN, pk__in=newest)
    if unanswered.filter(created_at__gt=now - LATELY).count() == UNANSWERED:
        return f"Safaricom has answered none of the last {UNANSWERED} payment requests."
    return None


def _worker(now: datetime) -> str | None:
    since = enquiries.worker_silent_since(now=now)
    return None if since is None else f"The worker has not been seen since {_moment(since)}."


def _seals(now: datetime) -> str | None:
    since = ledger.unsealed_since(now=now)
    return None if since is None else f"Entries of the ledger have not been sealed since {_moment(since)}."


def _spool() -> str | None:
    folder = gateway.spool_folder()
    if callbacks.count_set_aside(folder):
        return "A callback on disk can't be read: see the desk's home."
    if waiting := callbacks.count_spooled(folder):
        return f"Callbacks wait on disk for the worker: {waiting}."
    return None


def _untold(message: AlertMessage | None, sentence: str) -> str | None:
    return None if message is None else f"{sentence}: a message of {_moment(message.made_at)} waits."


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
