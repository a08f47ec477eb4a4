"""Whether the book is what the payments say: each receipt, each posting, each order's sums. Reads only, mends nothing;
the payments themselves are held against their events in verify.py."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Sum

from orders.models import Order
from payments import gateway
from payments.facts import held_kes
from payments.ledger.book import CENTS, MPESA, ORDER, REFUNDS_DUE, UNCLAIMED, Code
from payments.models import MpesaTransaction, Posting, Receipt
from payments.signing import Moved

Book = Mapping[int, Sequence[Any]]  # receipts or postings, by their attempt


def faults_of_book(attempts: Sequence[MpesaTransaction]) -> Iterator[tuple[int, str, str]]:
    """(attempt's id, public id, what is wrong) of these payments."""
    ids = [attempt.pk for attempt in attempts]
    postings = _by_attempt(Posting.objects.filter(attempt__in=ids).select_related("mends").order_by("id"))
    receipts = _by_attempt(Receipt.objects.filter(attempt__in=ids).order_by("id"))
    for attempt in attempts:
        mine = receipts.get(attempt.pk, [])
        for what in (
            *_of_attempt(attempt),
            *_of_receipts(attempt, mine),
            *_of_postings(attempt, postings.get(attempt.pk, []), mine),
        ):
            yield attempt.pk, attempt.public_id, what


def _by_attempt(rows: Any) -> Book:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.attempt_id].append(row)
    return found


def _of_attempt(attempt: MpesaTransaction) -> Iterator[str]:
    if attempt.account_reference != attempt.order.code:
        yield f"it was asked for order {attempt.account_reference}, and is linked to {attempt.order.code}"
    back = sum(refund.amount_cents for refund in attempt.refunds.all())
    if back != CENTS * (attempt.refunded_kes or 0):
        yield f"KES {attempt.refunded_kes or 0:,} went back by its own word, {_kes(back)} by its refunds"
    if attempt.amount_kes != attempt.order.total_kes:
        yield f"it asked for KES {attempt.amount_kes:,}, its order costs KES {attempt.order.total_kes:,}"


def _of_receipts(attempt: MpesaTransaction, receipts: Sequence[Receipt]) -> Iterator[str]:
    valid = [receipt for receipt in receipts if receipt.voided_at is None]
    if len(valid) > 1:
        yield "it has more than one receipt"
    for receipt in valid:
        if receipt.code != attempt.receipt:
            yield f"its receipt in the book is {receipt.code or 'awaited'}, not {attempt.receipt or 'awaited'}"


def _of_postings(
    attempt: MpesaTransaction, postings: Sequence[Posting], receipts: Sequence[Receipt]
) -> Iterator[str]:
    for posting in postings:
        if not gateway.keyring().verifies(
            moved(posting, attempt.public_id), signed_with=posting.key_id, digest=posting.hash
        ):
            yield f"posting {posting.pk} was changed, or signed with a key that is not in LEDGER_KEY"
    came = next((receipt.amount_cents for receipt in receipts if receipt.voided_at is None), None)
    is_whole = came is not None and came % CENTS == 0
    if is_whole and (attempt.pays_order or attempt.refund_due) and came != CENTS * held_kes(attempt):
        yield f"KES {held_kes(attempt):,} came by its own word, {_kes(came or 0)} by its receipt"
    stands, expected = _balances(postings), _expected(attempt, came)
    for account in sorted(stands.keys() | expected.keys()):
        if stands[account] != expected[account]:
            yield f"{account}: its postings say {_kes(stands[account])}, it says {_kes(expected[account])}"


def moved(posting: Posting, attempt: str) -> Moved:
    """What the posting says, to hold its hash against."""
    return Moved(
        ref=posting.ref,
        at=posting.at,
        debit=posting.debit,
        credit=posting.credit,
        amount_cents=posting.amount_cents,
        code=posting.code,
        receipt_id=posting.receipt_id,
        attempt=attempt,
        event_number=posting.event_number,
        mends=posting.mends.ref if posting.mends else "",
    )


def _balances(postings: Sequence[Posting]) -> Counter[str]:
    """Credits less debits, by account. Cents."""
    found: Counter[str] = Counter()
    for posting in postings:
        found[posting.credit] += posting.amount_cents
        found[posting.debit] -= posting.amount_cents
    return found


def _expected(attempt: MpesaTransaction, came: int | None) -> Counter[str]:
    """What the payment says of itself: what came, whose it is, what went back. Cents, credits less debits."""
    back = CENTS * (attempt.refunded_kes or 0)
    mpesa, order = f"{MPESA}{attempt.short_code}", f"{ORDER}{attempt.account_reference}"
    found: Counter[str] = Counter()
    if attempt.pays_order or attempt.refund_due:
        held = came or 0
        found[mpesa] = back - held
        found[order] = held - back if attempt.pays_order else 0
        found[REFUNDS_DUE] = held - back if attempt.refund_due else 0
    elif back:
        found[UNCLAIMED] = 0
    return found


def faults_of_sums(orders: Sequence[Order]) -> Iterator[tuple[str, str]]:
    """(code, what is wrong) of these orders' sums."""
    accounts = [f"{ORDER}{order.code}" for order in orders]
    credits_ = _summed("credit", accounts)
    debits = _summed("debit", accounts)
    for order in orders:
        account = f"{ORDER}{order.code}"
        received = credits_[account, False] - debits[account, True]
        returned = debits[account, False] - credits_[account, True]
        if (order.received_cents, order.returned_cents) != (received, returned):
            yield (
                order.code,
                f"it says that it got {_kes(order.received_cents)} and gave back {_kes(order.returned_cents)}, "
                f"its postings say {_kes(received)} and {_kes(returned)}",
            )


def _summed(side: str, accounts: Sequence[str]) -> Counter[tuple[str, bool]]:
    """Cents by account and whether it is a correction."""
    found: Counter[tuple[str, bool]] = Counter()
    rows = Posting.objects.filter(**{f"{side}__in": accounts}).order_by().values(side, "code")
    for row in rows.annotate(cents=Sum("amount_cents")):
        found[row[side], row["code"] == Code.CORRECTION] += row["cents"]
    return found


def _kes(cents: int) -> str:
    return f"KES {cents / CENTS:,.2f}"
