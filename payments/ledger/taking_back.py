"""What takes back the last that was decided about an attempt's money, and giving a receipt up that was another's."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from payments.facts import is_paid
from payments.ledger.doors import apply_change
from payments.ledger.kinds import EventKind
from payments.ledger.updates import Change, Snapshot, Source
from payments.models import MpesaTransaction, PaymentEvent
from payments.states import Event, State, next_state

# what put an attempt's money where it is, and what takes that back
TAKEN_BACK_BY = {
    EventKind.CONFIRMED: EventKind.UNDONE,
    EventKind.RECEIPT_LEARNED: EventKind.RECEIPT_UNLEARNED,
    EventKind.AMOUNT_ACCEPTED: EventKind.AMOUNT_DOUBTED,
}
MONEY_EVENTS = (*TAKEN_BACK_BY, EventKind.AMOUNT_CONFIRMED, *TAKEN_BACK_BY.values())


class NothingToTakeBack(ValueError):
    """What moved its money last was said by others, or some of the money went back already."""


def kind_that_takes_back(attempt_id: int, *, said_by: Collection[Source]) -> EventKind | None:
    """None: the last that moved its money was not said by one of these."""
    last = last_of_its_money(attempt_id)
    if last is None or last.source not in said_by:
        return None
    return TAKEN_BACK_BY.get(EventKind(last.kind))


def last_of_its_money(attempt_id: int) -> PaymentEvent | None:
    return (
        PaymentEvent.objects.filter(attempt_id=attempt_id, kind__in=MONEY_EVENTS).order_by("-number").first()
    )


def taking_back(row: Snapshot, *, said_by: Collection[Source], now: datetime) -> Change:
    """Raises NothingToTakeBack."""
    kind = kind_that_takes_back(row.id, said_by=said_by) if is_paid(row) else None
    if kind is None:
        raise NothingToTakeBack("Meanwhile it stands otherwise: look at what happened.")
    if row.refunded_kes:
        raise NothingToTakeBack(
            "Some of its money is recorded as sent back. Take that back first, where it never left."
        )
    if kind is not EventKind.UNDONE:
        return Change(kind=kind, to=State(row.state))
    fields = {"concluded_at": now, "result_code": "", "result_desc": "", "next_check_at": _ask_soon(row, now)}
    return Change(kind=kind, to=next_state(State(row.state), Event.UNDONE), fields=fields)


def give_up_receipt(receipt: str, *, to: str, now: datetime) -> bool:
    """Safaricom's own callback names this receipt for another payment (`to`, its public id): the hand that had settled
    a payment with it was wrong, and is taken back. False: its holder has it from others."""
    holders = MpesaTransaction.objects.filter(receipt=receipt).exclude(public_id=to)
    holder = holders.first()
    if holder is None:
        return True  # somebody took it back meanwhile
    given_up = _give_up(holder.pk, f"Safaricom says that receipt {receipt} is payment {to}'s.", now=now)
    return given_up or not holders.filter(pk=holder.pk).exists()


def give_up_hands_receipt(attempt_id: int, *, named: str, now: datetime) -> bool:
    """Safaricom's own callback names another receipt for this payment than a hand did. False: the one it has is not a
    hand's."""
    by_hand = kind_that_takes_back(attempt_id, said_by=(Source.STAFF,))
    may = by_hand in (EventKind.UNDONE, EventKind.RECEIPT_UNLEARNED)
    given_up = may and _give_up(attempt_id, f"Safaricom says that its receipt is {named}.", now=now)
    has_another = MpesaTransaction.objects.filter(id=attempt_id).exclude(receipt=None).exclude(receipt=named)
    return given_up or not has_another.exists()  # somebody took it back meanwhile


def _give_up(attempt_id: int, why: str, *, now: datetime) -> bool:
    try:
        apply_change(
            attempt_id,
            lambda row: _left_to_a_person(taking_back(row, said_by=(Source.STAFF,), now=now), now),
            source=Source.CALLBACK,
            facts={"reason": why},
            now=now,
        )
    except NothingToTakeBack:
        return False
    return True


def _left_to_a_person(change: Change, now: datetime) -> Change:
    """Its order may have been handed over, and is not paid any more."""
    if change.kind is not EventKind.UNDONE:
        return change
    return replace(change, fields={**change.fields, "given_up_at": now})


def _ask_soon(row: Snapshot, now: datetime) -> datetime | None:
    """Of what a hand had settled nobody knows any more how it ended: Safaricom is asked, where it can be."""
    return now if row.checkout_request_id else None
