"""What one person's word alone may do about money: how much of the limit of a day in Nairobi is left to them, and who
is another person. Decisions by hand (manual/) and what only a file says (reconciliation/) are counted together. Decides
nothing, and writes nothing."""

import hashlib
from datetime import datetime, timedelta
from enum import Enum

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from payments import gateway
from payments.models import HandSettlement, StatementLine


class Voice(Enum):
    """What a person's word does to a decision about money."""

    ALONE = "may decide alone"
    WITH_ANOTHER = "needs a second person"
    NONE = "may not"


class AboveLimit(Exception):
    """With this the person's day would be above the limit: it waits for a second one."""


def voice_of(by: str, *, kes: int, now: datetime, proposed_by: str | None = None) -> Voice:
    """Of `by` on a decision that counts for so much. `proposed_by`: of one that waits, who proposed it."""
    if proposed_by is not None:
        return Voice.ALONE if is_another_person(by, proposed_by) else Voice.NONE
    return Voice.ALONE if kes <= left_kes(by, now=now) else Voice.WITH_ANOTHER


def is_another_person(one: str, other: str) -> bool:
    """Whether two user names are two people's. Two accounts with one e-mail address are one person's; an account
    without one says nothing of whose it is."""
    if one == other:
        return False
    emails = _emails()
    return one not in emails or emails[one] != emails.get(other)


def left_kes(by: str, *, now: datetime) -> int:
    """How much this person may still decide alone on this day. Not below 0."""
    return max(0, gateway.settled_alone_up_to() - decided_alone_kes(by, now=now))


def decided_alone_kes(by: str, *, now: datetime) -> int:
    """What rests on this person's word alone on this day in Nairobi, under whatever account: all kinds of decisions
    together, and what only their statements' files said. Lines that were voided since count: what they paid for may
    have been handed out."""
    start = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    end, accounts = start + timedelta(days=1), _accounts_of(by)
    decided = HandSettlement.objects.filter(
        decision=HandSettlement.Decision.DONE,
        needs_second=False,
        proposed_by__in=accounts,
        proposed_at__gte=start,
        proposed_at__lt=end,
    )
    brought = StatementLine.objects.filter(
        alone_at__gte=start, alone_at__lt=end, statement__uploaded_by__in=accounts
    )
    sums = decided.aggregate(kes=Sum("counts_kes")), brought.aggregate(kes=Sum("alone_kes"))
    return sum(each["kes"] or 0 for each in sums)


def hold(by: str, *, kes: int, now: datetime) -> None:
    """In the transaction that carries it out, last of its locks: until that ends nothing else that rests on this
    person's word can count its day without it. Raises AboveLimit."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("The limit is held together with the money.")
    _lock(by)
    if voice_of(by, kes=kes, now=now) is not Voice.ALONE:
        raise AboveLimit


def _lock(by: str) -> None:
    """The person, who may have no row of their own any more. (SQLite has one writer anyway.)"""
    if connection.vendor == "postgresql":
        person = _emails().get(by, by)
        key = int(hashlib.sha256(f"decides:{person}".encode()).hexdigest()[:15], 16)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def _accounts_of(by: str) -> list[str]:
    emails = _emails()
    email = emails.get(by)
    return [by, *(name for name, its in emails.items() if its == email and name != by)] if email else [by]


def _emails() -> dict[str, str]:
    """The address of each account that has one, as addresses are compared: capitals and blanks tell nobody apart. Only
    staff have accounts."""
    told = get_user_model().objects.exclude(email="").values_list("username", "email")
    return {name: cleaned for name, email in told if (cleaned := "".join(email.split()).casefold())}
