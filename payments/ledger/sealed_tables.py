"""Which rows a seal covers, and what of each: per table the columns that were told, those that may be filled in once,
and those that may go with a person's data. Nothing is read or written here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Model, Q, QuerySet, Value

from payments.models import HandSettlement, PaymentEvent, Posting, Receipt, Refund, StatementLine

Row = Mapping[str, Any]
ATTEMPT, ORDER_CODE = "attempt__public_id", "attempt__account_reference"


SIDES = ("credit", "debit")


def _of_its_attempt(row: Row) -> str:
    return row[ORDER_CODE] or ""


def _of_its_account(row: Row) -> str:
    """Money that no attempt explains names its order in the account."""
    accounts = (
        row[ORDER_CODE],
        *(row[side].removeprefix("order:") for side in SIDES if "order:" in row[side]),
    )
    return next((code for code in accounts if code), "")


@dataclass(frozen=True, kw_only=True)
class Table:
    """`told` stays as it was written. `later` is filled in once, and the row is `finished` then: until that it is
    sealed in part. `personal` may be emptied with a person's data, and never reads otherwise."""

    letter: str  # in a seal; small, and a capital where a row is sealed in part
    word: str
    model: type[Model]
    name: str  # the column by which a person knows the row
    told: tuple[str, ...]
    later: tuple[str, ...] = ()
    finished: Q | None = None
    added: tuple[str, ...] = ()  # told, and younger than the first seals: covered where they hold something
    personal: tuple[str, ...] = ()
    more: tuple[str, ...] = ()  # read to name the row and to count, not covered
    has_attempt: bool = True
    order_of: Callable[[Row], str] = _of_its_attempt

    def rows(self) -> QuerySet[Any, dict[str, Any]]:
        """The rows as they are covered, oldest first."""
        named = (ATTEMPT, ORDER_CODE) if self.has_attempt else ()
        columns = dict.fromkeys(
            (
                "id",
                self.name,
                *self.told,
                *self.later,
                *self.added,
                *self.personal,
                *self.more,
                *named,
                "is_finished",
            )
        )
        finished: Any = (
            Value(value=True) if self.finished is None else ExpressionWrapper(self.finished, BooleanField())
        )
        rows = self.model._default_manager.annotate(is_finished=finished)
        return rows.order_by("id").values(*columns)

    def content(self, row: Row, *, in_part: bool) -> list[Any]:
        """What a seal's hash of this row covers."""
        columns = self.told if in_part else (*self.told, *self.later)
        added = [[column, row[column]] for column in self.added if row[column]]
        return [self.letter, row["id"], *(row[column] for column in columns), *added]

    def personal_content(self, row: Row) -> list[Any] | None:
        """The same of what may be emptied. None: there is nothing, or nothing any more."""
        if not any(row[column] for column in self.personal):
            return None
        return [self.letter, row["id"], "personal", *(row[column] for column in self.personal)]

    def payment(self, row: Row) -> tuple[str, str]:
        """(public id of its attempt, code of its order), each empty where there is none."""
        return (row[ATTEMPT] or "", self.order_of(row)) if self.has_attempt else ("", "")


EVENTS = Table(
    letter="e",
    word="event",
    model=PaymentEvent,
    name="number",
    told=("attempt_id", "number", "hash", "key_id"),
)
POSTINGS = Table(
    letter="p",
    word="posting",
    model=Posting,
    name="ref",
    told=("ref", "attempt_id", "receipt_id", "hash", "key_id"),
    more=("amount_cents", *SIDES),
    order_of=_of_its_account,
)
RECEIPTS = Table(
    letter="r",
    word="receipt",
    model=Receipt,
    name="code",
    # that it was voided, and whose it is, stands in its postings
    told=("direction", "kind", "amount_cents", "short_code", "account_no", "told_by", "told_at"),
    later=("code", "happened_at"),
    finished=Q(code__isnull=False) | Q(voided_at__isnull=False),
    personal=("payer_masked",),
)
REFUNDS = Table(
    letter="f",
    word="refund",
    model=Refund,
    name="reference",
    told=("attempt_id", "receipt_id", "amount_cents", "reference", "reason", "recorded_by", "recorded_at"),
    later=("state", "seen_as_id"),
    finished=~Q(state=Refund.State.SENT),
)
PROPOSALS = Table(
    letter="d",
    word="proposal",
    model=HandSettlement,
    name="receipt",
    told=(
        "what",
        "money_id",
        "order_id",
        "line_id",
        "receipt",
        "amount_kes",
        "accepts_amount",
        "evidence",
        "reason",
        "needs_second",
        "proposed_by",
        "proposed_at",
    ),
    later=("attempt_id", "decision", "decided_by", "decided_at", "declined_because"),
    added=("statement_id", "refund_id", "reference", "of_event", "counts_kes"),
    finished=~Q(decision=HandSettlement.Decision.WAITING),
)
LINES = Table(
    letter="l",
    word="statement line",
    model=StatementLine,
    name="receipt",
    # which payment it is matched to is worked out, and may change
    told=(
        "statement_id",
        "row",
        "kind",
        "receipt",
        "completed_at",
        "paid_in",
        "withdrawn",
        "money_in",
        "reason_type",
        "account_no",
        "linked_receipt",
    ),
    personal=("details", "other_party"),
    has_attempt=False,
)

TABLES = (EVENTS, POSTINGS, RECEIPTS, REFUNDS, PROPOSALS, LINES)
