"""Each kind of work for a person: why, and the query that finds all of it by a small index. A query's rows carry the
same names, whatever they are rows of: NAMES."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigIntegerField,
    CharField,
    Exists,
    F,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Concat, Substr

from orders.models import Order
from payments import facts, gateway
from payments.facts import (
    IS_UNCLAIMED,
    LINE_WAITS,
    OF_RECEIPTS,
    PART_PAID,
    REASONS,
    REVERSAL_FAILED,
    WORDS,
    Reason,
    Words,
    held_sql,
    refund_unseen_at,
    reversal_stuck_at,
)
from payments.ledger import CENTS, ORDER
from payments.models import (
    PROBLEM_VERDICTS,
    CallbackDelivery,
    HandSettlement,
    MpesaTransaction,
    Posting,
    Receipt,
    Refund,
    Reversal,
    Statement,
    StatementLine,
)
from payments.reconciliation import statements_that_differ

COUNTED_UP_TO = 1000  # beyond it, "many" says as much

# since when; the order's code, the payment's public id, the receipt's code (each null where there is none); cents
NAMES = ("need_since", "need_order", "need_payment", "need_receipt", "need_cents")
WAITS_FOR_BELIEF = Exists(StatementLine.objects.filter(LINE_WAITS, booked_as=OuterRef("pk")))  # of a receipt
UNCLAIMED_OTHERWISE = IS_UNCLAIMED & Q(~WAITS_FOR_BELIEF)
_PLACED = HandSettlement.objects.filter(
    decision=HandSettlement.Decision.DONE,
    what__in=(HandSettlement.What.CLAIM, HandSettlement.What.KEEP),
    money__isnull=False,
)
_OF_ANOTHER = _PLACED.filter(money__code=OuterRef("code")).exclude(order=OuterRef("attempt__order"))
# of a receipt; first by the few codes that staff ever placed
PART_TAKEN_BACK = Q(attempt__isnull=False, reviewed_at=None, voided_at=None) & Q(
    Q(code__in=_PLACED.values("money__code")), Exists(_OF_ANOTHER)
)
NONE = Value(None, output_field=CharField())

Rows = QuerySet[Any, Any]
Named = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Work:
    """`key` is its own, `words` say why in general. `kind`: of what `waiting` finds rows."""

    key: str
    words: Words
    kind: type[Model]
    waiting: Callable[[], Rows]

    @property
    def reason(self) -> str:
        return self.words.key

    @property
    def label(self) -> str:
        return self.words.label

    @property
    def what(self) -> str:
        return self.words.what

    @property
    def to_do(self) -> str:
        return self.words.to_do


def count_payments_in_need() -> dict[str, int]:
    """How many payments need a person, by the key of each reason."""
    return {reason.key: MpesaTransaction.objects.filter(reason.applies).count() for reason in REASONS}


# --- payments -------------------------------------------------------------------------------------------


def _of_payments(reason: Reason) -> Work:
    cents = F("due_cents") if reason.key == "refund_due" else CENTS * held_sql()
    named = {
        "need_since": F("created_at"),
        "need_order": F("account_reference"),
        "need_payment": F("public_id"),
        "need_receipt": F("receipt"),
        "need_cents": cents,
    }
    return Work(
        key=reason.key,
        words=reason,
        kind=MpesaTransaction,
        waiting=lambda: MpesaTransaction.objects.filter(reason.applies).annotate(**named),
    )


# --- receipts -------------------------------------------------------------------------------------------


def _order_of(path: str) -> Coalesce:
    """The order that a receipt's money went to, of a receipt reached by this path: its request's, else by the book."""
    postings = Posting.objects.filter(receipt=OuterRef(f"{path}pk"), credit__startswith=ORDER).order_by("id")
    by_the_book = Substr(Subquery(postings.values("credit")[:1]), len(ORDER) + 1)
    return Coalesce(F(f"{path}attempt__account_reference"), by_the_book)


_CENTS_OF = {"unclaimed": "unclaimed_cents", "refund_due": "due_cents"}


def _of_receipts(reason: Reason) -> Work:
    went = reason.key in ("reversed", "refund_undecided")
    path = "reverses__" if went else ""
    named = {
        "need_since": Coalesce("happened_at", "told_at"),
        "need_order": _order_of(path),
        "need_payment": F(f"{path}attempt__public_id"),
        "need_receipt": F("code"),
        "need_cents": F(_CENTS_OF.get(reason.key, "amount_cents")),
    }
    return Work(
        key=f"receipt_{reason.key}",
        words=reason,
        kind=Receipt,
        waiting=lambda: Receipt.objects.filter(_told_here(reason)).annotate(**named),
    )


def _told_here(reason: Reason) -> Q:
    """Money that waits to be believed is nobody's too, and is told as what waits."""
    return UNCLAIMED_OTHERWISE if reason.key == "unclaimed" else reason.applies


