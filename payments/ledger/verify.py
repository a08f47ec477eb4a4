"""Whether the ledger is what its events say. Reads only; says what is wrong, and mends nothing."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain, groupby
from typing import Any

from django.db.models import Sum

from orders.models import Order, OrderItem
from payments import gateway
from payments.ledger.checks import first_hash, is_joined
from payments.ledger.faults import Fault
from payments.ledger.kinds import KINDS, EventKind
from payments.ledger.verify_book import faults_beside, faults_of_book, faults_of_sums
from payments.ledger.verify_seals import check_seals_after
from payments.models import MpesaTransaction, PaymentEvent
from payments.signing import Link, commitment
from payments.states import TRANSITIONS, Event, State

BATCH = 500
LOOKS = 3  # how often an attempt at fault is read again before that is believed

ROLES = ("pays_order", "refund_due", "unclaimed")  # of an attempt's money; one at most
_ATTEMPT = (
    "id",
    "public_id",
    "state",
    "amount_kes",
    "short_code",
    "phone_hash",
    "phone_salt",
    "phone_joined",
    "order__code",
    "order__total_kes",
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


class Part(IntEnum):
    """What is checked after what."""

    PAYMENTS = 0
    ORDERS = 1
    BESIDE = 2  # receipts that are no payment's
    SEALS = 3


@dataclass(frozen=True, kw_only=True)
class Place:
    """Up to where the ledger has been checked: this far in this part."""

    part: Part = Part.PAYMENTS
    after: int = 0  # an id; of the seals, a number


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A part of the ledger: so many payments and seals. With `is_last` all of it was checked."""

    next: Place
    attempts: int = 0
    seals: int = 0
    faults: Sequence[Fault] = ()
    is_last: bool = False


def check_after(place: Place) -> Checked:
    """The next piece of the ledger: payments with their events and their book, then orders, then seals."""
    return _CHECKS[place.part](place.after)


def check() -> Iterator[Checked]:
    """The whole ledger, piece by piece. Memory does not grow with it."""
    checked = check_after(Place())
    while not checked.is_last:
        yield checked
        checked = check_after(checked.next)
    yield checked


def faults() -> Iterator[Fault]:
    """All that is wrong, attempt by attempt, then order by order, then seal by seal."""
    for checked in check():
        yield from checked.faults


def _payments(last_id: int) -> Checked:
    later = MpesaTransaction.objects.filter(id__gt=last_id)
    attempts = list(later.order_by("id").values(*_ATTEMPT)[:BATCH])
    if not attempts:
        return Checked(next=Place(part=Part.ORDERS))
    found = _faults_of_attempts(attempts)
    for _ in range(LOOKS):
        if not found:
            break
        again = MpesaTransaction.objects.filter(id__in={fault.attempt_id for fault in found})
        found = _faults_of_attempts(list(again.order_by("id").values(*_ATTEMPT)))
    return Checked(next=Place(after=attempts[-1]["id"]), attempts=len(attempts), faults=found)


def _orders(last_id: int) -> Checked:
    orders = list(Order.objects.filter(id__gt=last_id).order_by("id")[:BATCH])
    if not orders:
        return Checked(next=Place(part=Part.BESIDE))
    found = list(_faults_of_orders(orders))
    for _ in range(LOOKS):
        if not found:
            break
        again = Order.objects.filter(code__in={fault.order_code for fault in found})
        found = list(_faults_of_orders(list(again.order_by("id"))))
    return Checked(next=Place(part=Part.ORDERS, after=orders[-1].pk), faults=found)


def _beside(last_id: int) -> Checked:
    up_to, found = faults_beside(last_id, BATCH)
    if up_to is None:
        return Checked(next=Place(part=Part.SEALS))
    told = [Fault(where=f"receipt {code}", what=what) for code, what in found]
    return Checked(next=Place(part=Part.BESIDE, after=up_to), faults=told)


def _seals(number: int) -> Checked:
    checked = check_seals_after(number)
    return Checked(
        next=Place(part=Part.SEALS, after=checked.last),
        seals=checked.seals,
        faults=checked.faults,
        is_last=checked.is_last,
    )


_CHECKS: Mapping[Part, Callable[[int], Checked]] = {
    Part.PAYMENTS: _payments,
    Part.ORDERS: _orders,
    Part.BESIDE: _beside,
    Part.SEALS: _seals,
}


