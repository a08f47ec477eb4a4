"""What there is to tell just now: what needs a person, as `needs_person` lists it, and what is wrong with the shop, as
the desk's home says it. Reads only."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse

from payments import attention, desk, gateway
from payments.facts import UNPRICED
from payments.phones import blank_phones

AT_MOST = 1000  # of one kind, the oldest: a storm is a number, and not a mail of a thousand lines
RIPE_AFTER = timedelta(minutes=5)  # most of what is younger is mended by the next callback or question

# told as one thing, with their number: where another site's page names the amounts, every sale is one of these
AS_ONE = frozenset({UNPRICED.key})
SPOOL = "spool"  # told by its files, which say since when, and not by the home's sentence


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One thing to tell. `kind`: those of one kind are told together. `cents`, `since`: None where there is none.
    `count`: of how many it speaks."""

    key: str
    kind: str
    is_trouble: bool
    label: str
    what: str
    to_do: str
    path: str
    order: str | None = None
    receipt: str | None = None
    payment: str | None = None
    cents: int | None = None
    since: datetime | None = None
    count: int = 1

    def is_ripe(self, now: datetime) -> bool:
        return self.since is None or now - self.since >= RIPE_AFTER


@dataclass(frozen=True, kw_only=True)
class Standing:
    """`cut`: kinds of which there is more than was looked at, so that none of theirs is known to be over."""

    things: tuple[Thing, ...]
    cut: frozenset[str]

    def is_over(self, key: str) -> bool:
        """Whether what was told under this key, and stands no more, is known to be over."""
        return key.partition(":")[0] not in self.cut


def standing(*, now: datetime) -> Standing:
    things = (*_troubles(now), *_for_people(now))
    of_kind = Counter(thing.kind for thing in things if thing.count == 1)
    cut = frozenset(kind for kind, count in of_kind.items() if count >= AT_MOST)
    return Standing(things=things, cut=cut)


def _troubles(now: datetime) -> Iterator[Thing]:
    for trouble in desk.troubles(now=now, spool_folder=gateway.spool_folder()):
        if trouble.key == SPOOL:
            continue
        to_do = f"{trouble.to_do} {trouble.command}".strip()
        yield Thing(
            key=f"trouble:{trouble.key}",
            kind=f"trouble_{trouble.key}",
            is_trouble=True,
            label="Trouble",
            what=blank_phones(f"{trouble.what} {trouble.words}".strip()),
            to_do=to_do,
            path=reverse("admin:index"),
        )


def _for_people(now: datetime) -> Iterator[Thing]:
    """The oldest of those that are told as one speaks for all. What is no row of a table is trouble, and told as such;
    but for the callbacks on disk."""
    found = attention.rows(now=now, at_most=AT_MOST)
    rows = [row for row in found if row.pk is not None or row.work == SPOOL]
    count = Counter(row.work for row in rows)
    spoken_for = set()
    for row in rows:
        if row.work not in AS_ONE and row.work != SPOOL:
            yield _of(row)
        elif row.work not in spoken_for:
            spoken_for.add(row.work)
            yield _on_disk(row) if row.work == SPOOL else _all_like(row, count[row.work])


def _on_disk(row: attention.Row) -> Thing:
    return Thing(
        key=SPOOL,
        kind=SPOOL,
        is_trouble=True,
        label="Trouble",
        what=f"{row.label}: they came from Safaricom while the database was away.",
        to_do=row.to_do,
        path=reverse("admin:index"),
        since=row.since,
    )


def _all_like(row: attention.Row, count: int) -> Thing:
    work = desk.BY_KEY[row.work]
    return Thing(
        key=f"{row.work}:all",
        kind=row.work,
        is_trouble=False,
        label=row.label,
        what=work.what,
        to_do=row.to_do,
        path=work.address,
        since=row.since,
        count=count,
    )


def _of(row: attention.Row) -> Thing:
    work = desk.BY_KEY[row.work]
    return Thing(
        key=f"{row.work}:{row.pk}",
        kind=row.work,
        is_trouble=False,
        label=row.label,
        what=work.what,
        to_do=row.to_do,
        path=desk.address(work.kind, "change", row.pk),
        order=_said(row.order),
        receipt=_said(row.receipt),
        payment=row.payment,
        cents=row.cents,
        since=row.since,
    )


def _said(typed: str | None) -> str | None:
    """An order's reference, or a refund's, may be what a person typed: a phone number too."""
    return None if typed is None else blank_phones(typed)
