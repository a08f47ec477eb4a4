"""The organisation portal's account statement of what moved at a short code, in both of its layouts (daraja.md 7.1, 9):
`/statement.csv`. Only the file."""

import csv
import io
import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime

from payments.simulator.accounts import Account
from payments.simulator.schedule import eat
from payments.simulator.till import Kind, Move

COLUMNS = (
    "Receipt No.", "Completion Time", "Initiation Time", "Details", "Transaction Status", "Paid In", "Withdrawn",
    "Balance", "Balance Confirmed", "Reason Type", "Other Party Info", "Linked Transaction ID", "A/C No.", "Currency",
)  # fmt: skip
NEWER_COLUMNS = (
    "Receipt No", "Completion Time", "Details", "Transaction Status", "Paid In (KSHs)", "Withdrawn (KSHs)",
    "Balance (KSHs)",
)  # fmt: skip
FORMAT = "%d-%m-%Y %H:%M:%S"
NEWER_FORMAT = "%d/%m/%Y %H:%M:%S"
TO_BANK = "Utility Account to Organization Settlement Account"

Row = list[str]


def statement_csv(moves: Sequence[Move], account: Account, *, now: float) -> str:
    """The older layout: a head, then all that moved, the latest first. `moves` as they happened."""
    end = eat(max([now, *(move.at for move in moves)]))
    start = (eat(moves[0].at) if moves else end).replace(hour=0, minute=0, second=0, microsecond=0)
    paid_in = sum(move.change for move in moves if move.change > 0)
    withdrawn = sum(move.change for move in moves if move.change < 0)
    rows = [_row(move, account, balance) for move, balance in _with_balance(moves)]
    return _written([*_head(account, start, end, paid_in, withdrawn), list(COLUMNS), *reversed(rows)])


def newer_csv(moves: Sequence[Move], account: Account, *, now: float) -> tuple[str, str]:
    """The newer layout's name and text: short code and days stand in the name alone."""
    days = [eat(move.at) for move in moves] or [eat(now)]
    name = f"Statements for {account.short_code} from {days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}.csv"
    rows = [_newer_row(move, account, balance) for move, balance in _with_balance(moves)]
    return name, _written([list(NEWER_COLUMNS), *reversed(rows)])


def _written(rows: Iterable[Row]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue()


def _with_balance(moves: Sequence[Move]) -> list[tuple[Move, int]]:
    return list(zip(moves, itertools.accumulate(move.change for move in moves), strict=True))


def _row(move: Move, account: Account, balance: int) -> Row:
    paid_in, withdrawn = (_amount(move.change), "") if move.change > 0 else ("", _amount(move.change))
    linked = move.original if move.kind is Kind.REVERSAL else ""
    reference = move.reference if account.is_paybill else ""
    return [
        move.receipt, _time(eat(move.at)), _time(eat(move.started_at)), _details(move, account), "Completed",
        paid_in, withdrawn, _amount(balance), "true", _reason(move, account), _party(move), linked, reference, "KES",
    ]  # fmt: skip


def _newer_row(move: Move, account: Account, balance: int) -> Row:
    paid_in, withdrawn = max(move.change, 0), min(move.change, 0)
    return [
        move.receipt, f"{eat(move.at):{NEWER_FORMAT}}", _details(move, account), "Completed",
        f"{paid_in:,}.00", f"{withdrawn:,}.00", f"{balance:,}.00",
    ]  # fmt: skip


def _reason(move: Move, account: Account) -> str:
    kind = "Pay Utility" if account.is_paybill else "Pay Merchant"
    return {
        Kind.PAYMENT: kind,
        Kind.REVERSAL: f"{kind} Reversal",
        Kind.CHARGE: f"{kind} Charge",
        Kind.TO_BANK: TO_BANK,
    }[move.kind]


def _details(move: Move, account: Account) -> str:
    if move.kind is Kind.PAYMENT:
        party = _party(move)
        return (
            f"Pay Bill from {party} Acc. {move.reference}"
            if account.is_paybill
            else f"Pay Merchant from {party}"
        )
    if move.kind is Kind.REVERSAL:
        return f"{_reason(move, account)} of {move.original}"
    return _reason(move, account)


def _party(move: Move) -> str:
    return f"{move.phone[:5]}****{move.phone[-3:]} - JOHN **** DOE" if move.phone else ""


def _head(account: Account, start: datetime, end: datetime, paid_in: int, withdrawn: int) -> list[Row]:
    name = "Utility Account" if account.is_paybill else "Merchant Account"
    closing = _amount(paid_in + withdrawn)
    return [
        ["Account Holder:", account.name],
        ["Short Code:", account.short_code],
        ["Account:", name],
        ["Time Period:", "From", _time(start), "To", _time(end)],
        ["Operator:", "kraph", "Organization:", account.name, "Date of Report:", _time(end)],
        [
            "Opening Balance:", _amount(0), "Closing Balance:", closing, "Available Balance:", closing,
            "Total Paid In:", _amount(paid_in), "Total Withdrawn:", _amount(withdrawn),
        ],
    ]  # fmt: skip


def _amount(shillings: int) -> str:
    return f"{shillings:.2f}"


def _time(at: datetime) -> str:
    return at.strftime(FORMAT)
