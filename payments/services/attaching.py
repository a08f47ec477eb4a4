"""Money on a statement that no payment explains: a person says which order it is for. Decides which payment of the
order it becomes; the settlement itself, with its limit for one person, is settlements.py's.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef

from orders.models import Order
from payments.models import HandSettlement, MpesaTransaction, StatementLine
from payments.services import settlements
from payments.services.matching import CLOCKS_DIFFER
from payments.services.settlements import Claim
from payments.services.staff import NotPossible
from payments.states import State

Kind = StatementLine.Kind


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """`target`: an order's code or page's reference, or a payment's id or number."""

    line_id: int
    target: str
    reason: str
    accepts_amount: bool = False


def attach(wanted: Attachment, *, by: str, now: datetime) -> HandSettlement:
    """The line's money becomes a payment: the one named, else the order's that waits for it, else one of its own.

    Above the limit for one person it waits for a second (settlements.confirm). Raises NotPossible.
    """
    line = StatementLine.objects.get(id=wanted.line_id)
    if why_not := why_not_attach(line):
        raise NotPossible(why_not)
    claim = Claim(
        receipt=line.receipt,
        amount_kes=int(line.paid_in),
        evidence=HandSettlement.Evidence.STATEMENT,
        reason=wanted.reason,
        accepts_amount=wanted.accepts_amount,
        line_id=line.pk,
        paid_at=line.completed_at,
    )
    order, attempt_id = _named(wanted.target.strip())
    if order is not None:
        attempt_id = _that_waits(order, line)
    if attempt_id is not None:
        return settlements.propose(attempt_id, claim, by=by, now=now)
    if order is None:
        raise NotPossible(
            "There is no such order or payment. Type the order's code, like DK34679ACD, or the payment's id."
        )
    return settlements.propose_unasked(order, claim, by=by, now=now)


def why_not_attach(line: StatementLine) -> str:
    """Empty where it can be attached."""
    if line.kind != Kind.PAYMENT:
        return "This line is no customer's money, so it is no order's."
    if line.attempt_id is not None:
        return "This line is a payment's already."
    if line.paid_in != int(line.paid_in):
        return "This amount has cents, and payments are whole shillings: refund it in the M-PESA portal."
    if settlements.waiting_for_line(line.pk) is not None:
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
    known = waiting.filter(state=State.COMPLETED).order_by("-id").values_list("id", flat=True).first()
    return known or waiting.order_by("-id").values_list("id", flat=True).first()
