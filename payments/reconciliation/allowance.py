"""How much of what only a file says may be paid on its uploader's word alone: the limit of one person's day. What is
above it waits for a second person. Finds no payment (candidates.py), and asks nobody (manual/)."""

import hashlib
import math
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from payments import gateway
from payments.models import HandSettlement, StatementLine


class AboveLimit(Exception):
    """With this the uploader's day would be above the limit: the line waits."""


class OfAFile(Protocol):
    """A line, with who brought it and who believed it (empty: nobody so far). `waits_since`: it was above the limit
    before."""

    @property
    def id(self) -> int: ...
    @property
    def uploaded_by(self) -> str: ...
    @property
    def believed_by(self) -> str: ...
    @property
    def waits_since(self) -> datetime | None: ...


class Allowance:
    """Of every uploader, as far as one step of matching knows; what is spent is counted anew."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now
        self._left: dict[str, int] = {}

    def covers(self, line: OfAFile, amount: Decimal) -> bool:
        """Whether the line may pay so much that nobody but its file says."""
        if amount <= 0 or line.believed_by:
            return True
        if line.waits_since is not None:
            return False
        by = line.uploaded_by
        if by not in self._left:
            self._left[by] = left_kes(by, now=self._now)
        return _whole(amount) <= self._left[by]

    def spend(self, line: OfAFile, amount: Decimal) -> None:
        """In the transaction that pays, last of its locks: nothing else that this person brings is counted without it.
        Raises AboveLimit."""
        if amount <= 0 or line.believed_by:
            return
        if not transaction.get_connection().in_atomic_block:
            raise RuntimeError("The limit is held together with the money.")
        kes = _whole(amount)
        _lock(line.uploaded_by)
        left = left_kes(line.uploaded_by, now=self._now)
        if kes > left:
            raise AboveLimit
        StatementLine.objects.filter(id=line.id).update(alone_at=self._now, alone_kes=kes)
        self._left.pop(line.uploaded_by, None)  # should this be undone, it is counted anew


def left_kes(by: str, *, now: datetime) -> int:
    """What this person's files may still pay on this day in Nairobi. Not below 0."""
    return max(0, gateway.settled_alone_up_to() - _decided_kes(by, now=now) - paid_alone_kes(by, now=now))


def paid_alone_kes(by: str, *, now: datetime) -> int:
    """What the files of this person, under whatever account, have paid on this day alone. Lines that were voided since
    count: what they paid for may have been handed out."""
    start, end = _day(now)
    paid = StatementLine.objects.filter(
        alone_at__gte=start, alone_at__lt=end, statement__uploaded_by__in=_accounts_of(by)
    )
    return paid.aggregate(kes=Sum("alone_kes"))["kes"] or 0


def is_another_person(one: str, other: str) -> bool:
    """Whether two user names are two people's: two accounts with one e-mail address are one person's."""
    return one not in _accounts_of(other)


def _decided_kes(by: str, *, now: datetime) -> int:
    """What this person settled alone by hand on this day: the same limit."""
    start, end = _day(now)
    done = HandSettlement.objects.filter(
        decision=HandSettlement.Decision.DONE,
        needs_second=False,
        proposed_by__in=_accounts_of(by),
        proposed_at__gte=start,
        proposed_at__lt=end,
    )
    return done.aggregate(kes=Sum("amount_kes"))["kes"] or 0


def _day(now: datetime) -> tuple[datetime, datetime]:
    start = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + timedelta(days=1)


def _whole(amount: Decimal) -> int:
    return math.ceil(amount)


def _accounts_of(by: str) -> list[str]:
    emails = _emails()
    email = emails.get(by)
    return [by, *(name for name, its in emails.items() if its == email and name != by)] if email else [by]


def _emails() -> dict[str, str]:
    """The address of each account that has one: capitals and blanks tell nobody apart. Only staff have accounts."""
    told = get_user_model().objects.exclude(email="").values_list("username", "email")
    return {name: cleaned for name, email in told if (cleaned := "".join(email.split()).casefold())}


def _lock(by: str) -> None:
    """The person, who may have no row of their own. (SQLite has one writer anyway.)"""
    if connection.vendor == "postgresql":
        person = _emails().get(by, by)
        key = int(hashlib.sha256(f"decides:{person}".encode()).hexdigest()[:15], 16)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