def _refunds_unseen() -> Rows:
    return Refund.objects.filter(refund_unseen_at(gateway.now())).annotate(
        need_since=F("recorded_at"),
        need_order=Coalesce(F("attempt__account_reference"), _order_of("receipt__")),
        need_payment=F("attempt__public_id"),
        need_receipt=F("reference"),
        need_cents=F("amount_cents"),
    )


# --- orders and the rest --------------------------------------------------------------------------------


def _part_paid() -> Rows:
    """Since its first part came."""
    account = Concat(Value(ORDER), OuterRef("code"), output_field=CharField())
    came = Posting.objects.filter(credit=account).order_by("id").values("at")[:1]
    return Order.objects.filter(PART_PAID.applies).annotate(
        need_since=Coalesce(Subquery(came), F("created_at")),
        need_order=F("code"),
        need_payment=NONE,
        need_receipt=NONE,
        need_cents=F("received_cents") - F("returned_cents"),
    )


def _parts_taken_back() -> Rows:
    """With the order that had it last."""
    had_it = _OF_ANOTHER.order_by("-id").values("order__code")[:1]
    return Receipt.objects.filter(PART_TAKEN_BACK).annotate(
        need_since=F("told_at"),
        need_order=Coalesce(Subquery(had_it), F("attempt__account_reference")),
        need_payment=F("attempt__public_id"),
        need_receipt=F("code"),
        need_cents=F("amount_cents"),
    )


def _reversals_stuck() -> Rows:
    return _of_reversals(reversal_stuck_at(gateway.now()), since="sent_at")


def _reversals_failed() -> Rows:
    """Not those that a person stopped."""
    return _of_reversals(REVERSAL_FAILED & ~Q(code="never_went"), since="ended_at")


def _of_reversals(which: Q, *, since: str) -> Rows:
    return Reversal.objects.filter(which).annotate(
        need_since=F(since),
        need_order=F("receipt__attempt__account_reference"),
        need_payment=F("receipt__attempt__public_id"),
        need_receipt=F("receipt__code"),
        need_cents=CENTS * F("amount_kes"),
    )


def _proposals() -> Rows:
    return HandSettlement.objects.filter(decision=HandSettlement.Decision.WAITING).annotate(
        need_since=F("proposed_at"),
        need_order=Coalesce("order__code", "attempt__account_reference"),
        need_payment=F("attempt__public_id"),
        need_receipt=F("receipt"),
        need_cents=CENTS * F("amount_kes"),
    )


def _belief() -> Rows:
    return StatementLine.objects.filter(LINE_WAITS).annotate(
        need_since=F("waits_since"),
        need_order=F("waits_for__code"),
        need_payment=NONE,
        need_receipt=F("receipt"),
        need_cents=Cast(CENTS * F("paid_in"), BigIntegerField()),
    )


def _inbox() -> Rows:
    problems = Q(verdict__in=PROBLEM_VERDICTS, reviewed_at=None)
    return CallbackDelivery.objects.filter(problems).annotate(
        need_since=F("received_at"),
        need_order=F("attempt__account_reference"),
        need_payment=F("attempt__public_id"),
        need_receipt=NONE,
        need_cents=NONE,
    )


def _statements() -> Rows:
    """The amount is ours less theirs, as `manage.py balance` says it."""
    return statements_that_differ(gateway.now()).annotate(
        need_since=F("period_to"),
        need_order=NONE,
        need_payment=NONE,
        need_receipt=NONE,
        need_cents=F("difference_cents"),
    )


def _all() -> Iterator[Work]:
    yield from map(_of_payments, REASONS)
    yield from map(_of_receipts, OF_RECEIPTS)
    yield Work(key="part_paid", words=PART_PAID, kind=Order, waiting=_part_paid)
    yield Work(key="part_taken_back", words=facts.PART_TAKEN_BACK, kind=Receipt, waiting=_parts_taken_back)
    yield Work(key="refund_unseen", words=WORDS["refund_unseen"], kind=Refund, waiting=_refunds_unseen)
    yield Work(key="reversal_stuck", words=facts.REVERSAL_STUCK, kind=Reversal, waiting=_reversals_stuck)
    yield Work(
        key="reversal_failed", words=facts.REVERSAL_DID_NOT_GO, kind=Reversal, waiting=_reversals_failed
    )
    yield Work(key="proposal", words=WORDS["proposal"], kind=HandSettlement, waiting=_proposals)
    yield Work(key="belief", words=WORDS["belief"], kind=StatementLine, waiting=_belief)
    yield Work(key="inbox", words=WORDS["inbox"], kind=CallbackDelivery, waiting=_inbox)
    yield Work(key="statement_differs", words=WORDS["statement_differs"], kind=Statement, waiting=_statements)


ALL: Sequence[Work] = tuple(_all())
