"""What `manage.py daraja_doctor` looks at, one part at a time: each says how it is, and what to do where it isn't well.

Safe on a live shop: it asks no phone, moves nothing, and puts one question to Safaricom, about a payment that never
was, in a turn of the shared budget. Where a look depends on another that failed, it says so instead of guessing.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.core.mail import get_connection
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from djkraph.staff import factors
from payments import callbacks, daraja, enquiries, gateway
from payments.checks.live import is_public
from payments.models import CallbackDelivery, Heartbeat

NOBODYS_ID = "ws_CO_00000000000000000000"  # no payment has it, and no phone's digits are in it
MAY_DIFFER = timedelta(
    seconds=30
)  # clocks: a request is dated by this host's, and orders age by the database's
STARTS_WORKER = "python manage.py reconcile_payments --watch"
LATELY = timedelta(days=7)
# pay-bills that belong to banks: money is credited to an account there, and Daraja never tells their customers of it
BANKS: Mapping[str, str] = {
    "247247": "Equity Bank",
    "522522": "KCB",
    "400200": "Co-operative Bank",
    "303030": "Absa",
    "880100": "NCBA",
    "222111": "Family Bank",
    "542542": "I&M Bank",
    "600100": "Stanbic Bank",
    "516600": "Diamond Trust Bank",
    "329329": "Standard Chartered",
}


class State(Enum):
    WELL = "ok"
    WRONG = "wrong"
    UNKNOWN = "not known"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`said` and `to_do` are sentences; nothing is to be done where it is well."""

    part: str
    state: State
    said: str
    to_do: str = ""


def findings() -> Iterator[Finding]:
    """As they are found; what follows upon a question to Safaricom comes after a few seconds."""
    yield from _settings()
    yield _short_code()
    yield (database := _database())
    there = database.state is State.WELL
    yield _needing_database("migrations", there, _migrations)
    yield _needing_database("worker", there, _worker)
    yield _spool()
    yield _needing_database("clock", there, _clock)
    yield _their_clock()
    yield from _safaricom(there)
    yield _needing_database("callback", there, _callback)
    yield _mail()
    yield _needing_database("staff", there, _staff)


def _well(part: str, said: str) -> Finding:
    return Finding(part=part, state=State.WELL, said=said)


def _wrong(part: str, said: str, to_do: str) -> Finding:
    return Finding(part=part, state=State.WRONG, said=said, to_do=to_do)


def _unknown(part: str, said: str, to_do: str) -> Finding:
    return Finding(part=part, state=State.UNKNOWN, said=said, to_do=to_do)


# --- what is set ----------------------------------------------------------------------------------------


def _settings() -> Iterator[Finding]:
    found = run_checks(tags=["mpesa", "starting"])
    for each in found:
        yield _wrong("settings", str(each.msg), "Set it so, and start the shop again.")
    if not found:
        yield _well("settings", f"They make sense for {settings.MPESA_ENVIRONMENT}.")


def _short_code() -> Finding:
    paid = gateway.merchant()
    for code in gateway.short_codes():
        if code in BANKS:
            return _wrong(
                "short code",
                f"{code} is the pay-bill of {BANKS[code]}, not the shop's own.",
                "Daraja asks for money on a short code of your own: apply to Safaricom for a paybill or till.",
            )
    till = f", till {paid.till_number}" if paid.till_number else ""
    return _well("short code", f"{paid.short_code}{till}.")


# --- this shop ------------------------------------------------------------------------------------------


def _database() -> Finding:
    try:
        gateway.read_database()
    except Error:
        return _wrong("database", "It can't be reached.", "Check DATABASE_URL, and whether the server runs.")
    return _well("database", f"{connection.vendor} answers.")


def _needing_database(part: str, there: bool, look: Callable[[], Finding]) -> Finding:
    if there:
        try:
            return look()
        except Error:
            pass
    return _unknown(part, "It stands in the database.", "Mend the database or its migrations first.")


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    ahead = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if ahead:
        return _wrong("migrations", f"{len(ahead)} are not applied yet.", "Run: python manage.py migrate")
    return _well("migrations", "All are applied.")


def _worker() -> Finding:
    since = enquiries.worker_silent_since(now=gateway.now())
    if since is not None:
        return _wrong(
            "worker",
            f"It has not been seen since {timezone.localtime(since):%d %b %Y, %H:%M}.",
            f"Start it: {STARTS_WORKER}",
        )
    if not Heartbeat.objects.filter(name=enquiries.WORKER).exists():
        return _unknown("worker", "It has not been seen yet.", f"It runs with: {STARTS_WORKER}")
    return _well("worker", "It was seen within the last minutes.")


def _spool() -> Finding:
    folder = gateway.spool_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            waiting = callbacks.count_spooled(folder)
    except OSError as trouble:
        return _wrong(
            "spool",
            f"{folder} can't be written ({trouble.strerror}).",
            "Give the shop's user the right to write there, or set SPOOL_DIR.",
        )
    if waiting:
        return _unknown(
            "spool",
            f"{waiting} callbacks wait there for the database.",
            "The worker reads them within a minute; else: python manage.py replay_callbacks",
        )
    return _well("spool", "It can be written, and nothing waits there.")


def _clock() -> Finding:
    return _compared("clock", "the database's", gateway.read_database(), timedelta(0))


