"""Writing one event with what it does: compare-and-set on the attempt, link of the chain, order. Inside the caller's
transaction; nothing is decided here, and only this room comes in (doors.py)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from django.db import IntegrityError, transaction

from djkraph import sql
from payments import gateway
from payments.ledger.kinds import KINDS, EventKind
from payments.ledger.moves import book
from payments.ledger.updates import Change, ReceiptTaken, Snapshot, Source
from payments.models import CallbackDelivery, MpesaTransaction, PaymentEvent
from payments.signing import Link

OVERTAKEN_TRIES = 20

Facts = Mapping[str, str]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ChainEnd:
    """Where an attempt's chain stands: how many events it has, and the hash of the last."""

    public_id: str
    state: str
    events_count: int
    chain_head: str


@dataclass(frozen=True, kw_only=True)
class SignedEvent:
    """An event as it is written: what it says, its hash, and which key signed it."""

    link: Link
    key_id: str
    hash: str


class Overtaken(Exception):
    """Another writer was first: what was decided rests on a row that is no more."""


class UndeclaredFacts(TypeError):
    """An event of this kind says nothing of the sort (kinds.py)."""


def decide_anew(once: Callable[[bool], T], *, receipt: str | None = None, attempt_id: int = 0) -> T:
    """Runs `once` in a transaction of its own; where another writer was first, again. It is told whether it must
    read afresh. Raises ReceiptTaken where the database refused because `receipt` is another attempt's."""
    for turn in range(OVERTAKEN_TRIES):
        try:
            with transaction.atomic(durable=True):
                return once(turn > 0)
        except Overtaken:
            continue
        except IntegrityError as refused:
            if receipt and _belongs_to_another(attempt_id, receipt):
                raise ReceiptTaken("The receipt belongs to another payment.") from refused
            raise
    raise RuntimeError("An attempt was overtaken too often.")


def read(attempt_id: int) -> Snapshot:
    row = sql.select(MpesaTransaction, Snapshot, {"id": attempt_id})
    if row is None:
        raise MpesaTransaction.DoesNotExist
    return row


def carry_out(row: Snapshot, change: Change, *, source: Source, facts: Facts, now: datetime) -> bool:
    """The change with what it does to the book and the order. False: it was said before, and is kept once."""
    if change.unless_repeated and said_before(row.id, change.kind, facts):
        return False
    booked = book(row, change, source=source, facts=facts, now=now)
    change = replace(change, fields={**change.fields, **booked.fields})
    append(row, change, source=source, facts={**facts, **booked.facts}, now=now)
    return True


def append(row: Snapshot, change: Change, *, source: Source, facts: Facts, now: datetime) -> None:
    """The compare-and-set on the attempt and its event. Raises Overtaken."""
    event = signed_event(row, change, source=source, facts=facts, now=now)
    as_it_was = {"id": row.id, "state": row.state, "events_count": row.events_count}
    now_is = {
        "state": change.to,
        "events_count": event.link.number,
        "chain_head": event.hash,
        **change.fields,
    }
    if not sql.update(MpesaTransaction, now_is, where=as_it_was):
        raise Overtaken
    write_event(row.id, event)


def signed_event(
    end: ChainEnd | Snapshot, change: Change, *, source: Source, facts: Facts, now: datetime
) -> SignedEvent:
    """The attempt's next event, linked to the one before it. Raises UndeclaredFacts."""
    if undeclared := facts.keys() - KINDS[change.kind].facts:
        raise UndeclaredFacts(f"{change.kind}: {', '.join(sorted(undeclared))}")
    link = Link(
        attempt=end.public_id,
        number=end.events_count + 1,
        kind=change.kind,
        source=source,
        from_state=end.state,
        to_state=change.to,
        at=now,
        facts=facts,
        previous_hash=end.chain_head,
    )
    key_id, digest = gateway.keyring().sign(link)
    return SignedEvent(link=link, key_id=key_id, hash=digest)


def write_event(attempt_id: int, event: SignedEvent) -> None:
    link = event.link
    values: dict[str, Any] = {
        "attempt_id": attempt_id,
        "number": link.number,
        "kind": link.kind,
        "source": link.source,
        "from_state": link.from_state,
        "to_state": link.to_state,
        "at": link.at,
        "facts": dict(link.facts),
        "previous_hash": link.previous_hash,
        "hash": event.hash,
        "key_id": event.key_id,
    }
    sql.insert(PaymentEvent, values)


def said_before(attempt_id: int, kind: EventKind, facts: Facts) -> bool:
    last = (
        PaymentEvent.objects.filter(attempt_id=attempt_id, kind=kind)
        .order_by("-number")
        .values("facts")
        .first()
    )
    return last is not None and last["facts"] == dict(facts)


def judge(delivery_id: int, attempt_id: int, verdict: str) -> None:
    """What became of a callback. Two readers of one delivery may meet: the one that finds nothing new leaves
    "applied" as it is."""
    judged = {"attempt_id": attempt_id, "verdict": verdict}
    if verdict == CallbackDelivery.Verdict.APPLIED:
        sql.update(CallbackDelivery, judged, where={"id": delivery_id})
    else:
        not_applied = CallbackDelivery.objects.exclude(verdict=CallbackDelivery.Verdict.APPLIED)
        not_applied.filter(id=delivery_id).update(**judged)


def _belongs_to_another(attempt_id: int, receipt: str) -> bool:
    return MpesaTransaction.objects.filter(receipt=receipt).exclude(id=attempt_id).exists()
