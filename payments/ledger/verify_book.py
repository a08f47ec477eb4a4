"""Whether the book is what the payments say: each receipt, each posting, each order's sums. Reads only, mends nothing;
the payments themselves are held against their events in verify.py."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Sum

from orders.models import Order
from orders.sums import Stands
from payments import gateway
from payments.facts import held_kes, is_booked
from payments.ledger.book import (
    BANK,
    CENTS,
    CHARGES,
    OPENING,
    ORDER,
    REFUNDS_DUE,
    UNCLAIMED,
    UNDECIDED,
    Code,
    order_account,
)
from payments.ledger.standing import Standing, standing_of
from payments.models import MpesaTransaction, Posting, Receipt, Refund
from payments.signing import Moved

MAY_BE_BELOW_ZERO = (BANK, CHARGES, OPENING, UNDECIDED)
Book = Mapping[int, Sequence[Any]]  # rows, by what they belong to


def faults_of_book(attempts: Sequence[MpesaTransaction]) -> Iterator[tuple[int, str, str]]:
    """(attempt's id, public id, what is wrong) of these payments and their receipts."""
    ids = [attempt.pk for attempt in attempts]
    receipts = list(Receipt.objects.filter(attempt__in=ids).order_by("id"))
    postings = _postings_of(receipts)
    by_attempt = _grouped(receipts, "attempt_id")
    beside = _refunds_beside(receipts)
    for attempt in attempts:
        mine = by_attempt.get(attempt.pk, [])
        for what in (
            *_of_attempt(attempt, mine, postings, beside),
            *(what for receipt in mine for what in _of_receipt(receipt, postings.get(receipt.pk, []))),
        ):
            yield attempt.pk, attempt.public_id, what


def faults_beside(after_id: int, batch: int) -> tuple[int | None, list[tuple[str, str]]]:
    """The next receipts that are no attempt's: the last one's id (None: that was all), and (receipt, what is wrong)."""
    receipts = list(Receipt.objects.filter(id__gt=after_id, attempt=None).order_by("id")[:batch])
    postings = _postings_of(receipts)
    refunds = _refunds_beside(receipts)
    found = [
        (receipt.code or f"receipt {receipt.pk}", what)
        for receipt in receipts
        for what in (
            *_of_receipt(receipt, postings.get(receipt.pk, [])),
            *_of_refunds(refunds.get(receipt.pk, []), postings.get(receipt.pk, [])),
        )
    ]
    return (receipts[-1].pk if receipts else None), found


def _postings_of(receipts: Sequence[Receipt]) -> Book:
    found = Posting.objects.filter(receipt__in=[receipt.pk for receipt in receipts])
    return _grouped(found.select_related("mends", "attempt").order_by("id"), "receipt_id")


def _refunds_beside(receipts: Sequence[Receipt]) -> Book:
    """By receipt: those that were recorded of money that was no request's then."""
    return _grouped(
        Refund.objects.filter(receipt__in=[receipt.pk for receipt in receipts], attempt=None), "receipt_id"
    )


def _grouped(rows: Iterable[Any], by: str) -> Book:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[getattr(row, by)].append(row)
    return found


def _of_attempt(
    attempt: MpesaTransaction, receipts: Sequence[Receipt], postings: Book, beside: Book
) -> Iterator[str]:
    if attempt.account_reference != attempt.order.code:
        yield f"it was asked for order {attempt.account_reference}, and is linked to {attempt.order.code}"
    if attempt.amount_kes > attempt.order.total_kes:
        yield f"it asked for KES {attempt.amount_kes:,}, its order costs KES {attempt.order.total_kes:,}"
    valid = [receipt for receipt in receipts if receipt.voided_at is None]
    if len(valid) > 1:
        yield "it has more than one receipt"
    for receipt in valid:
        if receipt.code != attempt.receipt:
            yield f"its receipt in the book is {receipt.code or 'awaited'}, not {attempt.receipt or 'awaited'}"
    stands = [standing_of(receipt, postings.get(receipt.pk, [])) for receipt in valid]
    yield from _of_money(attempt, stands)
    refunds = [*attempt.refunds.all(), *(each for receipt in valid for each in beside.get(receipt.pk, []))]
    yield from _of_refunds(refunds, *(postings.get(receipt.pk, []) for receipt in valid))


def _of_refunds(refunds: Iterable[Refund], *postings: Sequence[Posting]) -> Iterator[str]:
    recorded = sum(refund.amount_cents for refund in refunds if refund.state != Refund.State.FAILED)
    sent = sum(_sent(each) for each in postings)
    if recorded != sent:
        yield f"{_kes(recorded)} was sent back by its refunds, {_kes(sent)} by the book"


def _sent(postings: Sequence[Posting]) -> int:
    found = sum(posting.amount_cents for posting in postings if posting.code == Code.REFUND_SENT)
    mended = [posting.mends for posting in postings if posting.mends is not None]
    return found - sum(each.amount_cents for each in mended if each.code == Code.REFUND_SENT)


def _of_money(attempt: MpesaTransaction, stands: Sequence[Standing]) -> Iterator[str]:
    """What the attempt says of its money against where its receipt's shillings stand."""
    came, went = sum(each.came for each in stands), sum(each.went for each in stands)
    due = sum(each.at[REFUNDS_DUE] for each in stands)
    if is_booked(attempt) and came % CENTS == 0 and came != CENTS * held_kes(attempt):
        yield f"KES {held_kes(attempt):,} came by its own word, {_kes(came)} by the book"
    if -(-went // CENTS) != (attempt.refunded_kes or 0):
        yield f"KES {attempt.refunded_kes or 0:,} went back by its own word, {_kes(went)} by the book"
    if due != attempt.due_cents:
        yield f"{_kes(attempt.due_cents)} are to be sent back by its own word, {_kes(due)} by the book"
    if came and not is_booked(attempt) and not attempt.refunded_kes:
        yield f"{_kes(came)} of it are in the book, and it says nothing of them"
    own = order_account(attempt.account_reference)
    elsewhere = [name for each in stands for name, cents in each.at.items() if cents and name != own]
    if attempt.pays_order and any(name.startswith(ORDER) for name in elsewhere):
        yield "it paid its order by its own word, another one by the book"


def _of_receipt(receipt: Receipt, postings: Sequence[Posting]) -> Iterator[str]:
    for posting in postings:
        by = posting.attempt.public_id if posting.attempt else ""
        if refusal := gateway.keyring().refusal(
            moved(posting, by), signed_with=posting.key_id, digest=posting.hash
        ):
            yield f"posting {posting.pk} {refusal}"
    stands = standing_of(receipt, postings)
    told = 0 if receipt.voided_at else receipt.amount_cents
    moved_cents = stands.came if receipt.kind == Receipt.Kind.PAYMENT else abs(stands.went)
    if moved_cents != told and not (_stands_elsewhere(receipt) and moved_cents < told):
        yield f"its receipt is of {_kes(told)}, its postings say {_kes(moved_cents)}"
    if (receipt.unclaimed_cents, receipt.due_cents) != (stands.at[UNCLAIMED], stands.at[REFUNDS_DUE]):
        yield (
            f"its receipt says that {_kes(receipt.unclaimed_cents)} are nobody's and {_kes(receipt.due_cents)} go "
            f"back, its postings say {_kes(stands.at[UNCLAIMED])} and {_kes(stands.at[REFUNDS_DUE])}"
        )
    for name, cents in stands.at.items():
        if cents < 0 and name not in MAY_BE_BELOW_ZERO:
            yield f"{name} is {_kes(cents)} with it"


def _stands_elsewhere(receipt: Receipt) -> bool:
    """A reversal, or a refund as it left: its postings stand with the receipt of the money that went back."""
    return receipt.direction == Receipt.Direction.OUT and receipt.reverses_id is not None


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
        for what in _of_state(order):
            yield order.code, what


def _of_state(order: Order) -> Iterator[str]:
    """Whether it can be what it is with these sums. (Of a paid one some may have gone back.)"""
    stands = order.sums.stands(Stands(order.state)).value
    if stands != order.state:
        yield (
            f"it is {order.state}, costs KES {order.total_kes:,}, got {_kes(order.received_cents)} and gave back "
            f"{_kes(order.returned_cents)}, so it is {stands}"
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
