"""Statements of the shop, for tests that begin with one: rows at the test's clock, imported and matched."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from payments.models import MpesaTransaction, Statement, StatementLine
from payments.reconciliation import importing, matching
from payments.reconciliation.matching import Matched
from payments.statement_file.cells import NAIROBI
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import pay
from tests.support.statements import Head, Row, write_csv

OURS = "174379"


def wall(at: datetime) -> datetime:
    """Nairobi's wall clock, as the file has it."""
    return at.astimezone(NAIROBI).replace(tzinfo=None, microsecond=0)


def row(receipt: str, at: datetime, paid_in: Any = 1500, account_no: str = "", **more: Any) -> Row:
    return Row(
        receipt=receipt, completed=wall(at), paid_in=Decimal(str(paid_in)), account_no=account_no, **more
    )


def paid_now(click: Any, safaricom: FakeDaraja, clock: Clock, **ask: Any) -> MpesaTransaction:
    """Paid, by Safaricom's clock too, twelve seconds after the request."""
    attempt = pay(click, safaricom, clock, **ask)
    MpesaTransaction.objects.filter(pk=attempt.pk).update(paid_at=attempt.created_at + timedelta(seconds=12))
    attempt.refresh_from_db()
    return attempt


def row_of(
    attempt: MpesaTransaction, receipt: str = "UKN4AB12CD", paid_in: Any = None, **later: float
) -> Row:
    """A line as this payment's money would leave it, twelve seconds after the request, or so much later."""
    at = attempt.created_at + (timedelta(**later) if later else timedelta(seconds=12))
    amount = attempt.amount_kes if paid_in is None else paid_in
    return row(receipt, at, amount, attempt.account_reference)


def sweep(at: datetime, amount: int = 1000, receipt: str = "UKNSWEEP01") -> Row:
    return Row(
        receipt=receipt, completed=wall(at), withdrawn=Decimal(amount), other_party="",
        reason_type="Utility Account to Organization Settlement Account",
    )  # fmt: skip


def charge(at: datetime, receipt: str = "UKN4AB12CD") -> Row:
    return Row(
        receipt=receipt, completed=wall(at), withdrawn=Decimal("2.25"), reason_type="Pay Utility Charge"
    )


def reversal(
    at: datetime, of: str, amount: Any = 1500, receipt: str = "UKN4RV12CD", account_no: str = ""
) -> Row:
    """Safaricom gave the money of this receipt back."""
    return Row(
        receipt=receipt, completed=wall(at), withdrawn=Decimal(str(amount)), linked_receipt=of, account_no=account_no,
        reason_type="Pay Utility Reversal",
    )  # fmt: skip


def withdrawal(at: datetime, amount: Any, receipt: str = "UKN4WD12CD") -> Row:
    """Money that left to somebody, as a payout does."""
    return Row(
        receipt=receipt, completed=wall(at), withdrawn=Decimal(str(amount)), reason_type="Business Payment to Customer"
    )  # fmt: skip


def head(clock: Clock, **more: Any) -> Head:
    """The day of the test's clock."""
    day = wall(clock()).replace(hour=0, minute=0, second=0)
    told = {"short_code": OURS, "period_from": day, "period_to": day + timedelta(days=1, seconds=-1)}
    return Head(**{**told, **more})


def taken_in(rows: Sequence[Row], clock: Clock, *, name: str = "november.csv", **head_of: Any) -> Statement:
    data = write_csv(rows, head=head(clock, **head_of))
    return importing.import_file(data, file_name=name, by="akinyi", now=clock()).statement


def matched(stated: Statement, clock: Clock) -> Matched:
    return matching.match_all(stated.pk, clock=clock, progress=lambda _so_far: None)


def state(rows: Sequence[Row], clock: Clock, **more: Any) -> Matched:
    """Takes it in and matches it."""
    return matched(taken_in(rows, clock, **more), clock)


def line(receipt: str, kind: str = "payment") -> StatementLine:
    return StatementLine.objects.get(receipt=receipt, kind=kind)
