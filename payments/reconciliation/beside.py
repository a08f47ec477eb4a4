"""Lines of a statement that no request of ours explains, into the book: money for an order, money that is nobody's yet,
and what left. What cannot be told apart is booked as nobody's, and a person says whose it is (manual/)."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet

from orders.codes import codes_meant
from orders.models import Order
from payments import gateway, ledger
from payments.facts import IS_LIVE, IS_PAID
from payments.ledger import CENTS, Told
from payments.models import MpesaTransaction, Receipt, Refund, Statement, StatementLine
from payments.phones import masked_payer

Kind, Match = StatementLine.Kind, StatementLine.Match
Pays = Callable[[], None]  # in the transaction in which a line pays its order
REFUND_SEEN_WITHIN = timedelta(days=30)  # of its being recorded, by receipt and amount alone

BOOKED_AS = {
    Kind.CHARGE: Receipt.Kind.CHARGE,
    Kind.SWEEP: Receipt.Kind.TO_BANK,
    Kind.REVERSAL: Receipt.Kind.REVERSAL,
    Kind.OTHER: Receipt.Kind.OTHER,
    Kind.PAYMENT: Receipt.Kind.PAYMENT,
}


class Meanwhile(Exception):
    """Somebody else matched or voided this line, or moved its payment, in this moment: what was to be written with it
    is undone."""


def order_to_pay(line: StatementLine) -> Order | None:
    """Of a line that is no request's: the order that its money is for, if nothing speaks against it."""
    order = order_meant(line.account_no)
    if order is None or may_be_a_requests(order, line.paid_in) or _had_ended(order, line):
        return None
    return order


def book_beside(line: StatementLine, order: Order, *, now: datetime, pays: Pays) -> bool:
    """A payment's line becomes its order's: whether it did. What `pays` raises leaves nothing written."""
    if line.booked_as is not None:
        return _claim_believed(line, line.booked_as, order, now=now)
    try:
        _book(line, order, now=now, pays=pays)
    except Meanwhile:
        return False
    return True


def _book(line: StatementLine, order: Order | None, *, now: datetime, pays: Pays) -> None:
    match = Match.BOOKED if order else Match.NONE

    def then(receipt_id: int) -> None:
        _join(line, receipt_id, match)
        pays()

    ledger.book_payment(
        _told(line),
        order_id=order.pk if order else None,
        order_code=order.code if order else "",
        now=now,
        then=then,
    )


def _claim_believed(line: StatementLine, receipt: Receipt, order: Order, *, now: datetime) -> bool:
    """It was nobody's while it waited to be believed: whether it is now its order's. What people have placed meanwhile
    stays where they put it."""

    def then(_receipt_id: int) -> None:
        if not StatementLine.objects.filter(id=line.pk, match=Match.NONE).update(match=Match.BOOKED):
            raise Meanwhile

    try:
        ledger.claim(
            receipt.pk,
            order_id=order.pk,
            order_code=order.code,
            cents=_cents(line.paid_in),
            now=now,
            then=then,
        )
    except (ledger.NotThere, Meanwhile):
        return False
    return True


def book_nobodys(line_ids: Sequence[int], *, now: datetime) -> None:
    """Payments' lines that name no order: nobody's yet, by the hundred."""
    lines = StatementLine.objects.filter(id__in=line_ids, booked_as=None).select_related("statement")
    found = list(lines.order_by("id"))
    known = set(
        Receipt.objects.filter(code__in=[line.receipt for line in found]).values_list("code", flat=True)
    )
    fresh: dict[str, StatementLine] = {}
    for line in found:
        if line.receipt in known or line.receipt in fresh:
            _book_nobodys_alone(line, now=now)
        else:
            fresh[line.receipt] = line
    if not fresh:
        return
    told = [_told(line) for line in fresh.values()]
    try:
        ledger.book_nobodys(told, now=now, then=lambda: _join_all(fresh.values()))
    except Meanwhile:
        for line in fresh.values():
            _book_nobodys_alone(line, now=now)


def _book_nobodys_alone(line: StatementLine, *, now: datetime) -> None:
    with suppress(Meanwhile):
        _book(line, None, now=now, pays=_nothing)


def book_others(statement: Statement, *, now: datetime, limit: int) -> int:
    """The next lines that are no customer's money: how many were booked."""
    lines = list(_to_book(statement).order_by("id")[:limit])
    for line in lines:
        with suppress(Meanwhile):
            _book_other(line, now=now)
    return len(lines)


def order_meant(account_no: str) -> Order | None:
    """The one order that the account number can mean, as people type it."""
    exact = Order.objects.filter(code=account_no).first()
    if exact is not None or not account_no:
        return exact
    meant = list(Order.objects.filter(code__in=codes_meant(account_no))[:2])
    return meant[0] if len(meant) == 1 else None


