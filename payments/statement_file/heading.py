"""What stands above the lines: the statement's own facts, and the row that names the columns."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .cells import amount, day_or_moment, is_shillings, plain_name
from .errors import StatementUnreadable

WITHIN = 100  # rows searched for the row of column names

# name in the code → name in the file
COLUMNS = {
    "receipt": "Receipt No.",
    "completed": "Completion Time",
    "initiated": "Initiation Time",
    "details": "Details",
    "status": "Transaction Status",
    "paid_in": "Paid In",
    "withdrawn": "Withdrawn",
    "balance": "Balance",
    "reason_type": "Reason Type",
    "other_party": "Other Party Info",
    "linked_receipt": "Linked Transaction ID",
    "account_no": "A/C No.",
    "currency": "Currency",
}
NEEDED = ("receipt", "completed", "status", "paid_in", "withdrawn", "reason_type", "account_no")
# the newer export has no more than these, and its amounts name their currency: Paid In (KSHs)
NEEDED_PACKED = ("receipt", "completed", "details", "status", "paid_in", "withdrawn")
_NAMES = {plain_name(title): name for name, title in COLUMNS.items()}
_IN_BRACKETS = re.compile(r"(.+?) ?\(([^()]*)\)")

_LABELS = {
    plain_name(label)
    for label in (
        "Account Holder", "Short Code", "Account", "Time Period", "From", "To", "Operator", "Organization",
        "Date of Report", "Opening Balance", "Closing Balance", "Available Balance", "Total Paid In",
        "Total Withdrawn", "Number of Transactions", "Total Transactions", "Number of Records", "Total Records",
    )
}  # fmt: skip
_COUNTS = ("Number of Transactions", "Total Transactions", "Number of Records", "Total Records")
_AMOUNTS = ("Opening Balance", "Closing Balance", "Total Paid In", "Total Withdrawn")
_DAY = r"(\d[\d/-]{7,9}(?: \d{1,2}:\d{2}(?::\d{2})?)?)"
_PERIOD = re.compile(rf"\bfrom\W+{_DAY}\W+to\W+{_DAY}", re.ASCII | re.IGNORECASE)
_DELIVERED = re.compile(r"mpesa_\d+_\d{8,14}.*\.csv", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The rows above the columns, read. `doubts` names what stood there and could not be read."""

    texts: Mapping[str, str]
    amounts: Mapping[str, Decimal | None]
    period: tuple[datetime | None, datetime | None]
    count: int | None  # of lines
    doubts: tuple[str, ...]


def columns_of(row: list[str]) -> dict[str, int] | None:
    """Where each column stands; None where this row names no columns."""
    names = [_NAMES.get(plain_name(_column(cell)[0])) for cell in row]
    if "receipt" not in names or sum(name is not None for name in names) < 4:
        return None
    return {name: place for place, name in enumerate(names) if name is not None}


def _column(cell: str) -> tuple[str, str]:
    """`Paid In (KSHs)` is Paid In, in shillings."""
    found = _IN_BRACKETS.fullmatch(cell)
    return (found[1], found[2]) if found else (cell, "")


def is_packed(row: list[str], columns: Mapping[str, int], *, named: bool) -> bool:
    """Whether Details hold what the older export has in columns. `named`: the file's name is the newer export's.

    A customer's own statement has those columns too, without a currency.
    """
    in_shillings = any(is_shillings(_column(cell)[1]) for cell in row)
    return not {"reason_type", "account_no"} & columns.keys() and (named or in_shillings)


def check_columns(number: int, row: list[str], columns: Mapping[str, int], *, packed: bool) -> None:
    """Refuses a row of columns that lacks one we live by, names one twice, or counts in another currency."""
    _refuse_other_currency(number, row)
    missing = [COLUMNS[name] for name in (NEEDED_PACKED if packed else NEEDED) if name not in columns]
    if {"Reason Type", "A/C No."} <= set(missing):
        raise StatementUnreadable(
            number,
            f"there is no column {_listed(missing)}; this looks like a customer's own M-PESA statement.",
            advice="upload the shop's account statement, exported from the organisation portal",
        )
    if missing:
        raise StatementUnreadable(number, f"there is no column {_listed(missing)}.")
    known = [cell for cell in row if plain_name(_column(cell)[0]) in _NAMES]
    names = [plain_name(_column(cell)[0]) for cell in known]
    for cell, name in zip(known, names, strict=True):
        if names.count(name) > 1:
            raise StatementUnreadable(number, f"there are two columns “{cell}”.")


def _refuse_other_currency(number: int, row: list[str]) -> None:
    for title, currency in map(_column, row):
        if currency and plain_name(title) in _NAMES and not is_shillings(currency):
            raise StatementUnreadable(
                number,
                f"the column “{title}” is in {currency[:20]}; only KES can be matched.",
                advice="export the statement of the account that is kept in KES",
            )


def no_columns(sample: Iterable[list[str]], filename: str) -> StatementUnreadable:
    """Why a file without a row of columns is none of ours, with a guess at what it is."""
    names = {plain_name(cell) for row in sample for cell in row}
    if _DELIVERED.fullmatch(filename) or {"receiptnumber", "debitamount"} <= names:
        return StatementUnreadable(
            None,
            "This looks like the file that M-PESA delivers by itself (Mpesa_<shortcode>_<date>.csv), which has "
            "other columns.",
        )
    wanted = _listed([COLUMNS[name] for name in NEEDED])
    return StatementUnreadable(
        None, f"None of the first {WITHIN} rows names the columns of a statement ({wanted})."
    )


def _listed(titles: Iterable[str]) -> str:
    return ", ".join(f"“{title}”" for title in titles)


def read_facts(rows: Iterable[list[str]]) -> Facts:
    """Labels and values, however they are spread over cells."""
    texts: dict[str, str] = {}
    labels: set[str] = set()
    period: tuple[datetime | None, datetime | None] = (None, None)
    for row in rows:
        cells = [part for cell in row if cell for part in _parts(cell)]
        names = [plain_name(cell) for cell in cells]
        labels.update(names)
        for (label, following), value in zip(itertools.pairwise(names), cells[1:], strict=False):
            if label in _LABELS and following not in _LABELS:
                texts.setdefault(label, value)
        if found := _PERIOD.search(" ".join(cells)):
            period = day_or_moment(found[1], end=False), day_or_moment(found[2], end=True)
    amounts = {label: _amount(texts.get(plain_name(label), "")) for label in _AMOUNTS}
    doubts = [label for label in _AMOUNTS if amounts[label] is None and plain_name(label) in texts]
    if "timeperiod" in labels and None in period:
        doubts.append("Time Period")
    counts = (texts.get(plain_name(label), "").replace(",", "") for label in _COUNTS)
    count = next((int(text) for text in counts if re.fullmatch(r"\d{1,9}", text, re.ASCII)), None)
    return Facts(texts=texts, amounts=amounts, period=period, count=count, doubts=tuple(doubts))


def _parts(cell: str) -> Iterator[str]:
    """`Short Code: 600000` in one cell is a label and a value."""
    label, colon, value = cell.partition(":")
    if colon and value.strip() and plain_name(label) in _LABELS:
        yield from (label, value.strip())
    else:
        yield cell


def _amount(text: str) -> Decimal | None:
    return amount(text) if text else None
