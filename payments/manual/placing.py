"""Parts of a receipt that is nobody's: for an order, for several, or kept by the shop. Who decided it, and why, is kept
as a decision of its own, in the same transaction as the money."""

from datetime import datetime, timedelta

from django.db.models import Sum

from orders.models import Order
from orders.selectors import id_of_order
from payments import gateway, ledger
from payments.facts import LINE_WAITS
from payments.ledger import CENTS, NotThere
from payments.manual.actions import ActionRefused
from payments.manual.claiming import WAITS
from payments.models import HandSettlement, Receipt, StatementLine
from payments.phones import blank_phones

Decision, What = HandSettlement.Decision, HandSettlement.What
SAME_CLICK = timedelta(minutes=2)


def place_part(
    receipt_id: int, *, target: str, amount_kes: int, reason: str, by: str, now: datetime
) -> Order:
    """A part of it is an order's from now on; what is more than the order costs goes back. Raises ActionRefused."""
    receipt = _receipt(receipt_id, amount_kes, by=by)
    order_id = id_of_order(target.strip())
    if order_id is None:
        raise ActionRefused("There is no such order. Type its code, like DK34679ACD.")
    order = Order.objects.get(id=order_id)
    decision = _decision(receipt, What.CLAIM, amount_kes, order=order, reason=reason, by=by, now=now)
    try:
        ledger.claim(
            receipt.pk,
            order_id=order.pk,
            order_code=order.code,
            cents=CENTS * amount_kes,
            now=now,
            then=lambda _id: _kept(decision),
        )
    except NotThere as refused:
        raise ActionRefused(str(refused)) from refused
    return order


def keep_part(receipt_id: int, *, amount_kes: int, reason: str, by: str, now: datetime) -> None:
    """A part of it stays with the shop. Raises ActionRefused."""
    receipt = _receipt(receipt_id, amount_kes, by=by)
    decision = _decision(receipt, What.KEEP, amount_kes, order=None, reason=reason, by=by, now=now)
    try:
        ledger.keep(receipt.pk, cents=CENTS * amount_kes, now=now, then=lambda _id: _kept(decision))
    except NotThere as refused:
        raise ActionRefused(str(refused)) from refused


def refusal_to_place(receipt: Receipt) -> str:
    """Empty where some of it is nobody's, and is known to have come."""
    if receipt.voided_at is not None or receipt.unclaimed_cents < CENTS:
        return "None of it is nobody's: there is nothing to place."
    return WAITS if receipt.lines.filter(LINE_WAITS).exists() else ""


def mark_receipt_reviewed(receipt_id: int, *, by: str, now: datetime) -> None:
    """A person has seen that this money went, and knows why. Raises ActionRefused."""
    if not ledger.review_receipt(receipt_id, by=by, now=now):
        raise ActionRefused("Somebody has looked at it already.")


def _receipt(receipt_id: int, amount_kes: int, *, by: str) -> Receipt:
    receipt = Receipt.objects.get(pk=receipt_id)
    if refusal := refusal_to_place(receipt):
        raise ActionRefused(refusal)
    placed = HandSettlement.objects.filter(money=receipt, decided_by=by).aggregate(kes=Sum("amount_kes"))[
        "kes"
    ]
    if (placed or 0) + amount_kes > gateway.settled_alone_up_to():
        raise ActionRefused(
            f"Alone you may place KES {gateway.settled_alone_up_to():,} of one receipt at most. Attach the whole line "
            "of the statement: that waits for a second person."
        )
    return receipt


def _decision(
    receipt: Receipt,
    what: HandSettlement.What,
    amount_kes: int,
    *,
    order: Order | None,
    reason: str,
    by: str,
    now: datetime,
) -> HandSettlement:
    return HandSettlement(
        what=what,
        money=receipt,
        order=order,
        receipt=receipt.code or "",
        amount_kes=amount_kes,
        evidence=HandSettlement.Evidence.STATEMENT,
        reason=blank_phones(reason.strip()),
        needs_second=False,
        proposed_by=by,
        proposed_at=now,
        decision=Decision.DONE,
        decided_by=by,
        decided_at=now,
    )


def _kept(decision: HandSettlement) -> None:
    """In the ledger's transaction. A line of which nothing is nobody's any more is attached. Raises ActionRefused."""
    receipt = decision.money
    if receipt is None:
        raise RuntimeError("A part is a receipt's.")
    if _was_just_decided(decision):
        raise ActionRefused(
            "You decided just this a moment ago, and it is done: look where the money is now. "
            "If you mean it once more, wait two minutes."
        )
    decision.save(force_insert=True)
    receipt.refresh_from_db()
    if not receipt.unclaimed_cents:
        lines = StatementLine.objects.filter(booked_as=receipt, match=StatementLine.Match.NONE)
        lines.update(match=StatementLine.Match.BY_HAND)


def _was_just_decided(decision: HandSettlement) -> bool:
    """Whoever saw no answer presses again, and means the same part. The receipt is locked."""
    same = HandSettlement.objects.filter(
        money=decision.money,
        what=decision.what,
        order=decision.order,
        amount_kes=decision.amount_kes,
        proposed_by=decision.proposed_by,
    )
    return same.filter(proposed_at__gt=decision.proposed_at - SAME_CLICK).exists()
