"""Money on a statement that no payment explains: a person says which order it is for. Decides which payment of the
order it becomes; the settlement itself, with its limit for one person, is settling.py's.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from orders.models import Order
from payments.facts import IS_PAID, line_waits
from payments.manual import settling
from payments.manual.actions import ActionRefused
from payments.manual.settling import Settlement
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
    line = StatementLine.objects.get(id=claim.line_id)
    if refusal := refusal_to_claim(line):
        raise ActionRefused(refusal)
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
        return settling.propose_settlement(attempt_id, wanted, by=by, now=now)
    if order is None:
        raise ActionRefused(
            "There is no such order or payment. Type the order's code, like DK34679ACD, or the payment's id."
        )
    return settling.propose_claim(order, wanted, by=by, now=now)


def refusal_to_claim(line: StatementLine) -> str:
    """Empty where it can be attached."""
    if line.kind != Kind.PAYMENT:
        return "This line is no customer's money, so it is no order's."
    if line.voided_at is not None:
        return "This line is void: it is not to be believed."
    if line.attempt_id is not None:
        return "This line is a payment's already."
    if line_waits(line):
        return WAITS
    if line.paid_in != int(line.paid_in):
        return "This amount has cents, and payments are whole shillings: refund it in the M-PESA portal."
    if settling.waiting_settlement_of_line(line.pk) is not None:
        return "This money waits for a second person already."
    known = MpesaTransaction.objects.filter(receipt=line.receipt).first()
    if known is not None:
        return (
            f"Receipt {line.receipt} is a payment's already, of order {known.account_reference}. "
            "Open the statement and press “Match again”."
        )
    return ""


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
