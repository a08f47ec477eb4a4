"""What an order's sums make of it: paid, open, refunded, and how much is still to pay. Pure; amounts are cents."""

from dataclasses import dataclass
from enum import StrEnum

CENTS = 100  # of a shilling


class Stands(StrEnum):
    """As Order.State has it."""

    OPEN = "open"
    PAID = "paid"
    REFUNDED = "refunded"


@dataclass(frozen=True, kw_only=True)
class Sums:
    """`waived`: what a person let go of. Paid money stays paid whatever goes back of it, until all of it did."""

    total: int
    received: int
    returned: int
    waived: int = 0

    @property
    def has(self) -> int:
        """What is the order's own of what came."""
        return self.received - self.returned

    @property
    def owed(self) -> int:
        """What is missing until it is covered."""
        return max(0, self.total - self.waived - self.has)

    def stands(self, was: Stands) -> Stands:
        """What it is with these sums, having been that. A paid one of which it turns out that too little ever came is
        open again."""
        if was is Stands.OPEN:
            return Stands.OPEN if self.owed or not self.received else Stands.PAID
        if self.received + self.waived < self.total or not self.received:
            return Stands.OPEN
        return Stands.PAID if self.has else Stands.REFUNDED


def to_pay_kes(state: str, sums: Sums) -> int:
    """Whole shillings, as a prompt asks for them."""
    return -(-sums.owed // CENTS) if state == Stands.OPEN else 0
