"""What moved at each short code: payments, what went back, charges, sweeps to the bank. Amounts are whole KES."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    PAYMENT = "payment"
    REVERSAL = "reversal"
    CHARGE = "charge"
    TO_BANK = "to_bank"


@dataclass(frozen=True, kw_only=True)
class Move:
    """`change`: what the till has more (or less) by it. `original`: the payment's receipt that a reversal or a charge
    is about. `by`: stk, c2b, initiator, customer or bank. `phone` and `reference` are the payer's."""

    receipt: str
    kind: Kind
    short_code: str
    change: int
    at: float
    started_at: float
    by: str
    phone: str = ""
    reference: str = ""
    original: str = ""


class NotEnough(Exception):
    """The till holds less than is to leave it: it was swept to the bank."""


class AlreadyReversed(Exception):
    """A payment goes back once."""


class NotReversible(Exception):
    """There is no such payment at this short code, or it is none."""


class Till:
    """One short code's account and its bank's. Not safe from several threads: the bank holds its lock over it."""

    def __init__(self) -> None:
        self._moves: dict[str, Move] = {}
        self._charges: list[Move] = []
        self._gone_back: set[str] = set()

    def moves(self) -> list[Move]:
        """As they happened."""
        return sorted([*self._moves.values(), *self._charges], key=lambda move: (move.at, move.change < 0))

    def find(self, receipt: str) -> Move | None:
        return self._moves.get(receipt)

    def reversal_of(self, receipt: str) -> Move | None:
        return next((move for move in self._moves.values() if move.original == receipt), None)

    def balance(self) -> int:
        return sum(move.change for move in self.moves())

    def charged(self) -> int:
        return -sum(move.change for move in self._charges)

    def at_the_bank(self) -> int:
        return -sum(move.change for move in self._moves.values() if move.kind is Kind.TO_BANK)

    def pay(self, move: Move, *, charge: int = 0) -> None:
        self._moves[move.receipt] = move
        if charge:  # the charge's line has the payment's own receipt, as in the portal's export
            self._charges.append(
                Move(
                    receipt=move.receipt,
                    kind=Kind.CHARGE,
                    short_code=move.short_code,
                    change=-charge,
                    at=move.at,
                    started_at=move.at,
                    by="bank",
                    original=move.receipt,
                )
            )

    def check_reversal(self, receipt: str, amount: int) -> Move:
        """The payment that is to go back. Raises what stands in the way."""
        payment = self._moves.get(receipt)
        if payment is None or payment.kind is not Kind.PAYMENT or amount > payment.change:
            raise NotReversible(receipt)
        if receipt in self._gone_back:
            raise AlreadyReversed(receipt)
        if amount > self.balance():
            raise NotEnough(receipt)
        return payment

    def reverse(self, move: Move) -> None:
        """`move.original` is what goes back; it was checked."""
        self._gone_back.add(move.original)
        self._moves[move.receipt] = move

    def sweep(self, move: Move) -> None:
        if -move.change > self.balance():
            raise NotEnough(move.receipt)
        self._moves[move.receipt] = move
