"""Sealing: a signed list, in one chain, of exactly the rows that came since the last seal. What a seal lists can't be
removed, reordered or rewritten unseen (verify_seals.py reads them again).

Transactions commit out of the order of their ids. So a seal also says which ids below its reach were absent and may
still come: a later seal takes those in. Once every transaction that can have been given such an id has ended, it may
come no more, and whatever stands there later was put in by another hand.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, OuterRef, Q, Subquery

from djkraph import sql
from payments import gateway
from payments.ledger.sealed_tables import EVENTS, POSTINGS, TABLES, Row, Table
from payments.models import PaymentEvent, Posting, Seal, SealedInPart
from payments.signing import Keyring, Sealed

ROWS_OF_A_TABLE = 1000  # that one seal takes in at most
BEFORE_ALL = -(2**62)  # an id that is none
RANGES_AT_ONCE = 100  # in one question
A_MOMENT = timedelta(seconds=10)  # from being given an id to having a transaction's number, by far
AT_MOST = timedelta(days=1)  # that a transaction lasts: then its ids are no longer waited for
UNSEALED_FOR = timedelta(minutes=10)

Range = tuple[int, int]  # from, to: both belong to it
Ids = dict[str, int]  # by the letter of the table


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Up to where ids had been given at this moment. All of them have come, or never will, once no transaction runs any
    more that is older than `until` (None: not known yet)."""

    at: datetime
    to: Ids
    until: int | None = None


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far a seal goes in each table: from after `since` `to` this id. What is `absent` below may still come, and
    nothing up to `settled`."""

    since: Ids = field(default_factory=dict)
    to: Ids = field(default_factory=dict)
    settled: Ids = field(default_factory=dict)
    absent: dict[str, list[Range]] = field(default_factory=dict)
    mark: Mark | None = None

    def awaits(self, letter: str, row_id: int) -> bool:
        return any(first <= row_id <= last for first, last in self.absent.get(letter, ()))

    def as_json(self) -> str:
        mark = self.mark and [self.mark.at.isoformat(), self.mark.until, self.mark.to]
        return _json(
            {
                "since": self.since,
                "to": self.to,
                "settled": self.settled,
                "absent": self.absent,
                "mark": mark,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Reach":
        told = json.loads(text)
        mark = told["mark"] and Mark(
            at=datetime.fromisoformat(told["mark"][0]), until=told["mark"][1], to=told["mark"][2]
        )
        absent = {letter: [(first, last) for first, last in each] for letter, each in told["absent"].items()}
        return cls(since=told["since"], to=told["to"], settled=told["settled"], absent=absent, mark=mark)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row in a seal. `payment`: public id and order's code; `name` is what a person knows the row by."""

    table: Table
    row_id: int
    name: str
    in_part: bool
    payment: tuple[str, str]
    hash: str
    personal_hash: str = ""


@dataclass(frozen=True, kw_only=True)
class SealMade:
    """`has_more`: there are rows for another seal right away."""

    number: int
    at: datetime
    rows: int
    hash: str
    has_more: bool = False

    def in_words(self) -> str:
        """To be printed and kept."""
        return f"Seal {self.number} of {self.at.isoformat(timespec='seconds')} over {self.rows:,} rows: {self.hash}"


@dataclass(kw_only=True)
class _Found:
    """What one look at the tables came to."""

    entries: list[Entry] = field(default_factory=list)
    cents: int = 0
    to: Ids = field(default_factory=dict)
    absent: dict[str, list[Range]] = field(default_factory=dict)
    done: list[tuple[str, int]] = field(default_factory=list)  # was sealed in part, and is finished
    has_more: bool = False
    has_more_late: bool = False


def seal_next(*, now: datetime) -> SealMade | None:
    """One seal over what came since the last. None: nothing did, or another sealer was first."""
    last = Seal.objects.order_by("-number").defer("covers").first()
    reach = Reach.from_json(last.reach) if last else Reach()
    oldest, following = sql.transactions_under_way()  # before any row is read: what has ended by now is seen
    found = _find(reach, gateway.keyring())
    if not found.entries:
        return None
    now = max(now, last.at) if last else now
    values = _signed(last, _reached(reach, found, now, oldest, following), found, now=now)
    try:
        with transaction.atomic():
            Seal.objects.create(**values)
            _remember_parts(found)
    except IntegrityError:
        if Seal.objects.filter(number=values["number"]).exists():
            return None
        raise
    return SealMade(
        number=values["number"], at=now, rows=values["rows"], hash=values["hash"], has_more=found.has_more
    )


