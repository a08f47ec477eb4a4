"""Money on a statement that no payment explains: a person says which order it is for. Decides which payment of the
order it becomes; what that does to the money is settling.py's.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from orders.models import Order
from payments.facts import IS_PAID, line_is_booked, line_waits
from payments.manual import deciding, settling
from payments.manual.actions import ActionRefused
from payments.manual.settling import Settlement, waiting_settlement_of_line
from payments.models import HandSettlement, MpesaTransaction, StatementLine
from payments.reconciliation import CLOCKS_DIFFER

Kind = StatementLine.Kind
WAITS = "This money waits to be believed: a second person does that on the statement's page."


@dataclass(frozen=True, kw_only=True)
class Claim:
    """`target`: an order's code or page's reference, or a payment's id or number."""

    line_id: int
    target: str
    reason: str
    accepts_amount: bool = False


def claim_receipt(claim: Claim, *, by: str, now: datetime) -> HandSettlement:
    """The line's money becomes a payment: the one named, else the order's that waits for it, else one of its own.

    Above the limit for one person it waits for a second (confirm_settlement). Raises ActionRefused.
    """
    line = _line(claim.line_id)
    deciding.refuse(refusal_to_claim(line))
    wanted = Settlement(
        receipt=line.receipt,
        amount_kes=int(line.paid_in),
        evidence=HandSettlement.Evidence.STATEMENT,
        reason=claim.reason,
        accepts_amount=claim.accepts_amount,
        line_id=line.pk,
        paid_at=line.completed_at,
    )
    order, attempt_id = _named(claim.target.strip())
    if order is not None:
        attempt_id = _that_waits(order, line)
    if attempt_id is not None:
        return deciding.decide(settling.of_payment(attempt_id, wanted), WAY, by=by, now=now)
    if order is None:
        raise ActionRefused(
            "There is no such order or payment. Type the order's code, like DK34679ACD, or the payment's id."
        )
    return deciding.decide(settling.of_order(order, wanted), WAY, by=by, now=now)


def refusal_to_claim(line: StatementLine) -> str:
    """Empty where all of its money can be attached."""
    return _refusal_of_line(line) or _refusal_as_it_waits(line)


def refusal(claim: HandSettlement, now: datetime) -> str:
    """Empty where this money can be this order's, as far as is known by now."""
    return (
        _refusal_of_line(_line(claim.line_id or 0))
        or refusal_of_order(claim.order_id)
        or settling.refusal(claim, now)
    )


def refusal_of_order(order_id: int | None) -> str:
    """Empty where it takes money."""
    order = Order.objects.filter(id=order_id or 0).first()
    if order is not None and order.state not in (Order.State.OPEN, Order.State.PAID):
        return f"Order {order.code} takes no more money."
    return ""


WAY = deciding.Way(refusal=refusal, carry_out=settling.carry_out)


def _line(line_id: int) -> StatementLine:
    return StatementLine.objects.select_related("booked_as").get(id=line_id)


def _refusal_of_line(line: StatementLine) -> str:
    if line.kind != Kind.PAYMENT:
        return "This line is no customer's money, so it is no order's."
    if line.voided_at is not None:
        return "This line is void: it is not to be believed."
    if line_is_booked(line):
        return "This money is in the book already, for the order that it names."
    if line.attempt_id is not None:
        return "This line is a payment's already."
    if line_waits(line):
        return WAITS
    known = MpesaTransaction.objects.filter(receipt=line.receipt).first()
    if known is not None:
        return (
            f"Receipt {line.receipt} is a payment's already, of order {known.account_reference}. "
            "Open the statement and press “Match again”."
        )
    booked = line.booked_as
    if booked is not None and booked.unclaimed_cents != booked.amount_cents:
        return (
            "Some of this money has its place in the book already: open its receipt to see where the rest is."
        )
    if line.paid_in != int(line.paid_in):
        return "This amount has cents, and payments are whole shillings: refund it in the M-PESA portal."
    return ""


def _refusal_as_it_waits(line: StatementLine) -> str:
    waits = waiting_settlement_of_line(line.pk) is not None
    return "This money waits for a second person already." if waits else ""


def _named(target: str) -> tuple[Order | None, int | None]:
    """The order, or else the payment, that these words name."""
    order = Order.objects.filter(code=target.upper()).first()
    order = order or Order.objects.filter(client_reference=target).first()
    if order is not None:
        return order, None
    payments = MpesaTransaction.objects.filter(public_id=target)
    if target.isascii() and target.isdigit() and len(target) < 18:
        payments = MpesaTransaction.objects.filter(id=int(target))
    return None, payments.values_list("id", flat=True).first()


def _that_waits(order: Order, line: StatementLine) -> int | None:
    """The order's payment that this money can be: one known to be paid before others, the youngest before older."""
    with_a_line = StatementLine.objects.filter(kind=Kind.PAYMENT, attempt=OuterRef("id"))
    waiting = MpesaTransaction.objects.filter(
        order=order,
        receipt=None,
        amount_kes=int(line.paid_in),
        created_at__lte=line.completed_at + CLOCKS_DIFFER,
    ).exclude(Exists(with_a_line))
    known = waiting.filter(IS_PAID).order_by("-id").values_list("id", flat=True).first()
    return known or waiting.order_by("-id").values_list("id", flat=True).first()
