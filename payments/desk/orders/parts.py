"""What came for one order, receipt by receipt, with or without a request of ours behind it. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from orders.models import Order
from payments.desk.receipts.figures import flows_of
from payments.desk.receipts.flows import Code, Flows
from payments.desk.words import kes_of
from payments.ledger import ORDER, REFUNDS_DUE
from payments.models import MpesaTransaction, Posting, Receipt


@dataclass(frozen=True, kw_only=True)
class Part:
    """A receipt's share in an order, in cents: what came for it, and what of that is its own now, must go back, was
    sent back, or was given back by Safaricom. `beside`: what came with a request of the order and never was the
    order's; `unclaimed`: what of that is nobody's yet."""

    receipt: Receipt
    came: int
    own: int
    due: int
    sent: int
    reversed: int
    beside: int = 0
    unclaimed: int = 0

    @property
    def became(self) -> str:
        """`All of it is the order's.`; `KES 600 is the order's, KES 400 is to be sent back.`"""
        told = [
            (cents, words)
            for cents, words in (
                (self.own, "is the order's"),
                (self.unclaimed, "is nobody's yet"),
                (self.due, "is to be sent back"),
                (self.sent, "was sent back"),
                (self.reversed, "was given back by Safaricom"),
            )
            if cents
        ]
        if len(told) == 1 and told[0][0] == self.receipt.amount_cents:
            return f"All of it {told[0][1]}."
        rest = self.receipt.amount_cents - self.came - self.beside
        elsewhere = [f"{kes_of(rest)} is elsewhere"] if rest > 0 else []
        return ", ".join([*(f"{kes_of(cents)} {words}" for cents, words in told), *elsewhere]) + "."


def parts(order: Order, attempts: Iterable[MpesaTransaction]) -> list[Part]:
    """Oldest first; three queries, however many there are."""
    account = f"{ORDER}{order.code}"
    named = Posting.objects.filter(credit=account).values_list("receipt_id", flat=True)
    came = Q(direction=Receipt.Direction.IN, kind=Receipt.Kind.PAYMENT, voided_at=None)
    its = Q(pk__in=[pk for pk in named if pk]) | Q(attempt__in=[attempt.pk for attempt in attempts])
    receipts = list(Receipt.objects.filter(came & its).order_by("id"))
    moved = flows_of(receipts)
    found = [_part(receipt, moved[receipt.pk], account) for receipt in receipts]
    return [part for part in found if part.came or part.beside]


def _part(receipt: Receipt, moved: Flows, account: str) -> Part:
    came = moved.moved(Code.PAID, Code.CLAIMED, credit=account)
    if not came:
        return _beside(receipt, moved)
    to_go = moved.moved(Code.OVERPAID, Code.REFUND_DECIDED, debit=account, credit=REFUNDS_DUE)
    due = min(moved.due, to_go)  # of a receipt shared among orders: what is left counts as this one's first
    return Part(
        receipt=receipt,
        came=came,
        own=moved.at(account),
        due=due,
        sent=to_go - due,
        reversed=moved.moved(Code.REVERSED, debit=account),
    )


def _beside(receipt: Receipt, moved: Flows) -> Part:
    """Another order may have some of it: that is told on the receipt's page."""
    elsewhere = moved.moved(Code.PAID, Code.CLAIMED)
    return Part(
        receipt=receipt,
        came=0,
        own=0,
        due=0 if elsewhere else moved.due,
        sent=0 if elsewhere else moved.moved(Code.REFUND_SENT),
        reversed=0 if elsewhere else moved.moved(Code.REVERSED),
        beside=0 if elsewhere == receipt.amount_cents else receipt.amount_cents - elsewhere,
        unclaimed=moved.unclaimed,
    )