def _to_book(statement: Statement) -> QuerySet[StatementLine]:
    of_it = Q(statement=statement) | Q(completed_at__range=(statement.period_from, statement.period_to))
    return StatementLine.objects.filter(of_it, ~Q(kind=Kind.PAYMENT), match=Match.NONE).select_related(
        "statement"
    )


def may_be_a_requests(order: Order, kes: Decimal | int) -> bool:
    """The same money may be counted with one of the order's requests: one that is paid, without a receipt so far; one
    that is on the phone for this amount; one that a person settled, with a receipt that no statement has shown."""
    requests = MpesaTransaction.objects.filter(order=order)
    with_a_line = StatementLine.objects.filter(kind=Kind.PAYMENT, attempt=OuterRef("id"))
    awaited = IS_PAID & Q(receipt=None)
    ringing = IS_LIVE & Q(amount_kes=kes)
    by_a_person = IS_PAID & Q(by_hand=True)
    return requests.filter(awaited | ringing | by_a_person).exclude(Exists(with_a_line)).exists()


def _had_ended(order: Order, line: StatementLine) -> bool:
    """When the money came. A person decides what becomes of it."""
    return ledger.has_ended(order, now=line.completed_at)


def _book_other(line: StatementLine, *, now: datetime) -> None:
    told = _told(line)

    def then(receipt_id: int) -> None:
        _join(line, receipt_id, Match.BOOKED)

    refund = _refund_seen(line)
    if refund is not None and ledger.see_refund(refund, told, now=now, then=then):
        return
    if line.kind == Kind.REVERSAL and not line.money_in and line.linked_receipt:
        ledger.book_reversal(
            told, of_code=line.linked_receipt, now=now, then=then, seen=lambda: _refund_seen(line)
        )
    else:
        ledger.book_elsewhere(told, now=now, then=then)


def _refund_seen(line: StatementLine) -> Refund | None:
    """The refund that a person recorded and that leaves with this line: by its reference, else the one refund of the
    reversed receipt over this amount."""
    if line.money_in or line.kind not in (Kind.REVERSAL, Kind.OTHER):
        return None
    unseen = Refund.objects.filter(state=Refund.State.SENT, receipt__isnull=False).select_related("receipt")
    by_reference = unseen.filter(reference=line.receipt).first()
    if by_reference is not None or not line.linked_receipt:
        return by_reference
    same = unseen.filter(
        receipt__code=line.linked_receipt,
        amount_cents=_cents(line.withdrawn),
        recorded_at__lte=line.completed_at + REFUND_SEEN_WITHIN,
        recorded_at__gte=line.completed_at - REFUND_SEEN_WITHIN,
    )
    return same.first()


def _told(line: StatementLine) -> Told:
    return Told(
        code=line.receipt,
        kind=BOOKED_AS[Kind(line.kind)],
        direction=Receipt.Direction.IN if line.money_in else Receipt.Direction.OUT,
        cents=_cents(line.paid_in or line.withdrawn),
        happened_at=line.completed_at,
        short_code=line.statement.short_code or gateway.merchant().short_code,
        account_no=line.account_no,
        payer_masked=masked_payer(line.other_party),
    )


def _cents(amount: Decimal) -> int:
    return round(CENTS * amount)


def _nothing() -> None: ...


def _join_all(lines: Collection[StatementLine]) -> None:
    """In the ledger's transaction. By id: a look into the receipts for each line would be one through all of them,
    as long as the database has not counted them. Raises Meanwhile."""
    free = _free([line.pk for line in lines]).order_by("id").select_for_update(no_key=True)
    if len(free.values_list("id")) != len(lines):
        raise Meanwhile
    of_payments = Receipt.objects.filter(
        direction=Receipt.Direction.IN, kind=Receipt.Kind.PAYMENT, voided_at=None
    )
    ids = dict(of_payments.filter(code__in=[line.receipt for line in lines]).values_list("code", "id"))
    for line in lines:
        line.booked_as_id = ids[line.receipt]
    StatementLine.objects.bulk_update(lines, ["booked_as"])


def _join(line: StatementLine, receipt_id: int, match: StatementLine.Match) -> None:
    """In the ledger's transaction. Raises Meanwhile."""
    if not _free([line.pk]).update(booked_as_id=receipt_id, match=match):
        raise Meanwhile


def _free(line_ids: Collection[int]) -> QuerySet[StatementLine]:
    """Those that are nobody's, in no book, and not void."""
    return StatementLine.objects.filter(id__in=line_ids, booked_as=None, match=Match.NONE)
