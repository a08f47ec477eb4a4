"""How others come in: open an attempt, record what was reported, change what a person decided, note a word.

Every write is one transaction, guarded by the number of events it was decided upon: a writer that was overtaken
reads again and decides anew, so callback, query and staff may arrive in the same instant.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from djkraph import sql
from orders.models import Order
from payments.ledger.decide import decide, first_check, names_another_receipt
from payments.ledger.kinds import EventKind
from payments.ledger.moves import book
from payments.ledger.updates import (
    COLUMNS,
    AnotherReceipt,
    Change,
    ReceiptWithoutPrompt,
    Recorded,
    Snapshot,
    Source,
    Update,
)
from payments.ledger.write import (
    ChainEnd,
    Facts,
    SignedEvent,
    append,
    carry_out,
    decide_anew,
    judge,
    read,
    said_before,
    signed_event,
    write_event,
)
from payments.models import CallbackDelivery, MpesaTransaction
from payments.signing import commitment
from payments.states import State

Verdict = CallbackDelivery.Verdict


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
    opened_from: str = "",
    now: datetime,
    order_total_kes: int | None = None,
) -> MpesaTransaction:
    """A new attempt with its first event, inside the caller's transaction. The database refuses a second live one.

    `order_total_kes`: where the caller has not read the order, it is read here.
    """
    public_id, salt = _new_public_id(), secrets.token_hex(16)
    named = _named(order_id, amount_kes, short_code, order_total_kes, account_reference)
    first = _first_event(
        public_id, {**named, "phone": commitment(salt, msisdn_hash)}, source=Source.PUSH, now=now
    )
    values: dict[str, Any] = {
        "public_id": public_id,
        "order_id": order_id,
        "amount_kes": amount_kes,
        "phone_masked": msisdn_masked,
        "phone_hash": msisdn_hash,
        "phone_salt": salt,
        "callback_token_hash": callback_token_hash,
        "channel": channel,
        "short_code": short_code,
        "account_reference": account_reference,
        "description": description,
        "unpriced": unpriced,
        "opened_from": opened_from,
        "created_at": now,
        "next_check_at": first_check(created_at=now),
        "events_count": first.link.number,
        "chain_head": first.hash,
    }
    attempt = MpesaTransaction(id=sql.insert(MpesaTransaction, values), **values)
    write_event(attempt.pk, first)
    return attempt


def insert_paid(
    money: ReceiptWithoutPrompt,
    update: Update,
    *,
    now: datetime,
    in_same_transaction: Callable[[int], None] = lambda _attempt_id: None,
    delivery_id: int | None = None,
) -> int:
    """An attempt that is there only because its money is: created and confirmed in one transaction, by hand or because
    Safaricom named a second receipt.

    It is never live, so a request that is under way is not in its way. `in_same_transaction` is given its id; with
    `delivery_id` the callback is the new attempt's. Raises ReceiptTaken.
    """

    def once(_afresh: bool) -> int:
        attempt_id = _insert_paid(money, update, now)
        in_same_transaction(attempt_id)
        if delivery_id is not None:
            judge(delivery_id, attempt_id, Verdict.APPLIED)
        return attempt_id

    return decide_anew(once, receipt=update.receipt)


def record(
    attempt_id: int,
    update: Update,
    *,
    now: datetime,
    delivery_id: int | None = None,
    row: Snapshot | None = None,
    in_same_transaction: Callable[[], None] | None = None,
) -> Recorded:
    """Moves the attempt (and with it its order) as the table of states says, or notes that nothing moves.

    With `delivery_id` the callback's verdict is written in the same transaction; `in_same_transaction` runs in it
    where there is news. `row`: the attempt as the caller has just read it; should it be outdated, the
    compare-and-set finds out. Raises ReceiptTaken, and AnotherReceipt where a callback names a second one.
    """

    def once(afresh: bool) -> Recorded:
        recorded = _record_once(read(attempt_id) if afresh or row is None else row, update, now, delivery_id)
        if in_same_transaction is not None and recorded.news:
            in_same_transaction()
        return recorded

    return decide_anew(once, receipt=update.receipt, attempt_id=attempt_id)


def apply_change(
    attempt_id: int,
    decide_on: Callable[[Snapshot], Change],
    *,
    source: Source,
    facts: Facts,
    now: datetime,
    in_same_transaction: Callable[[], None] | None = None,
) -> None:
    """One event that a member of staff or a statement brings, decided on the attempt as it is then. What `decide_on`
    and `in_same_transaction` raise leaves nothing written.
    """

    def once(_afresh: bool) -> None:
        row = read(attempt_id)
        carry_out(row, decide_on(row), source=source, facts=facts, now=now)
        if in_same_transaction is not None:
            in_same_transaction()

    decide_anew(once)


def note(
    attempt_id: int,
    kind: EventKind,
    *,
    source: Source,
    now: datetime,
    facts: Facts,
    differs: bool = False,
    delivery: tuple[int, str] | None = None,
) -> None:
    """An event that moves nothing: an answer that was none, an amount that was wrong, a word from staff.

    Said again as its kind was said last, it is kept once. `delivery` is (id, verdict) to write in the same
    transaction.
    """

    def once(_afresh: bool) -> None:
        row = read(attempt_id)
        if not said_before(row.id, kind, facts):
            fields: dict[str, Any] = {"amount_differs": True} if differs else {}
            if kind is EventKind.GIVEN_UP:
                fields["given_up_at"] = now
            change = Change(kind=kind, to=State(row.state), fields=fields)
            append(row, change, source=source, facts=facts, now=now)
        if delivery is not None:
            judge(delivery[0], attempt_id, delivery[1])

    decide_anew(once)


def _record_once(row: Snapshot, update: Update, now: datetime, delivery_id: int | None) -> Recorded:
    if names_another_receipt(row, update):
        raise AnotherReceipt
    before = State(row.state)
    change = decide(row, update, now=now)
    if change is not None and not carry_out(row, change, source=update.source, facts=update.facts(), now=now):
        change = None
    if delivery_id is not None:
        judge(delivery_id, row.id, Verdict.APPLIED if change else Verdict.REPEATED)
    return Recorded(before=before, after=change.to if change else before, news=change is not None)


def _insert_paid(money: ReceiptWithoutPrompt, update: Update, now: datetime) -> int:
    """The row as its two events leave it, and the events."""
    values: dict[str, Any] = {
        "public_id": _new_public_id(),
        "order_id": money.order_id,
        "amount_kes": money.amount_kes,
        "phone_masked": money.payer_masked,
        "channel": money.channel,
        "short_code": money.short_code,
        "account_reference": money.account_reference,
        "description": money.description,
        "callback_token_hash": secrets.token_hex(32),  # of no token: nobody can call back for it
        "unpriced": money.unpriced,
        "created_at": now,
    }
    known = {name: values[name] for name in COLUMNS if name in values}
    unborn = Snapshot(**{**_UNBORN, **known})
    change = decide(unborn, update, now=now)
    if change is None or change.to is not State.COMPLETED:
        raise ValueError("Only money that came makes an attempt of its own.")
    named = _named(money.order_id, money.amount_kes, money.short_code)
    asked = {**named, "unasked": "yes", **update.more}
    first = _first_event(unborn.public_id, asked, source=update.source, now=now)
    # its receipt comes last: whoever has the receipt locked may be about to write the same one, and waits for nobody
    at_last = {"receipt": change.fields["receipt"]}
    at_once = {name: value for name, value in change.fields.items() if name not in at_last}
    attempt_id = sql.insert(MpesaTransaction, values | {"state": change.to} | at_once)
    write_event(attempt_id, first)
    born = replace(unborn, id=attempt_id, chain_head=first.hash)
    booked = book(born, change, source=update.source, facts=update.facts(), now=now)
    second = signed_event(
        born, change, source=update.source, facts={**update.facts(), **booked.facts}, now=now
    )
    ends = {"events_count": second.link.number, "chain_head": second.hash}
    as_they_leave_it = {**at_last, **ends, **booked.fields}
    sql.update(MpesaTransaction, as_they_leave_it, where={"id": attempt_id})
    write_event(attempt_id, second)
    return attempt_id


@dataclass(frozen=True, kw_only=True)
class _Ordered:
    code: str
    total_kes: int


def _named(
    order_id: int, amount_kes: int, short_code: str, total_kes: int | None = None, code: str = ""
) -> Facts:
    """What an attempt's first event binds it to."""
    if total_kes is None:
        order = sql.select(Order, _Ordered, {"id": order_id})
        if order is None:
            raise Order.DoesNotExist
        code, total_kes = order.code, order.total_kes
    return {
        "amount": str(amount_kes),
        "order": code,
        "order_total": str(total_kes),
        "short_code": short_code,
    }


def _first_event(public_id: str, facts: Facts, *, source: Source, now: datetime) -> SignedEvent:
    return signed_event(
        ChainEnd(public_id=public_id, state="", events_count=0, chain_head=""),
        Change(kind=EventKind.CREATED, to=State.CREATED),
        source=source,
        facts=facts,
        now=now,
    )


# an attempt before its first event, as far as nobody has said anything of it
_UNBORN: Mapping[str, Any] = {
    "id": 0,
    "state": State.CREATED,
    "merchant_request_id": "",
    "checkout_request_id": None,
    "result_code": "",
    "receipt": None,
    "pays_order": False,
    "refund_due": False,
    "unclaimed": False,
    "due_cents": 0,
    "refunded_at": None,
    "amount_differs": False,
    "next_check_at": None,
    "events_count": 1,
    "chain_head": "",
    "received_kes": None,
    "reviewed_at": None,
    "came_late": False,
    "given_up_at": None,
    "by_hand": False,
    "paid_at": None,
    "refunded_kes": None,
}


def _new_public_id() -> str:
    return f"pay_{secrets.token_urlsafe(18)}"