def seal_all(*, clock: Callable[[], datetime]) -> Iterator[SealMade]:
    """As many seals as there are rows for."""
    has_more = True
    while has_more and (made := seal_next(now=clock())) is not None:
        has_more = made.has_more
        yield made


def newest_seal() -> SealMade | None:
    seal = Seal.objects.order_by("-number").defer("covers", "reach").first()
    if seal is None:
        return None
    return SealMade(number=seal.number, at=seal.at, rows=seal.rows, hash=seal.hash)


def unsealed_since(*, now: datetime) -> datetime | None:
    """When the oldest entry was written that should be sealed by now. None: all is sealed in time. (One question of
    three indexed reads; a shop that was never sealed: two.)"""
    event = PaymentEvent.objects.filter(id__gt=OuterRef("last_event_id")).order_by("id").values("at")[:1]
    posting = Posting.objects.filter(id__gt=OuterRef("last_posting_id")).order_by("id").values("at")[:1]
    newest = Seal.objects.order_by("-number").annotate(event=Subquery(event), posting=Subquery(posting))
    found = newest.values_list("event", "posting").first()
    waiting = found if found else PaymentEvent.objects.order_by("id").values_list("at").first() or ()
    oldest = min((at for at in waiting if at is not None), default=None)
    return oldest if oldest is not None and now - oldest > UNSEALED_FOR else None


def entries_of(covers: str) -> Iterator[Entry]:
    """The rows that a seal lists."""
    tables = {table.letter: table for table in TABLES}
    for public_id, order_code, rows in json.loads(covers):
        for letter, row_id, name, *hashes in rows:
            yield Entry(
                table=tables[letter.lower()],
                row_id=row_id,
                name=str(name),
                in_part=letter.isupper(),
                payment=(public_id, order_code),
                hash=hashes[0],
                personal_hash=hashes[1] if len(hashes) > 1 else "",
            )


def root_of(reach: str, covers: str) -> str:
    return hashlib.sha256(f"{reach}\n{covers}".encode()).hexdigest()


def sealed(seal: Seal) -> Sealed:
    """What the seal says, to hold its hash against."""
    return Sealed(
        number=seal.number,
        at=seal.at,
        previous_hash=seal.previous_hash,
        rows=seal.rows,
        counts=seal.counts,
        cents=seal.cents,
        root=seal.root,
    )


def _find(reach: Reach, ring: Keyring) -> _Found:
    found = _Found()
    for table in TABLES:
        late = list(_late(table, reach))
        new = list(table.rows().filter(id__gt=reach.to.get(table.letter, BEFORE_ALL))[:ROWS_OF_A_TABLE])
        finished = _finished_since(table)
        for row in (*late, *new, *finished):
            found.entries.append(_entry(table, row, ring))
            found.cents += row["amount_cents"] if table is POSTINGS else 0
        found.done += [(table.letter, row["id"]) for row in finished]
        found.has_more |= ROWS_OF_A_TABLE in (len(late), len(new), len(finished))
        found.has_more_late |= len(late) == ROWS_OF_A_TABLE
        _reach_on(table.letter, reach, [row["id"] for row in late], [row["id"] for row in new], found)
    return found


def _late(table: Table, reach: Reach) -> Iterator[dict[str, Any]]:
    """What has come by now of the ids that were absent. At most as many as one seal takes."""
    ranges, left = reach.absent.get(table.letter, []), ROWS_OF_A_TABLE
    for start in range(0, len(ranges), RANGES_AT_ONCE):
        among = Q()
        for each in ranges[start : start + RANGES_AT_ONCE]:
            among |= Q(id__range=each)
        rows = list(table.rows().filter(among)[:left])
        yield from rows
        left -= len(rows)
        if not left:
            return


def _finished_since(table: Table) -> list[dict[str, Any]]:
    if table.finished is None:
        return []
    parts = SealedInPart.objects.filter(table=table.letter).values("row_id")
    return list(table.rows().filter(table.finished, id__in=parts)[:ROWS_OF_A_TABLE])


