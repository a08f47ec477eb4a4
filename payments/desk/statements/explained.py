"""Each row of the comparison in words: why it is there, what became of it, what to do. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max

from orders.models import Order
from payments.desk.receipts.figures import flows_of
from payments.desk.receipts.flows import Flows
from payments.desk.statements.comparison import DIFFER, OURS, THEIRS, Group, Page, lines_of
from payments.desk.words import kes_of, moment
from payments.facts import held_kes, is_refund_due, is_refunded
from payments.models import HandSettlement, MpesaTransaction, Receipt, Statement, StatementLine


@dataclass(frozen=True, kw_only=True)
class Explained:
    """One row of a group, with what is known beside it."""

    line: StatementLine | None = None
    attempt: MpesaTransaction | None = None
    held: int = 0
    status: str = ""
    order: Order | None = None
    waiting: bool = False
    receipt: Receipt | None = None
    whose: str = ""


def explained(statement: Statement, group: Group, page: Page) -> list[Explained]:
    """The page's rows with words; a fixed number of queries, however many rows."""
    if group.key == OURS:
        last = reaches(statement)
        attempts = [row for row in page.rows if isinstance(row, MpesaTransaction)]
        return [
            Explained(attempt=each, held=held_kes(each), status=why_alone(each, statement, last))
            for each in attempts
        ]
    lines = [row for row in page.rows if isinstance(row, StatementLine)]
    if group.key == THEIRS:
        return _unexplained(lines)
    moved = flows_of([line.booked_as for line in lines if line.booked_as])
    return [
        Explained(
            line=line,
            attempt=line.attempt,
            held=held_kes(line.attempt) if line.attempt else 0,
            status=_difference(line) if group.key == DIFFER else "",
            receipt=line.booked_as,
            whose=whose(moved[line.booked_as_id]) if line.booked_as_id else "",
        )
        for line in lines
    ]


def whose(moved: Flows) -> str:
    """Whose the money of a receipt is, for a column: the codes of its orders, else where it stands."""
    return ", ".join(moved.orders) or ("Nobody's yet" if moved.unclaimed else "")


def _unexplained(lines: list[StatementLine]) -> list[Explained]:
    waiting = HandSettlement.objects.filter(
        line__in=[line.pk for line in lines], decision=HandSettlement.Decision.WAITING
    )
    waits = set(waiting.values_list("line_id", flat=True))
    orders = {
        order.code: order for order in Order.objects.filter(code__in={line.account_no for line in lines})
    }
    return [
        Explained(line=line, order=orders.get(line.account_no), waiting=line.pk in waits) for line in lines
    ]


def _difference(line: StatementLine) -> str:
    """What became of an amount that is not what was asked for."""
    attempt = line.attempt
    if attempt is None:
        return ""
    if is_refunded(attempt):
        return "Refunded."
    if is_refund_due(attempt):
        return f"{kes_of(attempt.due_cents)} is due back: it is more than the order costs."
    if attempt.refund_due:
        return "The order was paid already."
    if attempt.unclaimed:
        return "Its order takes no more money, so it is nobody's yet."
    if not attempt.pays_order:
        return "Needs a person: accept the amount, or refund it."
    return "Accepted." if attempt.reviewed_at else "Pays its order, and was not looked at yet."


def reaches(statement: Statement) -> datetime | None:
    """The time of the last line of the period: what came later may be on the next statement."""
    within = lines_of(statement).filter(completed_at__lte=statement.period_to)
    found: datetime | None = within.aggregate(last=Max("completed_at"))["last"]
    return found


def why_alone(attempt: MpesaTransaction, statement: Statement, last: datetime | None) -> str:
    """Why a payment of ours may be missing on the statement, and what to do."""
    money_at = attempt.paid_at or attempt.created_at
    if last is not None and money_at > last:
        return f"Later than the statement's last line ({moment(last)}): look for it on the next statement."
    if statement.period_to - money_at < timedelta(minutes=5):
        return "At the very end of the statement's period: look for it on the next statement."
    if attempt.receipt is None:
        return (
            "Safaricom said it is paid, and named no receipt. Look for its amount among “theirs but not ours”; "
            "else ask Safaricom for the receipt."
        )
    if attempt.by_hand:
        return (
            "Settled by hand. Compare its receipt with “theirs but not ours”: it may have been typed wrong."
        )
    return "Search the receipt in the M-PESA portal. If it is not there, ask Safaricom about it."
