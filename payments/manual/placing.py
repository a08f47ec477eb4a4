"""Parts of a receipt that is nobody's: for an order, for several, or kept by the shop. Who decided it, and why, is kept
as a decision of its own, in the same transaction as the money."""

from datetime import datetime, timedelta

from django.db.models import Sum

from orders.models import Order
from orders.selectors import id_of_order
from payments import ledger
from payments.facts import LINE_WAITS
from payments.ledger import CENTS, NotThere
from payments.manual import deciding
from payments.manual.actions import ActionRefused
from payments.manual.claiming import WAITS, refusal_of_order
from payments.manual.deciding import Decision, Kept, People, What
from payments.models import HandSettlement, Receipt, StatementLine

SAME_CLICK = timedelta(minutes=2)


def place_part(
    receipt_id: int, *, target: str, amount_kes: int, reason: str, by: str, now: datetime
) -> HandSettlement:
    """A part of it is an order's from now on; what is more than the order costs goes back. Raises ActionRefused."""
    order_id = id_of_order(target.strip())
    if order_id is None:
        raise ActionRefused("There is no such order. Type its code, like DK34679ACD.")
    order = Order.objects.get(id=order_id)
    part = _decision(receipt_id, What.CLAIM, amount_kes, order=order, reason=reason)
    return deciding.decide(part, PLACE, by=by, now=now)


def keep_part(receipt_id: int, *, amount_kes: int, reason: str, by: str, now: datetime) -> HandSettlement:
    """A part of it stays with the shop. Raises ActionRefused."""
    part = _decision(receipt_id, What.KEEP, amount_kes, order=None, reason=reason)
    return deciding.decide(part, KEEP, by=by, now=now)


def refusal_to_place(receipt: Receipt) -> str:
    """Empty where some of it is nobody's, and is known to have come."""
    if receipt.voided_at is not None or receipt.unclaimed_cents < CENTS:
        return "None of it is nobody's: there is nothing to place."
    return WAITS if receipt.lines.filter(LINE_WAITS).exists() else ""


def mark_receipt_reviewed(receipt_id: int, *, by: str, now: datetime) -> None:
    """A person has seen that this money went, and knows why. Raises ActionRefused."""
    if not ledger.review_receipt(receipt_id, by=by, now=now):
        raise ActionRefused("Somebody has looked at it already.")


def _decision(
    receipt_id: int, what: HandSettlement.What, amount_kes: int, *, order: Order | None, reason: str
) -> HandSettlement:
    receipt = Receipt.objects.get(pk=receipt_id)
    deciding.refuse(refusal_to_place(receipt))
    return HandSettlement(
        what=what,
        money=receipt,
        order=order,
        receipt=receipt.code or "",
        amount_kes=amount_kes,
        counts_kes=max(0, amount_kes),
        evidence=HandSettlement.Evidence.STATEMENT,
        reason=reason,
    )


def waiting_kes(receipt: Receipt, *, but: HandSettlement) -> int:
    """How much of it waits for a second person, to be placed or sent back; without this one."""
    waiting = receipt.decisions.filter(decision=Decision.WAITING).exclude(pk=but.pk)
    return waiting.aggregate(kes=Sum("amount_kes"))["kes"] or 0


def _refusal(part: HandSettlement, _now: datetime) -> str:
    """Empty where so much of it is nobody's, and waits for nobody."""
    receipt = _money(part)
    waits = waiting_kes(receipt, but=part)
    free = receipt.unclaimed_cents - CENTS * waits
    if not 0 < CENTS * part.amount_kes <= free:
        also = f", and KES {waits:,} of that waits for a second person" if waits else ""
        return f"KES {receipt.unclaimed_cents / CENTS:,.2f} of this receipt is nobody's yet{also}."
    return refusal_to_place(receipt) or refusal_of_order(part.order_id) or _refusal_as_same_click(part)


def _refusal_as_same_click(part: HandSettlement) -> str:
    """Whoever saw no answer presses again, and means the same part."""
    same = HandSettlement.objects.filter(
        money=part.money_id,
        what=part.what,
        order=part.order_id,
        amount_kes=part.amount_kes,
        proposed_by=part.proposed_by,
        proposed_at__gt=part.proposed_at - SAME_CLICK,
        decision__in=(Decision.DONE, Decision.WAITING),
    )
    if part.pk is not None:
        same = same.filter(pk__lt=part.pk)
    if not same.exists():
        return ""
    return (
        "You decided just this a moment ago, and it is done or waits for a second person: look where the money is "
        "now. If you mean it once more, wait two minutes."
    )


def _place(part: HandSettlement, _people: People, kept: Kept, now: datetime) -> None:
    order = part.order
    if order is None:
        raise RuntimeError("A part is claimed for an order.")
    try:
        ledger.claim(
            _money(part).pk,
            order_id=order.pk,
            order_code=order.code,
            cents=CENTS * part.amount_kes,
            now=now,
            then=lambda _id: _join(part, kept),
        )
    except NotThere as refused:
        raise ActionRefused(str(refused)) from refused


def _keep(part: HandSettlement, _people: People, kept: Kept, now: datetime) -> None:
    cents = CENTS * part.amount_kes
    try:
        ledger.keep(_money(part).pk, cents=cents, now=now, then=lambda _id: _join(part, kept))
    except NotThere as refused:
        raise ActionRefused(str(refused)) from refused


PLACE = deciding.Way(refusal=_refusal, carry_out=_place)
KEEP = deciding.Way(refusal=_refusal, carry_out=_keep)


def _money(part: HandSettlement) -> Receipt:
    """As it is now."""
    if part.money_id is None:
        raise RuntimeError("A part is a receipt's.")
    return Receipt.objects.get(pk=part.money_id)


def _join(part: HandSettlement, kept: Kept) -> None:
    """In the ledger's transaction. A line of which nothing is nobody's any more is attached. Raises ActionRefused."""
    deciding.refuse(_refusal_as_same_click(part))  # once more: the receipt is locked
    receipt = _money(part)
    if not receipt.unclaimed_cents:
        lines = StatementLine.objects.filter(booked_as=receipt, match=StatementLine.Match.NONE)
        lines.update(match=StatementLine.Match.BY_HAND)
    kept()