def _their_clock() -> Finding:
    said = gateway.client().their_time()
    if said is None:
        return _unknown("Safaricom's clock", "Safaricom did not answer.", "See below.")
    return _compared("Safaricom's clock", "Safaricom's", said, timedelta(seconds=1))


def _compared(part: str, whose: str, said: datetime, coarse: timedelta) -> Finding:
    ahead = datetime.now(UTC) - said  # this machine's own clock: it is what is looked at
    if abs(ahead) > MAY_DIFFER + coarse:
        how = "ahead of" if ahead > timedelta(0) else "behind"
        return _wrong(
            part,
            f"This machine's is {abs(ahead).total_seconds():,.0f} s {how} {whose}.",
            "Let it be set by the network (NTP): timedatectl set-ntp true",
        )
    return _well(part, f"This machine's agrees with {whose}.")


# --- Safaricom ------------------------------------------------------------------------------------------


def _safaricom(database_is_there: bool) -> Iterator[Finding]:
    """The credentials first: without a token nothing else can be asked."""
    if not database_is_there:
        for part in ("credentials", "passkey"):
            yield _unknown(
                part, "The token that all processes share stands in the database.", "Mend it first."
            )
        return
    credentials = _credentials()
    yield credentials
    if credentials.state is State.WELL:
        yield _passkey()
    else:
        yield _unknown("passkey", "It can only be tried with a token.", "Mend the line above first.")


def _credentials() -> Finding:
    try:
        gateway.client().authenticate()
    except daraja.Misconfigured as refused:
        return _wrong(
            "credentials",
            f"Safaricom refuses them: {refused.message}",
            "Copy MPESA_CONSUMER_KEY and MPESA_CONSUMER_SECRET once more from the app on the Daraja portal, and look "
            "whether it is an app of this MPESA_ENVIRONMENT.",
        )
    except daraja.DarajaError as away:
        return _unknown(
            "credentials",
            f"Safaricom gave no answer: {away.message}",
            "Can this machine reach it (firewall, name server)? Try again in a minute.",
        )
    return _well("credentials", "Safaricom gives a token for them.")


def _passkey() -> Finding:
    now = gateway.now()
    if not enquiries.take_turn(now=now):
        return _unknown(
            "passkey",
            "The shop's questions to Safaricom are all used up just now.",
            "Run this once more in a minute.",
        )
    answer = gateway.client().query(NOBODYS_ID)
    if answer.asked:
        return _well("passkey", "Safaricom takes a question that is signed with it.")
    words = answer.description.casefold()
    if "wrong credentials" in words:
        return _wrong(
            "passkey",
            "Safaricom refuses it for this short code.",
            "Copy MPESA_PASSKEY once more from the Go-Live e-mail: it belongs to one short code, for a till to its "
            "store number.",
        )
    if "merchant does not exist" in words:
        return _wrong(
            "passkey",
            "Safaricom doesn't know this short code.",
            "Check MPESA_BUSINESS_SHORT_CODE (for a till its store number) and MPESA_ENVIRONMENT.",
        )
    return _unknown(
        "passkey", f"Safaricom did not say: {answer.description}", "Run this once more in a minute."
    )


def _callback() -> Finding:
    """Only somebody outside can tell; a delivery of Safaricom's is proof."""
    address = settings.MPESA_CALLBACK_URL
    lately = CallbackDelivery.objects.filter(
        received_at__gte=gateway.now() - LATELY, attempt__isnull=False, from_safaricom=True
    )
    if (last := lately.order_by("-id").first()) is not None:
        return _well(
            "callback", f"Safaricom delivered on {timezone.localtime(last.received_at):%d %b %Y, %H:%M}."
        )
    if settings.MPESA_ENVIRONMENT == "simulator":
        return _well("callback", f"The simulator delivers to {address}.")
    if not is_public(urlsplit(address).hostname):
        return _wrong(
            "callback", f"{address} is not public.", "Set MPESA_CALLBACK_URL to a public https address."
        )
    return _unknown(
        "callback",
        "Nothing has come from Safaricom within a week.",
        f"From a phone that is not on this network open {address}/test: JSON must come. Then pay one shilling.",
    )


# --- people ---------------------------------------------------------------------------------------------


def _mail() -> Finding:
    if not gateway.alert_emails():
        return _unknown(
            "mail", "Nobody is told by mail.", "Set ALERT_EMAILS and EMAIL_URL if somebody should be."
        )
    if settings.EMAIL_BACKEND.endswith(".console.EmailBackend"):
        return _wrong("mail", "It is only printed.", "Say how mail leaves: EMAIL_URL.")
    line = get_connection()
    try:
        line.open()
        line.close()
    except OSError as trouble:  # smtplib's errors are OSErrors
        return _wrong(
            "mail",
            f"The server doesn't take it ({type(trouble).__name__}).",
            "Check EMAIL_URL: host, port, password.",
        )
    return _well("mail", "The server takes it.")


def _staff() -> Finding:
    if not User.objects.filter(is_active=True, is_staff=True, is_superuser=True).exists():
        return _wrong("staff", "Nobody is the owner yet.", "Make one: python manage.py createsuperuser")
    if lacking := factors.without_one():
        names = ", ".join(user.username for user in lacking)
        return _unknown(
            "staff",
            f"May move money, and has no second factor yet: {names}.",
            "The desk asks for it at the next log-in, and shows nothing before.",
        )
    return _well("staff", "There is an owner, and whoever must have a second factor has one.")
