"""Whether what was sealed still stands as it was sealed: the chain of seals, each of their rows, and that nothing was
put in between. Reads only; says what is wrong, and mends nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from payments import gateway
from payments.ledger.faults import Fault
from payments.ledger.sealed_tables import EVENTS, POSTINGS, TABLES, Row, Table
from payments.ledger.seals import BEFORE_ALL, Entry, Ids, Reach, entries_of, root_of, sealed
from payments.models import MpesaTransaction, Seal

ROWS_AT_ONCE = 3000
SEALS_AT_ONCE = 200
IDS_AT_ONCE = 500
LOOKED_AT = 5  # names of rows in one sentence

Payment = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class CheckedSeals:
    """Some seals in a row, up to the number `last`."""

    last: int
    seals: int
    faults: Sequence[Fault]
    is_last: bool


@dataclass(frozen=True, kw_only=True)
class _Listed:
    seal: Seal
    entry: Entry


@dataclass(kw_only=True)
class _Odd:
    """What is wrong with the rows of one payment, by sentence."""

    rows: dict[str, list[str]] = field(default_factory=dict)

    def sentences(self) -> Iterator[str]:
        for what, names in self.rows.items():
            more = f" and {len(names) - LOOKED_AT} more" if len(names) > LOOKED_AT else ""
            yield f"{what}: {', '.join(names[:LOOKED_AT])}{more}"


def check_seals_after(number: int) -> CheckedSeals:
    """The next seals, with the rows they list."""
    before = Seal.objects.filter(number=number).first() if number else None
    seals = list(_some_after(number))
    if not seals:
        return CheckedSeals(last=number, seals=0, faults=[], is_last=True)
    faults = [*_faults_of_chain(before, seals), *(f for run in _runs(seals) for f in _faults_of_rows(run))]
    return CheckedSeals(last=seals[-1].number, seals=len(seals), faults=faults, is_last=False)


def fault_of_printed(number: int, digest: str) -> Fault | None:
    """Whether the seal of this number is the one that somebody printed and kept."""
    stands = Seal.objects.filter(number=number).values_list("hash", flat=True).first()
    if stands is None:
        return Fault(where=f"seal {number}", what="it is gone: it was printed, and is not there any more")
    if stands != digest.lower():
        return Fault(where=f"seal {number}", what="it is not the one that was printed")
    return None


def _some_after(number: int) -> Iterator[Seal]:
    rows = 0
    sizes = Seal.objects.filter(number__gt=number).order_by("number").values_list("number", "rows")
    last = number
    for each, size in sizes[:SEALS_AT_ONCE]:
        rows, last = rows + size, each
        if rows >= ROWS_AT_ONCE:
            break
    yield from Seal.objects.filter(number__gt=number, number__lte=last).order_by("number")


def _faults_of_chain(before: Seal | None, seals: Sequence[Seal]) -> Iterator[Fault]:
    ring = gateway.keyring()
    for seal in seals:
        number = before.number + 1 if before else 1
        where = f"seal {seal.number}"
        if seal.number != number:
            yield Fault(where=f"seal {number}", what="it is gone")
        elif seal.previous_hash != (before.hash if before else ""):
            yield Fault(where=where, what="it does not follow the one before it")
        if refusal := ring.refusal(sealed(seal), signed_with=seal.key_id, digest=seal.hash):
            yield Fault(where=where, what=f"it {refusal}")
        elif not _is_whole(seal):
            yield Fault(where=where, what="the list of its rows was changed")
        if before and seal.at < before.at:
            yield Fault(where=where, what="it is older than the one before it")
        before = seal


def _is_whole(seal: Seal) -> bool:
    if seal.root != root_of(seal.reach, seal.covers):
        return False
    to = Reach.from_json(seal.reach).to
    return (seal.last_event_id, seal.last_posting_id) == (to[EVENTS.letter], to[POSTINGS.letter])


def _runs(seals: Sequence[Seal]) -> Iterator[list[Seal]]:
    """Seals that follow each other. Where a list of rows is gone or was changed, nothing can be said of its rows, and
    that is said of the seal."""
    run: list[Seal] = []
    for seal in seals:
        follows = run and seal.number == run[-1].number + 1
        if run and not (follows and _is_whole(seal)):
            yield run
            run = []
        if _is_whole(seal):
            run.append(seal)
    if run:
        yield run


def _faults_of_rows(seals: Sequence[Seal]) -> Iterator[Fault]:
    listed = _by_row(seals)
    odd: dict[Payment, _Odd] = {}
    start, end = Reach.from_json(seals[0].reach).since, Reach.from_json(seals[-1].reach)
    for table in TABLES:
        mine = listed.get(table.letter, {})
        strangers: list[Row] = []
        for row in _rows_of(table, start, end, mine):
            expected = mine.pop(row["id"], None)
            if expected is not None:
                _compare(table, row, expected, odd)
                continue
            strangers.append(row)
            if len(strangers) >= IDS_AT_ONCE:
                yield from _put_in(table, strangers, end, after=seals[-1].number)
                strangers = []
        yield from _put_in(table, strangers, end, after=seals[-1].number)
        for expected in mine.values():
            _tell(odd, expected[0].entry, f"sealed in seal {expected[0].seal.number}, and gone")
    yield from _faults_of_payments(odd)


def _by_row(seals: Iterable[Seal]) -> dict[str, dict[int, list[_Listed]]]:
    found: dict[str, dict[int, list[_Listed]]] = {}
    for seal in seals:
        for entry in entries_of(seal.covers):
            rows = found.setdefault(entry.table.letter, {})
            rows.setdefault(entry.row_id, []).append(_Listed(seal=seal, entry=entry))
    return found


def _rows_of(table: Table, start: Ids, end: Reach, listed: dict[int, Any]) -> Iterator[Row]:
    """What stands where these seals reached on, and what they list from below."""
    if table.letter not in end.to:  # these seals knew nothing of it
        return
    first_id = start.get(table.letter, BEFORE_ALL)
    reached = table.rows().filter(id__gt=first_id, id__lte=end.to[table.letter])
    below = [row_id for row_id in listed if row_id <= first_id]
    yield from reached.iterator(chunk_size=IDS_AT_ONCE)
    for first in range(0, len(below), IDS_AT_ONCE):
        yield from table.rows().filter(id__in=below[first : first + IDS_AT_ONCE])


def _compare(table: Table, row: Row, expected: Sequence[_Listed], odd: dict[Payment, _Odd]) -> None:
    ring = gateway.keyring()
    for listed in expected:
        entry, seal = listed.entry, listed.seal
        content = table.content(row, in_part=entry.in_part)
        personal = table.personal_content(row)
        changed = ring.short_hash(content, signed_with=seal.key_id) != entry.hash or (
            personal is not None and ring.short_hash(personal, signed_with=seal.key_id) != entry.personal_hash
        )
        if changed:
            _tell(odd, entry, f"changed since seal {seal.number}")
        if "key_id" in table.told and ring.was_retired(row["key_id"], at=seal.at):
            _tell(odd, entry, f"signed with a key that was retired before seal {seal.number}")


def _tell(odd: dict[Payment, _Odd], entry: Entry, what: str) -> None:
    named = odd.setdefault(entry.payment, _Odd())
    row = f"{entry.table.word} {entry.name or f'number {entry.row_id}'}"
    named.rows.setdefault(what, []).append(row)


def _faults_of_payments(odd: dict[Payment, _Odd]) -> Iterator[Fault]:
    ids = dict(
        MpesaTransaction.objects.filter(public_id__in={public_id for public_id, _ in odd}).values_list(
            "public_id", "id"
        )
    )
    for (public_id, code), rows in odd.items():
        for what in rows.sentences():
            yield Fault(
                where=_where(public_id, code), what=what, attempt_id=ids.get(public_id), order_code=code
            )


def _where(public_id: str, code: str) -> str:
    if public_id:
        return f"{public_id} (order {code})"
    return f"order {code}" if code else "the book"


def _put_in(table: Table, rows: Sequence[Row], reach: Reach, *, after: int) -> Iterator[Fault]:
    """Rows within the seals' reach that they don't list: later ones do, while these may still come."""
    strangers = {row["id"]: row for row in rows}
    later = Seal.objects.filter(number__gt=after).order_by("number").iterator(chunk_size=10)
    while strangers:
        for row_id in [each for each in strangers if not reach.awaits(table.letter, each)]:
            yield _stranger(table, strangers.pop(row_id))
        seal = next(later, None) if strangers else None
        if seal is None or seal.number != after + 1 or not _is_whole(seal):
            return
        after, reach = seal.number, Reach.from_json(seal.reach)
        for entry in entries_of(seal.covers):
            if entry.table is table:
                strangers.pop(entry.row_id, None)


def _stranger(table: Table, row: Row) -> Fault:
    public_id, code = table.payment(row)
    attempt = MpesaTransaction.objects.filter(public_id=public_id).values_list("id", flat=True).first()
    name = row[table.name] or f"number {row['id']}"
    return Fault(
        where=_where(public_id, code),
        what=f"{table.word} {name} was put in after its place was sealed, by another hand",
        attempt_id=attempt,
        order_code=code,
    )
