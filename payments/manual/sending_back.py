"""Having Safaricom send a receipt's money back: decided here, sent and followed by reversals/. And saying of one that
nobody answered for that the money is still here."""

from datetime import datetime

from django.db import transaction

from payments import gateway, ledger, reversals
from payments.facts import reversal_is_stuck
from payments.ledger import CENTS, Change, EventKind, Snapshot, Source
from payments.manual import deciding
from payments.manual.actions import ActionRefused
from payments.manual.deciding import Kept, People, What
from payments.models import HandSettlement, Receipt, Reversal
from payments.states import State

SWITCHED_OFF = (
    "The shop has no initiator yet, so Safaricom can't be ordered to send money back: do it in the portal."
)


def send_back(receipt_id: int, *, amount_kes: int, reason: str, by: str, now: datetime) -> HandSettlement:
    """Raises ActionRefused."""
    receipt = Receipt.objects.get(pk=receipt_id)
    wanted = _decision(What.SEND_BACK, receipt, amount_kes=amount_kes, reason=reason)
    return deciding.decide(wanted, SEND, by=by, now=now)


def say_never_went(reversal_id: int, *, reason: str, by: str, now: datetime) -> HandSettlement:
    """Raises ActionRefused."""
    row = Reversal.objects.select_related("receipt").get(pk=reversal_id)
    wanted = _decision(What.NEVER_WENT, row.receipt, amount_kes=row.amount_kes, reason=reason)
    return deciding.decide(wanted, NEVER_WENT, by=by, now=now)


def refusal_to_send_back(receipt: Receipt) -> str:
    """Empty where Safaricom can be ordered to send some of it back."""
    if gateway.initiator() is None:
        return SWITCHED_OFF
    if receipt.voided_at is not None or receipt.direction != Receipt.Direction.IN:
        return "No money has come with it, so there is none to send back."
    if receipt.kind != Receipt.Kind.PAYMENT or (receipt.happened_at is None and receipt.attempt_id is None):
        return "Only a payment goes back. Upload the statement that shows the payment itself."
    if not receipt.code:
        return (
            "Its receipt is awaited, and Safaricom sends back by receipt: upload the M-PESA statement first."
        )
    if receipt.short_code not in gateway.short_codes():
        return "It came to a short code that is the shop's no more: send it back in the M-PESA portal."
    earlier = Reversal.objects.filter(receipt=receipt).exclude(state=Reversal.State.REFUSED).first()
    if earlier is not None and earlier.state != Reversal.State.DONE:
        return reversals.UNDER_WAY
    if earlier is not None:
        return (
            "Safaricom has sent of it back once, and does so once only: send the rest in the M-PESA portal."
        )
    if ledger.left_of(receipt) < CENTS:
        return "All of it was sent back already."
    return ""


def refusal_to_say_never_went(row: Reversal, *, now: datetime) -> str:
    """Empty where it is not sent yet, or nobody has answered for an hour."""
    if row.state == Reversal.State.DUE:
        return ""
    if row.state == Reversal.State.DONE:
        return "The money went back: a statement or Safaricom's own word shows it."
    if row.state == Reversal.State.REFUSED:
        return "It ended already: the money is here."
    if not reversal_is_stuck(row, now=now):
        return (
            "Safaricom is being asked what came of it: wait for an hour before you decide that it never went."
        )
    return ""


def mark_reversal_reviewed(reversal_id: int, *, by: str, now: datetime) -> None:
    """A person has seen that it failed. Raises ActionRefused."""
    unseen = Reversal.objects.filter(pk=reversal_id, state=Reversal.State.REFUSED, reviewed_at=None)
    if not unseen.update(reviewed_at=now, reviewed_by=by):
        raise ActionRefused("There is nothing to look at, or somebody has.")


def _decision(what: HandSettlement.What, receipt: Receipt, *, amount_kes: int, reason: str) -> HandSettlement:
    return HandSettlement(
        what=what,
        money=receipt,
        attempt_id=receipt.attempt_id,
        receipt=receipt.code or "",
        amount_kes=max(0, amount_kes),
        counts_kes=max(0, amount_kes),
        evidence=HandSettlement.Evidence.REASON,
        reason=reason,
    )


def _money(wanted: HandSettlement) -> Receipt:
    """As it is now."""
    return Receipt.objects.get(pk=wanted.money_id or 0)


def _refusal(wanted: HandSettlement, _now: datetime) -> str:
    receipt = _money(wanted)
    if refusal := refusal_to_send_back(receipt):
        return refusal
    left = ledger.left_of(receipt)
    if not 0 < CENTS * wanted.amount_kes <= left:
        return f"KES {left / CENTS:,.2f} of this receipt is left to send back."
    return ""


def _carry_out(wanted: HandSettlement, people: People, kept: Kept, now: datetime) -> None:
    receipt = _money(wanted)

    def keep() -> None:
        reversals.note_decided(
            receipt.pk,
            amount_kes=wanted.amount_kes,
            reason=wanted.reason,
            decided_by=people["by"],
            confirmed_by=people.get("confirmed_by", ""),
            now=now,
        )
        kept()

    def decide_on(row: Snapshot) -> Change:
        reversals.hold(receipt.pk)
        return Change(kind=EventKind.REVERSAL_ORDERED, to=State(row.state))

    facts = {"receipt": wanted.receipt, "amount": str(wanted.amount_kes), "reason": wanted.reason, **people}
    try:
        if receipt.attempt_id is None:
            with transaction.atomic(durable=True):
                keep()
        else:
            ledger.apply_change(
                receipt.attempt_id,
                decide_on,
                source=Source.STAFF,
                facts=facts,
                now=now,
                in_same_transaction=keep,
            )
    except reversals.Refusal as refused:
        raise ActionRefused(str(refused)) from refused


SEND = deciding.Way(refusal=_refusal, carry_out=_carry_out)


def _of(wanted: HandSettlement) -> Reversal | None:
    return reversals.the_one_under_way(wanted.money_id or 0)


def _refusal_never_went(wanted: HandSettlement, now: datetime) -> str:
    row = _of(wanted)
    return "It ended already." if row is None else refusal_to_say_never_went(row, now=now)


def _carry_out_never_went(wanted: HandSettlement, people: People, kept: Kept, now: datetime) -> None:
    row = _of(wanted)
    words = f"A person says that it never went: {wanted.reason}"
    if row is None or not reversals.never_went(
        row, code="never_went", words=words, source=Source.STAFF, people=people, then=kept, now=now
    ):
        raise ActionRefused("Somebody else said in this moment how it ended.")


NEVER_WENT = deciding.Way(refusal=_refusal_never_went, carry_out=_carry_out_never_went)
