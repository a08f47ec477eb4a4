"""Makes organisation portal statements for tests and demos: the same rows give the same bytes. Reads nothing.

Head and columns are as the portal writes them (docs on its statement: Account Statement › Export); the wording of
Details is made up.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import xlsxwriter

from tests.support.places import SAMPLES

COLUMNS = (
    "Receipt No.", "Completion Time", "Initiation Time", "Details", "Transaction Status", "Paid In", "Withdrawn",
    "Balance", "Balance Confirmed", "Reason Type", "Other Party Info", "Linked Transaction ID", "A/C No.", "Currency",
)  # fmt: skip
PAYER = "25470****149 - JOHN **** DOE"
FORMAT = "%d-%m-%Y %H:%M:%S"
Cell = str | datetime | float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a statement; `completed` is Nairobi's wall clock, `withdrawn` a positive amount."""

    receipt: str
    completed: datetime
    paid_in: Decimal = Decimal(0)
    withdrawn: Decimal = Decimal(0)
    reason_type: str = "Pay Utility"
    account_no: str = ""
    status: str = "Completed"
    other_party: str = PAYER
    linked_receipt: str = ""
    details: str | None = None

    @property
    def change(self) -> Decimal:
        return self.paid_in - self.withdrawn if self.status == "Completed" else Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Head:
    """What stands above the rows. `totals` False leaves the balances and sums out."""

    short_code: str = "600000"
    account: str = "Utility Account"
    holder: str = "SHOP LTD"
    period_from: datetime = datetime(2026, 11, 23)  # noqa: DTZ001 - the file has no zone
    period_to: datetime = datetime(2026, 11, 23, 23, 59, 59)  # noqa: DTZ001
    opening: Decimal = Decimal(0)
    totals: bool = True


def sample(name: str, **codes: str) -> bytes:
    """A file of tests/samples/statements, with `@CODE@` and the like put in."""
    data = (SAMPLES / "statements" / name).read_bytes()
    for placeholder, code in codes.items():
        data = data.replace(f"@{placeholder}@".encode(), code.encode())
    return data


def write_csv(
    rows: Sequence[Row],
    *,
    head: Head | None = None,
    encoding: str = "utf-8",
    delimiter: str = ",",
    newline: str = "\r\n",
    currency: bool = True,
    thousands: bool = False,
) -> bytes:
    """A text export: `utf-8-sig` has a byte order mark, `utf-16` with tabs is Excel's "Unicode text"."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    writer.writerows(
        _cells(rows, head or Head(), currency=currency, amount=_grouped if thousands else _plain)
    )
    return text.getvalue().encode(encoding)


def write_xlsx(
    rows: Sequence[Row], *, head: Head | None = None, currency: bool = True, real_cells: bool = True
) -> bytes:
    """A workbook; `real_cells` False keeps every cell a text, as the portal's own export may."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    book.set_properties({"created": datetime(2026, 11, 24)})  # noqa: DTZ001 - or the bytes would change by the clock
    sheet = book.add_worksheet("Statement")
    date_format = book.add_format({"num_format": "dd-mm-yyyy hh:mm:ss"})
    amount = float if real_cells else _plain
    cells = _cells(
        rows, head or Head(), currency=currency, amount=amount, moment=_same if real_cells else _moment
    )
    for number, row in enumerate(cells):
        for place, cell in enumerate(row):
            if isinstance(cell, datetime):
                sheet.write_datetime(number, place, cell, date_format)
            elif isinstance(cell, float):
                sheet.write_number(number, place, cell)
            elif cell:
                sheet.write_string(number, place, cell)
    book.close()
    return file.getvalue()


def many(count: int) -> list[Row]:
    """`count` payments, one a second."""
    start = datetime(2026, 11, 23)  # noqa: DTZ001
    return [
        Row(
            receipt=f"U{number:09d}",
            completed=start + timedelta(seconds=number),
            paid_in=Decimal(100 + number % 900),
            account_no=f"DK{number:08d}",
        )
        for number in range(count)
    ]


def _cells(
    rows: Sequence[Row],
    head: Head,
    *,
    currency: bool,
    amount: Callable[[Decimal], Cell],
    moment: Callable[[datetime], Cell] | None = None,
) -> Iterable[list[Cell]]:
    moment = moment or _moment
    yield from _above(rows, head, amount, moment)
    width = len(COLUMNS) if currency else len(COLUMNS) - 1
    yield list(COLUMNS[:width])
    balance = head.opening
    for row in rows:
        balance += row.change
        cells: list[Cell] = [
            row.receipt,
            moment(row.completed),
            moment(row.completed - timedelta(seconds=7)),
            f"Pay Bill from {row.other_party} Acc. {row.account_no}" if row.details is None else row.details,
            row.status,
            amount(row.paid_in) if row.paid_in else "",
            amount(-row.withdrawn) if row.withdrawn else "",
            amount(balance),
            "true",
            row.reason_type,
            row.other_party,
            row.linked_receipt,
            row.account_no,
            "KES",
        ]
        yield cells[:width]


def _above(
    rows: Sequence[Row], head: Head, amount: Callable[[Decimal], Cell], moment: Callable[[datetime], Cell]
) -> Iterable[list[Cell]]:
    moved = [row for row in rows if row.status == "Completed"]
    paid_in = sum((row.paid_in for row in moved), Decimal(0))
    withdrawn = sum((row.withdrawn for row in moved), Decimal(0))
    closing = head.opening + paid_in - withdrawn
    yield ["Account Holder:", head.holder]
    yield ["Short Code:", head.short_code]
    yield ["Account:", head.account]
    yield ["Time Period:", "From", moment(head.period_from), "To", moment(head.period_to)]
    yield ["Operator:", "kraph", "Organization:", head.holder, "Date of Report:", moment(head.period_to)]
    if head.totals:
        yield [
            "Opening Balance:", amount(head.opening), "Closing Balance:", amount(closing),
            "Available Balance:", amount(closing), "Total Paid In:", amount(paid_in),
            "Total Withdrawn:", amount(-withdrawn),
        ]  # fmt: skip


def _plain(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _grouped(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _moment(moment: datetime) -> str:
    return moment.strftime(FORMAT)


def _same(moment: datetime) -> Cell:
    return moment
