"""What an update does to an attempt: its row and the update in, the change out. Pure: reads no table, asks no clock."""

from datetime import datetime, timedelta
from typing import Any

from payments.daraja import lookup
from payments.facts import (
    FOLLOW_UP_FOR,
    STALE_AFTER,
    has_thin_ending,
    is_followed_up,
    is_live,
    is_settled,
)
from payments.ledger.kinds import EventKind, again
from payments.ledger.updates import Change, Snapshot, Source, Update
from payments.states import Event, State, next_state

FIRST_CHECK_AFTER = timedelta(seconds=20)  # daraja.md 3: not before 15-20 s
ANOTHER_LOOK_AFTER = 3 * FIRST_CHECK_AFTER  # of what was declined by a word that is not quite the last


def decide(row: Snapshot, update: Update, *, now: datetime) -> Change | None:
    """The change this update makes to the row, or None where the ledger holds all of it already."""
    before = State(row.state)
    to = next_state(before, update.event)
    fields = _new_ids(row, update, now)
    if to != before:
        return Change(
            kind=EventKind(update.event),
            to=to,
            fields=fields | _fields_of_move(row, update, to, now),
            pays=to is State.COMPLETED and not _leaves_doubt(row, update),
            came_cents=_cents(update),
            waives_rest=update.accepts_amount,
        )
    if before is State.COMPLETED and update.receipt and not row.receipt:
        fields |= _fields_of_receipt(row, update, now)
        return Change(
            kind=EventKind.RECEIPT_LEARNED,
            to=to,
            fields=fields,
            pays=_ends_doubt(row, update),
            came_cents=_cents(update),
            waives_rest=update.accepts_amount,
        )
    same_receipt = update.receipt in (None, row.receipt)
    if before is State.COMPLETED and same_receipt and _ends_doubt(row, update):
        fields["received_kes"] = row.amount_kes
        return Change(kind=EventKind.AMOUNT_CONFIRMED, to=to, fields=fields, pays=True)
    if not fields and _is_known(row, update):
        return None
    return Change(kind=again(update.event), to=to, fields=fields, unless_repeated=not fields)


def names_another_receipt(row: Snapshot, update: Update) -> bool:
    """A callback of the same request with a receipt of its own: a second payment, or the one that a person's receipt
    stood for."""
    told = update.source is Source.CALLBACK and update.event is Event.CONFIRMED and update.receipt is not None
    return told and row.state == State.COMPLETED and row.receipt not in (None, update.receipt)


def first_check(*, created_at: datetime) -> datetime:
    """When an attempt is looked at whose push never noted its answer."""
    return created_at + STALE_AFTER


def _new_ids(row: Snapshot, update: Update, now: datetime) -> dict[str, Any]:
    """Daraja's ids, where they were not known yet. An attempt that was given up can be asked about from now on."""
    fields: dict[str, Any] = {}
    if update.checkout_request_id and not row.checkout_request_id:
        fields["checkout_request_id"] = update.checkout_request_id
        if row.state == State.EXPIRED or has_thin_ending(row):
            fields["next_check_at"] = now + FIRST_CHECK_AFTER
    if update.merchant_request_id and not row.merchant_request_id:
        fields["merchant_request_id"] = update.merchant_request_id
    return fields


def _fields_of_move(row: Snapshot, update: Update, to: State, now: datetime) -> dict[str, Any]:
    if to is State.PENDING:
        return {"next_check_at": now + FIRST_CHECK_AFTER}
    if to is State.UNKNOWN:  # without an id nobody can be asked: its callback tells, or the following-up ends
        return {"next_check_at": row.created_at + FOLLOW_UP_FOR}
    if to is State.EXPIRED:
        goes_on = bool(row.checkout_request_id) or is_followed_up(row, now=now)
        return {"concluded_at": now, "next_check_at": row.next_check_at if goes_on else None}
    ending = {
        "result_code": update.code[:40],
        "result_desc": update.description[:300],
        "concluded_at": now,
        "next_check_at": None,
    }
    if to is State.FAILED:
        goes_on = lookup(update.code).follow_up and update.event is Event.DECLINED
        return ending | ({"next_check_at": now + ANOTHER_LOOK_AFTER} if goes_on else {})
    return ending | {"came_late": not is_live(row), **_fields_of_receipt(row, update, now)}


def _fields_of_receipt(row: Snapshot, update: Update, now: datetime) -> dict[str, Any]:
    """What is learned of the money itself: from a callback, a statement line or staff. The query names none of it."""
    fields: dict[str, Any] = {"receipt": update.receipt, "paid_at": update.paid_at}
    if update.amount is not None and update.amount == int(update.amount):
        fields["received_kes"] = int(update.amount)
    if update.amount not in (None, row.amount_kes):
        fields["amount_differs"] = True
    if update.source is Source.STAFF:
        fields["by_hand"] = True
    if update.accepts_amount:
        fields["reviewed_at"] = now
    return fields


def _names_right_amount(row: Snapshot, update: Update) -> bool:
    """Or one that is believed all the same: the statement's is what came, whatever was asked."""
    if update.source is Source.STATEMENT and update.amount is not None:
        return True
    return update.accepts_amount or update.amount == row.amount_kes


def _cents(update: Update) -> int | None:
    return None if update.amount is None else round(100 * update.amount)


def _leaves_doubt(row: Snapshot, update: Update) -> bool:
    """The query names no amount: after a callback that named a wrong one, its "paid" doesn't pay the order."""
    if _names_right_amount(row, update):
        return False
    return row.amount_differs or update.amount is not None


def _ends_doubt(row: Snapshot, update: Update) -> bool:
    """Whether money that came, and was kept from the order because of its amount, is now said to be the right one."""
    return update.event is Event.CONFIRMED and _names_right_amount(row, update) and not is_settled(row)


def _is_known(row: Snapshot, update: Update) -> bool:
    """Whether the ledger holds all of this already, so that nothing needs to be written."""
    if update.event is Event.CONFIRMED:
        return row.state == State.COMPLETED and update.receipt in (None, row.receipt)
    if update.event is Event.DECLINED:
        return row.state == State.FAILED and row.result_code == update.code
    return True
