"""What takes back the last that was decided about an attempt's money, and giving a receipt up that was another's."""

from collections.abc import Collection
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
    holder = MpesaTransaction.objects.filter(receipt=receipt).exclude(public_id=to).first()
    if holder is None:
        return False
    why = {"reason": f"Safaricom says that receipt {receipt} is payment {to}'s."}
    try:
        apply_change(
            holder.pk,
            lambda row: taking_back(row, said_by=(Source.STAFF,), now=now),
            source=Source.CALLBACK,
            facts=why,
            now=now,
        )
    except NothingToTakeBack:
        return False
    return True


def _ask_soon(row: Snapshot, now: datetime) -> datetime | None:
    """Of what a hand had settled nobody knows any more how it ended: Safaricom is asked, where it can be."""
    return now if row.checkout_request_id else None
