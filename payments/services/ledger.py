"""The only writer of an attempt's state and of its events. Decides nothing about Daraja; calls nobody outside.

Every write is one transaction, guarded by the number of events it was decided upon: a writer that was overtaken
reads again and decides anew, so callback, query and staff may arrive in the same instant.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from djkraph import rows
from orders.services import mark_paid
from payments import gateway
from payments.chain import Link
from payments.daraja import lookup
from payments.models import CallbackDelivery, MpesaTransaction, PaymentEvent
from payments.states import LIVE, Event, State, next_state

Source = PaymentEvent.Source

OVERTAKEN_TRIES = 20
FIRST_CHECK_AFTER = timedelta(seconds=20)  # daraja.md 3: not before 15–20 s
STALE_AFTER = timedelta(seconds=90)  # a push that has not noted its answer by then never will
WATCH_FOR = timedelta(hours=24)

# what a decision needs to know of an attempt
SEEN = (
    "id",
    "public_id",
    "order_id",
    "state",
    "amount_kes",
    "created_at",
    "merchant_request_id",
    "checkout_request_id",
    "result_code",
    "receipt",
    "pays_order",
    "refund_due",
    "refunded_at",
    "amount_differs",
    "next_check_at",
    "events_count",
    "chain_head",
)

# what staff's decisions need besides
SEEN_BY_STAFF = (
    "received_kes",
    "looked_at",
    "unpriced",
    "came_late",
)


class ReceiptTaken(ValueError):
    """This receipt belongs to another payment: what brought it is no evidence for this one."""


@dataclass(frozen=True, kw_only=True)
class Happening:
    """What somebody outside said about an attempt. Amounts are whole shillings."""

    event: Event
    source: Source
    code: str = ""  # Daraja's ResultCode or errorCode
    description: str = ""  # Safaricom's own words
    receipt: str | None = None
    amount: Decimal | None = None
    paid_at: datetime | None = None
    merchant_request_id: str = ""
    checkout_request_id: str | None = None
    accepts_amount: bool = False  # staff: it pays the order although the amount is another
    more: Mapping[str, str] = field(
        default_factory=dict
    )  # who, why and on what evidence, where a person says it

    def facts(self) -> dict[str, str]:
        """What the event keeps. CheckoutRequestID ends in a phone number and stays out."""
        told = {
            "code": self.code,
            "description": self.description,
            "receipt": self.receipt or "",
            "amount": str(self.amount) if self.amount is not None else "",
            "paid_at": self.paid_at.isoformat() if self.paid_at else "",
            **self.more,
        }
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What became of a happening."""

    before: State
    after: State
    news: bool  # False: the ledger knew all of it already

    @property
    def moved(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an event does to the attempt's row. `pays`: its order is paid with it, or its money is one too many."""

    kind: str
    to: State
    fields: Mapping[str, Any] = field(default_factory=dict)
    pays: bool = False


class _Overtaken(Exception):
    """Another writer was first."""


def open_attempt(
    *,
    order_id: int,
    amount_kes: int,
    msisdn_masked: str,
    msisdn_hash: str,
    callback_token_hash: str,
    channel: str,
    short_code: str,
    account_reference: str,
    description: str,
    unpriced: bool,
    now: datetime,
) -> MpesaTransaction:
    """A new attempt with its first event, inside the caller's transaction. The database refuses a second live one."""
    public_id = f"pay_{secrets.token_urlsafe(18)}"
    link = Link(
        attempt=public_id,
        number=1,
        kind="created",
        source=Source.PUSH,
        from_state="",
        to_state=State.CREATED,
        at=now,
        facts={"amount": str(amount_kes)},
        previous_hash="",
    )
    key_id, digest = gateway.keyring().sign(link)
    values: dict[str, Any] = {
        "public_id": public_id,
        "order_id": order_id,
        "amount_kes": amount_kes,
        "phone_masked": msisdn_masked,
        "phone_hash": msisdn_hash,
        "callback_token_hash": callback_token_hash,
        "channel": channel,
        "short_code": short_code,
        "account_reference": account_reference,
        "description": description,
        "unpriced": unpriced,
        "created_at": now,
        "next_check_at": now + STALE_AFTER,
        "events_count": link.number,
        "chain_head": digest,
    }
    attempt = MpesaTransaction(id=rows.insert(MpesaTransaction, values), **values)
    _write_event(attempt.pk, link, key_id, digest)
    return attempt


def as_seen(attempt: MpesaTransaction) -> dict[str, Any]:
    """What `record` needs to know of an attempt, for who has just read or written it."""
    return {name: getattr(attempt, name) for name in SEEN}


@dataclass(frozen=True, kw_only=True)
class Unasked:
    """Money of a statement for which no request of ours exists, and the order it is for."""

    order_id: int
    amount_kes: int  # what the order asks for
    payer_masked: str
    channel: str
    short_code: str
    account_reference: str
    unpriced: bool


def insert_paid(
    money: Unasked, happening: Happening, *, now: datetime, together_with: Callable[[int], None]
) -> int:
    """An attempt that is there only because its money is: created and confirmed in one transaction, by hand.

    It is never live, so a request that is under way is not in its way. `together_with` (given its id) runs in the
    transaction. Raises ReceiptTaken.
    """
    try:
        with transaction.atomic(durable=True):
            attempt_id = _insert_paid(money, happening, now)
            together_with(attempt_id)
            return attempt_id
    except IntegrityError as refused:
        if _belongs_to_another(0, happening.receipt):
            raise ReceiptTaken("The receipt belongs to another payment.") from refused
        raise


def record(
    attempt_id: int,
    happening: Happening,
    *,
    now: datetime,
    delivery_id: int | None = None,
    seen: Mapping[str, Any] | None = None,
    together_with: Callable[[], None] | None = None,
) -> Recorded:
    """Moves the attempt (and with it its order) as the table of states says, or notes that nothing moves.

    With `delivery_id` the callback's verdict is written in the same transaction; `together_with` runs in it where
    there is news. `seen`: the attempt (SEEN) as the caller has just read it; should it be outdated, the
    compare-and-set finds out. Raises ReceiptTaken.
    """
    for _ in range(OVERTAKEN_TRIES):
        try:
            with transaction.atomic(durable=True):
                recorded = _record_once(seen or _see(attempt_id), happening, now, delivery_id)
                if together_with is not None and recorded.news:
                    together_with()
                return recorded
        except _Overtaken:
            seen = None
        except IntegrityError as refused:
            if _belongs_to_another(attempt_id, happening.receipt):
                raise ReceiptTaken("The receipt belongs to another payment.") from refused
            raise
    raise RuntimeError("An attempt was overtaken too often.")


def write(
    attempt_id: int,
    decide: Callable[[Mapping[str, Any]], Change],
    *,
    source: Source,
    facts: Mapping[str, str],
    now: datetime,
    together_with: Callable[[], None] | None = None,
) -> None:
    """One event that a member of staff or a statement brings, decided on the attempt (SEEN and SEEN_BY_STAFF) as it
    is then. `together_with` runs in the same transaction. What `decide` and it raise leaves nothing written.
    """
    for _ in range(OVERTAKEN_TRIES):
        try:
            with transaction.atomic(durable=True):
                seen = _see(attempt_id, SEEN + SEEN_BY_STAFF)
                _carry_out(seen, decide(seen), source=source, facts=facts, now=now)
                if together_with is not None:
                    together_with()
                return
        except _Overtaken:
            continue
    raise RuntimeError("An attempt was overtaken too often.")


def note(
    attempt_id: int,
    kind: str,
    *,
    source: Source,
    now: datetime,
    facts: Mapping[str, str],
    differs: bool = False,
    delivery: tuple[int, str] | None = None,
) -> None:
    """An event that moves nothing: an answer that was none, an amount that was wrong, a word from staff.

    Said again as its kind was said last, it is kept once. `delivery` is (id, verdict) to write in the same
    transaction.
    """
    for _ in range(OVERTAKEN_TRIES):
        try:
            with transaction.atomic(durable=True):
                seen = _see(attempt_id)
                if not _said_before(seen, kind, facts):
                    fields = {"amount_differs": True} if differs else {}
                    change = Change(kind=kind, to=State(seen["state"]), fields=fields)
                    _append(seen, change, source=source, facts=facts, now=now)
                if delivery is not None:
                    _judge(delivery[0], attempt_id, delivery[1])
                return
        except _Overtaken:
            continue
    raise RuntimeError("An attempt was overtaken too often.")


def _insert_paid(money: Unasked, happening: Happening, now: datetime) -> int:
    """The row as its two events leave it, and the events."""
    values: dict[str, Any] = {
        "public_id": f"pay_{secrets.token_urlsafe(18)}",
        "order_id": money.order_id,
        "amount_kes": money.amount_kes,
        "phone_masked": money.payer_masked,
        "channel": money.channel,
        "short_code": money.short_code,
        "account_reference": money.account_reference,
        "description": "By hand",
        "callback_token_hash": secrets.token_hex(32),  # of no token: nobody can call back for it
        "unpriced": money.unpriced,
        "created_at": now,
    }
    unborn = dict.fromkeys(SEEN) | values | {"state": State.CREATED, "events_count": 1}
    change = _decide(unborn, happening, now)
    if change is None or change.to is not State.COMPLETED:
        raise ValueError("Only money that came makes an attempt of its own.")
    change, facts = _with_role(change, money.order_id, happening.facts(), now)
    asked = {"amount": str(money.amount_kes), "unasked": "yes", **happening.more}
    first = _link(
        unborn | {"state": "", "events_count": 0},
        Change(kind="created", to=State.CREATED),
        happening.source,
        asked,
        now,
    )
    key_id, digest = gateway.keyring().sign(first)
    second = _link(unborn | {"chain_head": digest}, change, happening.source, facts, now)
    second_key, head = gateway.keyring().sign(second)
    standing = {"state": change.to, "events_count": second.number, "chain_head": head, **change.fields}
    attempt_id = rows.insert(MpesaTransaction, values | standing)
    _write_event(attempt_id, first, key_id, digest)
    _write_event(attempt_id, second, second_key, head)
    return attempt_id


def _record_once(
    seen: Mapping[str, Any], happening: Happening, now: datetime, delivery_id: int | None
) -> Recorded:
    before = State(seen["state"])
    change = _decide(seen, happening, now)
    if change is not None:
        _carry_out(seen, change, source=happening.source, facts=happening.facts(), now=now)
    if delivery_id is not None:
        verdict = CallbackDelivery.Verdict.APPLIED if change else CallbackDelivery.Verdict.REPEATED
        _judge(delivery_id, seen["id"], verdict)
    return Recorded(before=before, after=change.to if change else before, news=change is not None)


def _carry_out(
    seen: Mapping[str, Any], change: Change, *, source: Source, facts: Mapping[str, str], now: datetime
) -> None:
    """The change and, where it pays, the order with it."""
    change, facts = _with_role(change, seen["order_id"], facts, now)
    _append(seen, change, source=source, facts=facts, now=now)


def _with_role(
    change: Change, order_id: int, facts: Mapping[str, str], now: datetime
) -> tuple[Change, Mapping[str, str]]:
    """The first money pays the order, any other is due back."""
    if not change.pays:
        return change, facts
    role = "pays_order" if mark_paid(order_id, at=now) else "refund_due"
    return replace(change, fields={**change.fields, role: True}), {**facts, "role": role}


def _decide(seen: Mapping[str, Any], happening: Happening, now: datetime) -> Change | None:
    """The change this happening makes to what was seen, or None where it brings nothing new."""
    before = State(seen["state"])
    to = next_state(before, happening.event)
    fields = _new_ids(seen, happening, now)
    if to != before:
        return Change(
            kind=happening.event,
            to=to,
            fields=fields | _fields_of_move(seen, happening, to, now),
            pays=to is State.COMPLETED and not _amount_in_doubt(seen, happening),
        )
    if before is State.COMPLETED and happening.receipt and not seen["receipt"]:
        fields |= _fields_of_receipt(seen, happening, now)
        return Change(kind="receipt_learned", to=to, fields=fields, pays=_ends_doubt(seen, happening))
    same_receipt = happening.receipt in (None, seen["receipt"])
    if before is State.COMPLETED and same_receipt and _ends_doubt(seen, happening):
        fields["received_kes"] = seen["amount_kes"]
        return Change(kind="amount_confirmed", to=to, fields=fields, pays=True)
    if not fields and (
        _knows(seen, happening) or _said_before(seen, f"{happening.event}_again", happening.facts())
    ):
        return None
    return Change(kind=f"{happening.event}_again", to=to, fields=fields)


def _new_ids(seen: Mapping[str, Any], happening: Happening, now: datetime) -> dict[str, Any]:
    """Daraja's ids, where they were not known yet. An attempt that was given up can be asked about from now on."""
    fields: dict[str, Any] = {}
    if happening.checkout_request_id and not seen["checkout_request_id"]:
        fields["checkout_request_id"] = happening.checkout_request_id
        refused = seen["state"] == State.FAILED and not lookup(seen["result_code"]).final
        if seen["state"] == State.EXPIRED or refused:
            fields["next_check_at"] = now + FIRST_CHECK_AFTER
    if happening.merchant_request_id and not seen["merchant_request_id"]:
        fields["merchant_request_id"] = happening.merchant_request_id
    return fields


def _fields_of_move(
    seen: Mapping[str, Any], happening: Happening, to: State, now: datetime
) -> dict[str, Any]:
    if to is State.PENDING:
        return {"next_check_at": now + FIRST_CHECK_AFTER}
    if (
        to is State.UNKNOWN
    ):  # without an id nobody can be asked: its callback will tell, or the watch will end
        return {"next_check_at": seen["created_at"] + WATCH_FOR}
    told = {"result_code": happening.code[:40], "result_desc": happening.description[:300]}
    if to is State.EXPIRED:
        watched = bool(seen["checkout_request_id"]) or now < seen["created_at"] + WATCH_FOR
        return {"settled_at": now, "next_check_at": seen["next_check_at"] if watched else None}
    if to is State.FAILED:
        watch = lookup(happening.code).watch and happening.event is Event.DECLINED
        return told | {"settled_at": now, "next_check_at": now + FIRST_CHECK_AFTER * 3 if watch else None}
    return told | {
        "settled_at": now,
        "next_check_at": None,
        "came_late": State(seen["state"]) not in LIVE,
        **_fields_of_receipt(seen, happening, now),
    }


def _fields_of_receipt(seen: Mapping[str, Any], happening: Happening, now: datetime) -> dict[str, Any]:
    """What is learned of the money itself: from a callback, a statement line or staff. The query names none of it."""
    fields: dict[str, Any] = {"receipt": happening.receipt, "paid_at": happening.paid_at}
    if happening.amount is not None and happening.amount == int(happening.amount):
        fields["received_kes"] = int(happening.amount)
    if happening.amount not in (None, seen["amount_kes"]):
        fields["amount_differs"] = True
    if happening.source is Source.STAFF:
        fields["by_hand"] = True
    if happening.accepts_amount:
        fields["looked_at"] = now
    return fields


def _amount_in_doubt(seen: Mapping[str, Any], happening: Happening) -> bool:
    """The query names no amount: after a callback that named a wrong one, its "paid" doesn't pay the order."""
    if happening.accepts_amount or happening.amount == seen["amount_kes"]:
        return False
    return bool(seen["amount_differs"]) or happening.amount is not None


def _ends_doubt(seen: Mapping[str, Any], happening: Happening) -> bool:
    """Whether money that came, and was kept from the order because of its amount, is now said to be the right one."""
    has_role = seen["pays_order"] or seen["refund_due"] or seen["refunded_at"] is not None
    is_right = happening.accepts_amount or happening.amount == seen["amount_kes"]
    return happening.event is Event.CONFIRMED and is_right and not has_role


def _knows(seen: Mapping[str, Any], happening: Happening) -> bool:
    """Whether the ledger holds all of this already, so that nothing needs to be written."""
    if happening.event is Event.CONFIRMED:
        return bool(seen["state"] == State.COMPLETED and happening.receipt in (None, seen["receipt"]))
    if happening.event is Event.DECLINED:
        return bool(seen["state"] == State.FAILED and seen["result_code"] == happening.code)
    return True


def _said_before(seen: Mapping[str, Any], kind: str, facts: Mapping[str, str]) -> bool:
    last = (
        PaymentEvent.objects.filter(attempt_id=seen["id"], kind=kind)
        .order_by("-number")
        .values("facts")
        .first()
    )
    return last is not None and last["facts"] == dict(facts)


def _see(attempt_id: int, names: tuple[str, ...] = SEEN) -> dict[str, Any]:
    seen = rows.select(MpesaTransaction, names, {"id": attempt_id})
    if seen is None:
        raise MpesaTransaction.DoesNotExist
    return seen


def _append(
    seen: Mapping[str, Any],
    change: Change,
    *,
    source: Source,
    facts: Mapping[str, str],
    now: datetime,
) -> None:
    """The compare-and-set on the attempt and its event, in the transaction that is open. Raises _Overtaken."""
    link = _link(seen, change, source, facts, now)
    key_id, digest = gateway.keyring().sign(link)
    as_seen = {name: seen[name] for name in ("id", "state", "events_count")}
    now_is = {"state": change.to, "events_count": link.number, "chain_head": digest, **change.fields}
    if not rows.update(MpesaTransaction, now_is, where=as_seen):
        raise _Overtaken
    _write_event(seen["id"], link, key_id, digest)


def _link(
    seen: Mapping[str, Any], change: Change, source: Source, facts: Mapping[str, str], now: datetime
) -> Link:
    return Link(
        attempt=seen["public_id"],
        number=seen["events_count"] + 1,
        kind=change.kind,
        source=source,
        from_state=seen["state"],
        to_state=change.to,
        at=now,
        facts=facts,
        previous_hash=seen["chain_head"] or "",
    )


def _write_event(attempt_id: int, link: Link, key_id: str, digest: str) -> None:
    told = {
        "attempt_id": attempt_id,
        "number": link.number,
        "kind": link.kind,
        "source": link.source,
        "from_state": link.from_state,
        "to_state": link.to_state,
        "at": link.at,
        "facts": dict(link.facts),
        "previous_hash": link.previous_hash,
        "hash": digest,
        "key_id": key_id,
    }
    rows.insert(PaymentEvent, told)


def _judge(delivery_id: int, attempt_id: int, verdict: str) -> None:
    """Two readers of one delivery may meet: the one that finds nothing new leaves "applied" as it is."""
    judged = {"attempt_id": attempt_id, "verdict": verdict}
    if verdict == CallbackDelivery.Verdict.APPLIED:
        rows.update(CallbackDelivery, judged, where={"id": delivery_id})
    else:
        not_applied = CallbackDelivery.objects.exclude(verdict=CallbackDelivery.Verdict.APPLIED)
        not_applied.filter(id=delivery_id).update(**judged)


def _belongs_to_another(attempt_id: int, receipt: str | None) -> bool:
    if not receipt:
        return False
    return MpesaTransaction.objects.filter(receipt=receipt).exclude(id=attempt_id).exists()
