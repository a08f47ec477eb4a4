"""Whether the ledger is what its events say. Reads only; says what is wrong, and mends nothing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from orders.models import Order
from payments import gateway
from payments.ledger.kinds import KINDS, EventKind
from payments.ledger.verify_book import faults_beside, faults_of_book, faults_of_sums
from payments.models import MpesaTransaction, PaymentEvent
from payments.signing import Link
from payments.states import TRANSITIONS, Event, State

BATCH = 500
LOOKS = 3  # how often an attempt at fault is read again before that is believed

ROLES = ("pays_order", "refund_due", "unclaimed")  # of an attempt's money; one at most
_ATTEMPT = (
    "id",
    "public_id",
    "state",
    "amount_kes",
    "receipt",
    "pays_order",
    "refund_due",
    "unclaimed",
    "refund_reference",
    "events_count",
    "chain_head",
)
_EVENT = (
    "attempt_id",
    "number",
    "kind",
    "source",
    "from_state",
    "to_state",
    "at",
    "facts",
    "previous_hash",
    "hash",
    "key_id",
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that is not as it must be, in a sentence that names where."""

    where: str
    what: str
    attempt_id: int | None = None  # whose page shows it
    order_code: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A part of the ledger: `attempts` of them, up to the attempt `last_id`. With `is_last` the orders were checked."""

    last_id: int
    attempts: int
    faults: Sequence[Fault]
    is_last: bool


def check_after(last_id: int) -> Checked:
    """The next part of the ledger, attempt by attempt; after the last attempt the orders."""
    later = MpesaTransaction.objects.filter(id__gt=last_id)
    attempts = list(later.order_by("id").values(*_ATTEMPT)[:BATCH])
    if not attempts:
        return Checked(last_id=last_id, attempts=0, faults=list(_faults_of_orders()), is_last=True)
    found = _faults_of_attempts(attempts)
    for _ in range(LOOKS):
        if not found:
            break
        again = MpesaTransaction.objects.filter(id__in={fault.attempt_id for fault in found})
        found = _faults_of_attempts(list(again.order_by("id").values(*_ATTEMPT)))
    return Checked(last_id=attempts[-1]["id"], attempts=len(attempts), faults=found, is_last=False)


def check() -> Iterator[Checked]:
    """The whole ledger, part by part. Memory does not grow with it."""
    checked = check_after(0)
    while not checked.is_last:
        yield checked
        checked = check_after(checked.last_id)
    yield checked


def faults() -> Iterator[Fault]:
    """All that is wrong, attempt by attempt, then order by order."""
    for checked in check():
        yield from checked.faults


def _faults_of_attempts(attempts: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """The events are read after the attempts: one that moves in between looks wrong until it is read again."""
    events = _events_of([attempt["id"] for attempt in attempts])
    found = [fault for a in attempts for fault in _faults_of_attempt(a, events.get(a["id"], []))]
    booked = MpesaTransaction.objects.filter(id__in=[a["id"] for a in attempts]).select_related("order")
    for attempt_id, where, what in faults_of_book(list(booked.order_by("id"))):
        found.append(Fault(where=where, what=what, attempt_id=attempt_id))
    return found


def _events_of(attempt_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    rows = PaymentEvent.objects.filter(attempt_id__in=attempt_ids)
    ordered = rows.order_by("attempt_id", "number").values(*_EVENT)
    return {pk: list(group) for pk, group in groupby(ordered, key=lambda event: event["attempt_id"])}


def _faults_of_attempt(attempt: Mapping[str, Any], events: list[dict[str, Any]]) -> Iterator[Fault]:
    for what in (*_chain(attempt, events), *_story(attempt, events)):
        yield Fault(where=attempt["public_id"], what=what, attempt_id=attempt["id"])


def _chain(attempt: Mapping[str, Any], events: list[dict[str, Any]]) -> Iterator[str]:
    ring, previous = gateway.keyring(), ""
    for expected, event in enumerate(events, start=1):
        if event["number"] != expected:
            yield f"event {expected} is missing"
            return
        if event["previous_hash"] != previous:
            yield f"event {expected} does not follow the one before it"
        previous = event["hash"]
        link = Link(
            attempt=attempt["public_id"],
            **{name: event[name] for name in _EVENT if name not in ("attempt_id", "hash", "key_id")},
        )
        if refusal := ring.refusal(link, signed_with=event["key_id"], digest=event["hash"]):
            yield f"event {expected} {refusal}"
    if (attempt["events_count"], attempt["chain_head"]) != (len(events), previous):
        yield "the last events are missing, or were added by another hand"


def _story(attempt: Mapping[str, Any], events: list[dict[str, Any]]) -> Iterator[str]:
    """What the events say, told again: the state, the receipt, whether it paid, and whether it was refunded."""
    state, becomes = "", {"receipt": None, "role": None, "reference": None}
    for event in events:
        if event["from_state"] != state:
            yield f"event {event['number']} starts from another state than the one before it ended in"
        if event["to_state"] != _leads_to(event):
            yield f"event {event['number']} leads where such an event can't lead"
        state = event["to_state"]
        for name in _becomes(event["kind"]):
            becomes[name] = event["facts"].get(name, becomes[name]) or None
    asked = events[0]["facts"].get("amount") if events else None
    if asked is not None and str(attempt["amount_kes"]) != asked:
        yield f"it asks for KES {attempt['amount_kes']:,}, its first event says KES {asked}"
    if attempt["state"] != state:
        yield f"its state is {attempt['state']}, its events say {state or 'nothing'}"
    if attempt["receipt"] != becomes["receipt"]:
        yield "its receipt is not the one its events name"
    role = next((name for name in ROLES if attempt[name]), None)
    if role != becomes["role"]:
        yield "whether it paid the order is not what its events say"
    if attempt["refund_reference"] != becomes["reference"]:
        yield "its refund is not the one its events name"


def _becomes(kind: str) -> Collection[str]:
    """Which facts of such an event are the attempt's own from then on."""
    return KINDS[EventKind(kind)].becomes if kind in set(EventKind) else ()


def _leads_to(event: Mapping[str, Any]) -> str:
    if event["kind"] == EventKind.CREATED:
        return State.CREATED
    if event["kind"] in Event.values and event["from_state"] in State.values:
        return TRANSITIONS[State(event["from_state"]), Event(event["kind"])]
    return str(event["from_state"])


def _faults_of_orders() -> Iterator[Fault]:
    last_id = 0
    while orders := list(Order.objects.filter(id__gt=last_id).order_by("id")[:BATCH]):
        for code, what in faults_of_sums(orders):
            yield Fault(where=f"order {code}", order_code=code, what=what)
        last_id = orders[-1].pk
    yield from _faults_beside()


def _faults_beside() -> Iterator[Fault]:
    """Of money that is no payment's."""
    last_id: int | None = 0
    while last_id is not None:
        last_id, found = faults_beside(last_id, BATCH)
        for code, what in found:
            yield Fault(where=f"receipt {code}", what=what)
