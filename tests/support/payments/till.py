"""What Safaricom's own books say of our short code: each movement once, with who told the shop of it. For stories about
money (tests/journeys/test_money_machine.py)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tests.support.payments.stating import reversal, row, sweep, withdrawal
from tests.support.statements import Row


@dataclass(kw_only=True)
class Movement:
    """KES. `reverses`: the code of what it gives back. `told_by`: the callback, a person, or statements by their id."""

    code: str
    kes: int
    kind: str  # payment, reversal, sweep, payout
    at: datetime
    account_no: str = ""
    reverses: str = ""
    told_by: set[str] = field(default_factory=set)

    @property
    def is_in(self) -> bool:
        return self.kind == "payment"

    def line(self) -> Row:
        if self.kind == "payment":
            return row(self.code, self.at, self.kes, self.account_no)
        if self.kind == "reversal":
            return reversal(self.at, self.reverses, self.kes, self.code)
        return {"sweep": sweep, "payout": withdrawal}[self.kind](self.at, self.kes, self.code)


class Till:
    """The account as Safaricom keeps it."""

    def __init__(self) -> None:
        self.movements: list[Movement] = []

    def note(self, kind: str, kes: int, at: datetime, **more: str) -> Movement:
        code = f"UKN4{len(self.movements):04}{kind[:2].upper()}"
        self.movements.append(Movement(code=code, kes=kes, kind=kind, at=at, **more))
        return self.movements[-1]

    def payments(self) -> list[Movement]:
        return [each for each in self.movements if each.is_in]

    def left(self, payment: Movement) -> int:
        """What of it did not go back."""
        return payment.kes - sum(each.kes for each in self.movements if each.reverses == payment.code)

    def told(self) -> Decimal:
        """The balance as far as the shop was told. A reversal tells of so much of its payment too."""
        return Decimal(sum(self._told_of(each) for each in self.payments()) + self._out())

    def _told_of(self, payment: Movement) -> int:
        if payment.told_by:
            return payment.kes
        gone = (each for each in self.movements if each.reverses == payment.code and each.told_by)
        return max(0, sum(each.kes for each in gone))

    def _out(self) -> int:
        return -sum(each.kes for each in self.movements if not each.is_in and each.told_by)


def lines(movements: Iterable[Movement]) -> list[Row]:
    return [each.line() for each in movements]
