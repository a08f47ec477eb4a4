"""Whose the money of a line may be: payments that asked for it, the order that it names. Attaches nothing (manual/)."""

from datetime import timedelta

from orders.models import Order
from payments import reconciliation
from payments.models import MpesaTransaction, StatementLine
from payments.phones import masked_payer, may_be_the_same

AT_MOST = 5
LOOKED_AT = 200


def candidates(line: StatementLine) -> list[MpesaTransaction]:
    """Payments without a receipt that asked for this amount in the day before: this money may be one of theirs. First
    those whose phone may be the payer's, then the nearest in time."""
    if line.paid_in != int(line.paid_in):
        return []
    asked = MpesaTransaction.objects.filter(
        amount_kes=int(line.paid_in),
        receipt=None,
        created_at__range=(
            line.completed_at - timedelta(days=1),
            line.completed_at + reconciliation.CLOCKS_DIFFER,
        ),
    )
    payer = masked_payer(line.other_party)

    def unlikely(attempt: MpesaTransaction) -> tuple[bool, timedelta]:
        return not may_be_the_same(payer, attempt.phone_masked), abs(line.completed_at - attempt.created_at)

    return sorted(asked.order_by("-created_at")[:LOOKED_AT], key=unlikely)[:AT_MOST]


def likely_order(line: StatementLine) -> str:
    """The line's own reference, where it is one of our orders."""
    known = Order.objects.filter(code=line.account_no) | Order.objects.filter(
        client_reference=line.account_no
    )
    return line.account_no if line.account_no and known.exists() else ""
