"""Reads the rows under the columns into lines, one at a time. Knows nothing of files and totals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from .cells import ZERO, amount, is_receipt, is_shillings, moment, plain_name
from .errors import StatementUnreadable
from .heading import COLUMNS
from .kinds import kind_of_line
from .packed import receipt_in, unpack
from .records import Kind, Line

CURRENCY = "KES"
BY_HAND = "take out what was added to the file by hand, or export the statement again"
# Longer texts are cut; longer names and references are refused, since cut ones would name something else.
CUT = {"details": 300, "other_party": 120}
REFUSED = {"status": 40, "reason_type": 80, "account_no": 60, "linked_receipt": 30}


_SUMS = {"total", "totals", "grandtotal", "subtotal", "sum"}


class LineReader:
    """Takes rows in the file's order. `lines` are those that stand, `totals` what a row of sums says (paid in,
    withdrawn), `notes` what a person should be told. `packed`: Details hold what has no column of its own."""

    def __init__(
        self, columns: Mapping[str, int], *, width: int, packed: bool, scrub: Callable[[str], str]
    ) -> None:
        self.lines: list[Line] = []
        self.totals: tuple[Decimal, Decimal] | None = None
        self._packed = packed
        self._left_out: list[int] = []
        self._repeated: list[int] = []
        self._columns = columns
        self._width = width
        self._scrub = scrub
        self._seen: dict[tuple[str, ...], Line] = {}
        self._payments: dict[tuple[str, Decimal], Line] = {}
        self._words: dict[str, str] = {}  # few statuses and reason types on many lines: one text each

    @property
    def notes(self) -> tuple[str, ...]:
        notes = []
        if self._left_out:
            notes.append(f"{_rows(self._left_out)} without receipt and money: left out.")
        if self._repeated:
            notes.append(f"{_rows(self._repeated)} repeating an earlier row: taken once.")
        return tuple(notes)

    def take(self, number: int, row: list[str]) -> None:
        if not any(row):
            return
        if any(row[self._width :]):
            raise StatementUnreadable(number, "there are more cells than columns, so they may be shifted.")
        cells = {name: row[place] if place < len(row) else "" for name, place in self._columns.items()}
        if _is_row_of_sums(row, cells):
            self.totals = (
                self._amount(number, cells, "paid_in"),
                abs(self._amount(number, cells, "withdrawn")),
            )
            return
        if self._packed:
            cells = _unpacked(cells)
        paid_in, withdrawn = self._money(number, cells)
        receipt = cells["receipt"].upper()
        if not is_receipt(receipt):
            if paid_in or withdrawn:
                self._refuse_receipt(number, receipt)
            self._left_out.append(number)
            return
        self._keep(self._line(number, cells, receipt, paid_in, withdrawn))

    def _line(
        self, number: int, cells: dict[str, str], receipt: str, paid_in: Decimal, withdrawn: Decimal
    ) -> Line:
        currency = cells.get("currency", "") or CURRENCY
        if not is_shillings(currency):
            raise StatementUnreadable(
                number,
                f"the currency is {self._quote(currency)}; only {CURRENCY} can be matched.",
                advice=f"export the statement of the account that is kept in {CURRENCY}",
            )
        status, reason_type = self._word(number, cells, "status"), self._word(number, cells, "reason_type")
        completed_at = self._moment(number, cells, "completed")
        if completed_at is None and status.casefold() == "completed":
            raise StatementUnreadable(number, "the line is Completed but has no completion time.")
        details, other_party = cells.get("details", ""), cells.get("other_party", "")
        kind = kind_of_line(reason_type, unpack(details).reason, other_party, paid_in=paid_in > 0)
        linked_receipt = self._reference(number, cells, "linked_receipt")
        if kind is Kind.REVERSAL and not linked_receipt:
            linked_receipt = receipt_in(details, not_this=receipt)
        return Line(
            row=number,
            receipt=receipt,
            completed_at=completed_at,
            initiated_at=self._moment(number, cells, "initiated"),
            details=self._scrub(details)[: CUT["details"]],
            status=status,
            paid_in=paid_in,
            withdrawn=withdrawn,
            balance=self._amount(number, cells, "balance") if cells.get("balance") else None,
            reason_type=reason_type,
            other_party=self._scrub(other_party)[: CUT["other_party"]],
            linked_receipt=linked_receipt,
            account_no=self._reference(number, cells, "account_no"),
            currency=CURRENCY,
            kind=kind,
        )

    def _keep(self, line: Line) -> None:
        """One line per receipt, reason type and direction among those that count; and a payment is one payment,
        whatever reason types it stands under."""
        if line.counts and line.kind is Kind.PAYMENT:
            payment = self._payments.setdefault((line.receipt, line.paid_in), line)
            if payment is not line:
                self._repeated.append(line.row)
                return
        key = line.key if line.counts else (*line.key, line.status, str(line.initiated_at))
        earlier = self._seen.setdefault(key, line)
        if earlier is line:
            self.lines.append(line)
        elif (earlier.paid_in, earlier.withdrawn) == (line.paid_in, line.withdrawn):
            self._repeated.append(line.row)
        elif line.counts:
            raise StatementUnreadable(
                line.row,
                f"receipt {line.receipt} stands in row {earlier.row} with the same reason type and another amount.",
            )
        else:
            self.lines.append(line)

    def _money(self, number: int, cells: dict[str, str]) -> tuple[Decimal, Decimal]:
        paid_in, withdrawn = (self._amount(number, cells, name) for name in ("paid_in", "withdrawn"))
        if paid_in < 0:
            raise StatementUnreadable(number, f"Paid In is negative ({paid_in}).")
        if paid_in and withdrawn:
            raise StatementUnreadable(number, "it has both an amount paid in and an amount withdrawn.")
        return paid_in or ZERO, abs(withdrawn) or ZERO

    def _amount(self, number: int, cells: dict[str, str], name: str) -> Decimal:
        text = cells.get(name, "")
        read = amount(text) if text else ZERO
        if read is None:
            raise StatementUnreadable(number, f"{COLUMNS[name]} {self._quote(cells[name])} is no amount.")
        return read

    def _moment(self, number: int, cells: dict[str, str], name: str) -> datetime | None:
        text = cells.get(name, "")
        if not text:
            return None
        read = moment(text)
        if read is None:
            title = COLUMNS[name].lower()
            raise StatementUnreadable(
                number, f"the {title} {self._quote(text)} is no date and time like 23-11-2026 18:00:12."
            )
        return read

    def _refuse_receipt(self, number: int, receipt: str) -> None:
        if not receipt:
            raise StatementUnreadable(
                number, "money moved, but the receipt number is missing.", advice=BY_HAND
            )
        raise StatementUnreadable(
            number, f"{self._quote(receipt)} is no M-PESA receipt number.", advice=BY_HAND
        )

    def _word(self, number: int, cells: dict[str, str], name: str) -> str:
        text = cells.get(name, "")
        if text not in self._words:
            self._words[text] = self._reference(number, cells, name)
        return self._words[text]

    def _reference(self, number: int, cells: dict[str, str], name: str) -> str:
        text = cells.get(name, "")
        if len(text) > REFUSED[name]:
            raise StatementUnreadable(number, f"{COLUMNS[name]} is longer than {REFUSED[name]} characters.")
        return self._scrub(text) if text else ""

    def _quote(self, text: str) -> str:
        return f"'{self._scrub(text)[:60]}'"


def _is_row_of_sums(row: list[str], cells: Mapping[str, str]) -> bool:
    """`Total,,,,1500.00,…`: no line, though it has amounts."""
    if cells.get("completed"):
        return False
    return any(plain_name(cell) in _SUMS for cell in row if cell)


def _unpacked(cells: dict[str, str]) -> dict[str, str]:
    """The same cells, with those beside them that the older export has. An account number too long to be one is left
    to whoever reads Details."""
    packed = unpack(cells.get("details", ""))
    account_no = packed.account_no if len(packed.account_no) <= REFUSED["account_no"] else ""
    return {
        **cells,
        "reason_type": packed.reason,
        "other_party": packed.other_party,
        "account_no": account_no,
    }


def _rows(numbers: list[int]) -> str:
    return (
        f"Row {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} rows (the first is row {numbers[0]})"
    )