def _entry(table: Table, row: Row, ring: Keyring) -> Entry:
    in_part = not row["is_finished"]
    personal = table.personal_content(row)
    return Entry(
        table=table,
        row_id=row["id"],
        name=str(row[table.name] or ""),
        in_part=in_part,
        payment=table.payment(row),
        hash=ring.short_hash(table.content(row, in_part=in_part)) or "",
        personal_hash=(ring.short_hash(personal) or "") if personal else "",
    )


def _reach_on(letter: str, reach: Reach, late: Sequence[int], new: Sequence[int], found: _Found) -> None:
    before = reach.to.get(letter, 0)
    found.to[letter] = new[-1] if new else before
    still = [part for each in reach.absent.get(letter, []) for part in without(each, late)]
    found.absent[letter] = [*still, *(without((before + 1, new[-1]), new) if new else ())]


def without(whole: Range, ids: Iterable[int]) -> Iterator[Range]:
    """What is left of the range without these ids, which are in order."""
    first, last = whole
    for taken in ids:
        if first <= taken <= last:
            if first < taken:
                yield first, taken - 1
            first = taken + 1
    if first <= last:
        yield first, last


def _reached(before: Reach, found: _Found, now: datetime, oldest: int, following: int) -> Reach:
    """What may still come is given up once every transaction that can bring it has ended."""
    mark, settled = before.mark, before.settled
    if mark is not None and not found.has_more_late:
        if (mark.until is not None and mark.until <= oldest) or now - mark.at >= AT_MOST:
            settled, mark = mark.to, None
        elif mark.until is None and now - mark.at >= A_MOMENT:
            mark = Mark(at=mark.at, to=mark.to, until=following)
    if mark is None:
        mark = Mark(at=now, to=_newest_ids())
    absent = {
        letter: [(max(first, low), last) for first, last in ranges if last >= low]
        for letter, ranges in found.absent.items()
        for low in (settled.get(letter, 0) + 1,)
    }
    return Reach(
        since=before.to,
        to=found.to,
        settled=settled,
        absent={letter: ranges for letter, ranges in absent.items() if ranges},
        mark=mark,
    )


def _newest_ids() -> Ids:
    return {
        table.letter: table.model._default_manager.aggregate(newest=Max("id"))["newest"] or 0
        for table in TABLES
    }


def _signed(last: Seal | None, reach: Reach, found: _Found, *, now: datetime) -> dict[str, Any]:
    reaches, covers = reach.as_json(), _covers(found.entries)
    content = Sealed(
        number=last.number + 1 if last else 1,
        at=now,
        previous_hash=last.hash if last else "",
        rows=len(found.entries),
        counts=dict(sorted(Counter(entry.table.word for entry in found.entries).items())),
        cents=found.cents,
        root=root_of(reaches, covers),
    )
    key_id, digest = gateway.keyring().sign(content)
    return {
        "number": content.number,
        "at": content.at,
        "previous_hash": content.previous_hash,
        "rows": content.rows,
        "counts": content.counts,
        "cents": content.cents,
        "reach": reaches,
        "covers": covers,
        "root": content.root,
        "last_event_id": found.to[EVENTS.letter],
        "last_posting_id": found.to[POSTINGS.letter],
        "hash": digest,
        "key_id": key_id,
    }


def _covers(entries: Iterable[Entry]) -> str:
    """By payment, so that its names stand there once."""
    by_payment: dict[tuple[str, str], list[Any]] = {}
    for entry in entries:
        letter = entry.table.letter.upper() if entry.in_part else entry.table.letter
        hashes = [entry.hash, entry.personal_hash] if entry.personal_hash else [entry.hash]
        by_payment.setdefault(entry.payment, []).append([letter, entry.row_id, entry.name, *hashes])
    return _json([[*payment, rows] for payment, rows in by_payment.items()])


def _remember_parts(found: _Found) -> None:
    parts = [
        SealedInPart(table=entry.table.letter, row_id=entry.row_id)
        for entry in found.entries
        if entry.in_part
    ]
    SealedInPart.objects.bulk_create(parts, ignore_conflicts=True)
    for letter, ids in _by_letter(found.done).items():
        SealedInPart.objects.filter(table=letter, row_id__in=ids).delete()


def _by_letter(rows: Iterable[tuple[str, int]]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for letter, row_id in rows:
        found.setdefault(letter, []).append(row_id)
    return found


def _json(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), sort_keys=True)
