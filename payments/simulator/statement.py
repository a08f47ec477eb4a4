"""The organisation portal's account statement of what was paid here: `/statement.csv` (daraja.md 9). Only the file.

With one charge and one movement to the bank, both of the first payment, so that every download tells the same.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from payments.simulator.accounts import PAYBILL, Account
from payments.simulator.bank import Transaction
from payments.simulator.schedule import eat

COLUMNS = (
    "Receipt No.", "Completion Time", "Initiation Time", "Details", "Transaction Status", "Paid In", "Withdrawn",
    "Balance", "Balance Confirmed", "Reason Type", "Other Party Info", "Linked Transaction ID", "A/C No.", "Currency",
)  # fmt: skip
FORMAT = "%d-%m-%Y %H:%M:%S"
CHARGE = 5
A_MINUTE = timedelta(minutes=1)

Row = list[str]


def statement_csv(transactions: Iterable[Transaction], account: Account, *, now: float) -> str:
    """All that this merchant was paid, the latest first, as the portal lists it."""
    paid = [t for t in transactions if t.receipt and t.account == account]
    paid.sort(key=lambda transaction: transaction.ended_at or 0.0)
    moves = sorted(_moves(paid), key=lambda move: move[0])
    end = max([eat(now), *(at for at, *_ in moves)])
    start = (moves[0][0] if moves else end).replace(hour=0, minute=0, second=0, microsecond=0)
    paid_in = sum(change for _, change, _ in moves if change > 0)
    withdrawn = sum(change for _, change, _ in moves if change < 0)
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerows(_head(account, start, end, paid_in, withdrawn))
    writer.writerow(COLUMNS)
    writer.writerows(_with_balance(moves))
    return file.getvalue()


def _moves(paid: list[Transaction]) -> Iterator[tuple[datetime, int, Row]]:
    """Time, change of the balance, and the row without its balance."""
    for transaction in paid:
        yield _payment(transaction)
    for first in paid[:1]:
        at, receipt = eat(first.ended_at or 0.0), first.receipt or ""
        kind = "Pay Utility" if _is_paybill(first.account) else "Pay Merchant"
        yield at, -CHARGE, _row(receipt, at, at, f"{kind} Charge", f"{kind} Charge", -CHARGE)
        bank = "Utility Account to Organization Settlement Account"
        left = first.order.amount - CHARGE
        later = at + A_MINUTE
        yield later, -left, _row(f"S{receipt[1:]}", later, later, bank, bank, -left)


def _payment(transaction: Transaction) -> tuple[datetime, int, Row]:
    order, paybill = transaction.order, _is_paybill(transaction.account)
    at, asked = eat(transaction.ended_at or 0.0), eat(transaction.accepted_at)
    party = f"{order.phone[:5]}****{order.phone[-3:]} - JOHN **** DOE"
    details = f"Pay Bill from {party} Acc. {order.reference}" if paybill else f"Pay Merchant from {party}"
    reason = "Pay Utility" if paybill else "Pay Merchant"
    reference = order.reference if paybill else ""
    row = _row(transaction.receipt or "", at, asked, details, reason, order.amount, party, reference)
    return at, order.amount, row


def _row(
    receipt: str,
    at: datetime,
    asked: datetime,
    details: str,
    reason: str,
    change: int,
    party: str = "",
    reference: str = "",
) -> Row:
    paid_in, withdrawn = (_amount(change), "") if change > 0 else ("", _amount(change))
    return [
        receipt, _time(at), _time(asked), details, "Completed", paid_in, withdrawn,
        "", "true", reason, party, "", reference, "KES",
    ]  # fmt: skip


def _with_balance(moves: list[tuple[datetime, int, Row]]) -> list[Row]:
    balance, place = 0, COLUMNS.index("Balance")
    rows: list[Row] = []
    for _, change, row in moves:
        balance += change
        rows.insert(0, [*row[:place], _amount(balance), *row[place + 1 :]])
    return rows


def _head(account: Account, start: datetime, end: datetime, paid_in: int, withdrawn: int) -> list[Row]:
    name = "Utility Account" if _is_paybill(account) else "Merchant Account"
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


def _is_paybill(account: Account) -> bool:
    return account.transaction_type == PAYBILL.transaction_type


def _amount(shillings: int) -> str:
    return f"{shillings:.2f}"


def _time(at: datetime) -> str:
    return at.strftime(FORMAT)