def _faults_of_attempts(attempts: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """The events are read after the attempts: one that moves in between looks wrong until it is read again."""
    events = _events_of([attempt["id"] for attempt in attempts])
    found = [fault for a in attempts for fault in _faults_of_attempt(a, events.get(a["id"], []))]
    booked = (
        MpesaTransaction.objects.filter(id__in=[a["id"] for a in attempts])
        .select_related("order")
        .prefetch_related("refunds")
    )
    for attempt_id, where, what in faults_of_book(list(booked.order_by("id"))):
        found.append(Fault(where=where, what=what, attempt_id=attempt_id))
    return found


def _events_of(attempt_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    rows = PaymentEvent.objects.filter(attempt_id__in=attempt_ids)
    ordered = rows.order_by("attempt_id", "number").values(*_EVENT)
    return {pk: list(group) for pk, group in groupby(ordered, key=lambda event: event["attempt_id"])}


def _faults_of_attempt(attempt: Mapping[str, Any], events: list[dict[str, Any]]) -> Iterator[Fault]:
    first = events[0]["facts"] if events else {}
    for what in (*_chain(attempt, events), *_story(attempt, events), *_first_words(attempt, first)):
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
    if attempt["state"] != state:
        yield f"its state is {attempt['state']}, its events say {state or 'nothing'}"
    if attempt["receipt"] != becomes["receipt"]:
        yield "its receipt is not the one its events name"
    role = next((name for name in ROLES if attempt[name]), None)
    if role != becomes["role"]:
        yield "whether it paid the order is not what its events say"
    if attempt["refund_reference"] != becomes["reference"]:
        yield "its refund is not the one its events name"


def _first_words(attempt: Mapping[str, Any], first: Mapping[str, str]) -> Iterator[str]:
    """What its first event bound it to. Events of earlier versions name less."""
    for fact, column, what in _BOUND:
        if fact in first and str(attempt[column]) != first[fact]:
            yield f"{what} {attempt[column]}, its first event says {first[fact]}"
    if "phone" in first and not _is_of_its_phone(attempt, first["phone"]):
        yield "its phone is not the one that its first event is bound to"


_BOUND = (
    ("amount", "amount_kes", "it asks for KES"),
    ("order", "order__code", "it is linked to order"),
    ("order_total", "order__total_kes", "its order costs KES"),
    ("short_code", "short_code", "it was asked for short code"),
)


def _is_of_its_phone(attempt: Mapping[str, Any], bound: str) -> bool:
    """Once personal data is erased there is neither hash nor salt."""
    if attempt["phone_salt"] is None:
        return not attempt["phone_hash"]
    first = first_hash(attempt["phone_hash"], attempt["phone_joined"])
    return commitment(attempt["phone_salt"], first) == bound and is_joined(
        attempt["phone_joined"], attempt["phone_hash"]
    )


def _becomes(kind: str) -> Collection[str]:
    """Which facts of such an event are the attempt's own from then on."""
    return _BECOMES.get(kind, ())


_BECOMES: Mapping[str, Collection[str]] = {str(kind): carries.becomes for kind, carries in KINDS.items()}
_MOVES, _STATES = frozenset(Event.values), frozenset(State.values)


def _leads_to(event: Mapping[str, Any]) -> str:
    if event["kind"] == EventKind.CREATED:
        return State.CREATED
    if event["kind"] in _MOVES and event["from_state"] in _STATES:
        return TRANSITIONS[State(event["from_state"]), Event(event["kind"])]
    return str(event["from_state"])


def _faults_of_orders(orders: Sequence[Order]) -> Iterator[Fault]:
    wrong = chain(_not_the_sum_of_its_items(orders), faults_of_sums(orders))
    for code, what in wrong:
        yield Fault(where=f"order {code}", order_code=code, what=what)


def _not_the_sum_of_its_items(orders: Sequence[Order]) -> Iterator[tuple[str, str]]:
    priced = [order for order in orders if order.is_priced]
    of_these = OrderItem.objects.filter(order__in=priced).order_by()
    sums = dict(of_these.values("order").annotate(kes=Sum("price_kes")).values_list("order", "kes"))
    for order in priced:
        if order.pk in sums and sums[order.pk] != order.total_kes:
            yield order.code, f"it costs KES {order.total_kes:,}, its items KES {sums[order.pk]:,}"
