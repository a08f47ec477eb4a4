"""Money that no prompt of ours explains, and money that left: each movement once, as a receipt with its postings. Each
door is one transaction. Which movement is whose is decided by who calls (reconciliation/, manual/)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from djkraph import sql
from orders.services import receive
from payments.ledger.book import (
    BANK,
    CENTS,
    CHARGES,
    KEPT,
    REFUNDS_DUE,
    UNCLAIMED,
    UNDECIDED,
    Because,
    Code,
    Entry,
    mpesa,
    order_account,
    post,
    post_many,
)
from payments.ledger.implied import told_larger
from payments.ledger.kinds import EventKind
from payments.ledger.standing import Standing, hold, mend, move, reversed_by_safaricom, standing_of
from payments.ledger.updates import Change, Source
from payments.ledger.write import carry_out, decide_anew, read
from payments.models import Posting, Receipt, Refund
from payments.states import State

Kind, Direction = Receipt.Kind, Receipt.Direction
Then = Callable[[int], None]  # in the same transaction, with the receipt's id

# where money goes that is no customer's, and why
ELSEWHERE = {Kind.CHARGE: (CHARGES, Code.CHARGE), Kind.TO_BANK: (BANK, Code.TO_BANK)}


class NotThere(ValueError):
    """So much of the receipt is not there to be moved; the message says what is."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One movement at our short code, as a source names it. Cents; `happened_at` is Safaricom's own time."""

    code: str
    kind: Receipt.Kind
    direction: Receipt.Direction
    cents: int
    happened_at: datetime | None
    short_code: str
    account_no: str = ""
    payer_masked: str = ""
    source: Source = Source.STATEMENT


def _nothing_more(_receipt_id: int) -> None: ...


def book_payment(
    told: Told, *, order_id: int | None, order_code: str = "", now: datetime, then: Then = _nothing_more
) -> int:
    """Money that came: the order's that it names, else nobody's yet. The receipt's id, also where the book has it."""

    def once(_afresh: bool) -> int:
        receipt_id = _keep(told, now=now)
        if receipt_id is None:
            receipt_id = _known_with_this_amount(told, now=now)
        elif order_id is None:
            _come(receipt_id, told, now=now)
        else:
            _come_for(receipt_id, told, order_id, order_code, now=now)
        then(receipt_id)
        return receipt_id

    return decide_anew(once)


def book_nobodys(many: Sequence[Told], *, now: datetime, then: Callable[[], None]) -> None:
    """Very many payments that are nobody's yet, of which the book has none: in one transaction."""

    def once(_afresh: bool) -> None:
        rows = [(*_values(told, now=now).values(), told.cents, 0, "") for told in many]
        columns = (*_values(many[0], now=now), "unclaimed_cents", "due_cents", "reviewed_by")
        sql.insert_new(Receipt, columns, rows)
        codes = {told.code: told for told in many}
        payments = Receipt.objects.filter(
            code__in=codes, direction=Direction.IN, kind=Kind.PAYMENT, voided_at=None
        )
        ids = {str(code): pk for code, pk in payments.values_list("code", "id")}
        posted = _posted(ids.values())
        post_many((_came(codes[code]), _for(pk, now)) for code, pk in ids.items() if pk not in posted)
        then()

    decide_anew(once)


def _posted(receipt_ids: Iterable[int]) -> set[int]:
    """Those of these receipts that somebody else booked meanwhile. Asked by itself: in one question with the receipts
    PostgreSQL reads every posting there is, as long as it has not counted them."""
    return set(Posting.objects.filter(receipt_id__in=list(receipt_ids)).values_list("receipt_id", flat=True))


def book_elsewhere(told: Told, *, now: datetime, then: Then = _nothing_more) -> int:
    """A charge, a sweep, or money that left and nobody decided: the receipt's id."""

    def once(_afresh: bool) -> int:
        receipt_id = _keep(told, now=now)
        if receipt_id is None:
            receipt_id = _known(told).pk
        else:
            account, code = ELSEWHERE.get(told.kind, (UNDECIDED, Code.LEFT))
            held = mpesa(told.short_code)
            debit, credit = (held, account) if told.direction == Direction.IN else (account, held)
            post([Entry(debit=debit, credit=credit, cents=told.cents, code=code)], _for(receipt_id, now))
        then(receipt_id)
        return receipt_id

    return decide_anew(once)


def book_reversal(told: Told, *, of_code: str, now: datetime, then: Then = _nothing_more) -> int:
    """Safaricom gave a receipt's money back. Where the book has not heard of that receipt, the reversal is evidence
    enough that it came. What is more than can still go back, left without a decision."""

    def once(_afresh: bool) -> int:
        original = _payment(of_code) or _implied(told, of_code, now=now)
        receipt_id = _keep(told, reverses=original.pk, now=now)
        if receipt_id is None:
            receipt_id = _known(told).pk
        else:
            _reverse(original, told, receipt_id, now=now)
        then(receipt_id)
        return receipt_id

    return decide_anew(once)


def see_refund(refund: Refund, told: Told, *, now: datetime, then: Then = _nothing_more) -> int:
    """The statement shows a refund that was recorded: it moved the book when it was recorded, and nothing moves now."""

    def once(_afresh: bool) -> int:
        receipt_id = _keep(told, kind=Kind.REFUND, reverses=refund.receipt_id, now=now)
        if receipt_id is None:
            receipt_id = _known(told, kind=Kind.REFUND).pk
        seen = {"state": Refund.State.SEEN, "seen_as_id": receipt_id}
        Refund.objects.filter(pk=refund.pk, seen_as=None).update(**seen)
        then(receipt_id)
        return receipt_id

    return decide_anew(once)


def claim(
    receipt_id: int, *, order_id: int, order_code: str, cents: int, now: datetime, then: Then = _nothing_more
) -> int:
    """Some of what is nobody's becomes the order's: how much of it is more than the order costs. Raises NotThere."""

    def once(_afresh: bool) -> int:
        standing = _unclaimed(receipt_id, cents)
        excess = receive(order_id, cents=cents, at=now)
        if excess is None:
            raise NotThere(f"Order {order_code} takes no more money.")
        account = order_account(order_code)
        claimed = Entry(debit=UNCLAIMED, credit=account, cents=cents, code=Code.CLAIMED)
        move(standing, [claimed, *_too_much(account, excess)], _for(receipt_id, now))
        then(receipt_id)
        return excess

    return decide_anew(once)


def keep(receipt_id: int, *, cents: int, now: datetime, then: Then = _nothing_more) -> None:
    """Some of what is nobody's stays with the shop, for a reason that a person gave. Raises NotThere."""

    def once(_afresh: bool) -> None:
        standing = _unclaimed(receipt_id, cents)
        kept = Entry(debit=UNCLAIMED, credit=KEPT, cents=cents, code=Code.KEPT)
        move(standing, [kept], _for(receipt_id, now))
        then(receipt_id)

    decide_anew(once)


def void_receipt(receipt_id: int, *, now: datetime, then: Then = _nothing_more) -> None:
    """It was never there: all that stands of it is taken back. Raises NotThere where some of it went back already."""

    def once(_afresh: bool) -> None:
        void_in_same_transaction(receipt_id, now=now)
        then(receipt_id)

    decide_anew(once)


def void_in_same_transaction(receipt_id: int, *, now: datetime) -> None:
    """The same, inside a transaction of the ledger's that is under way."""
    standing = hold(Receipt.objects.get(pk=receipt_id))
    if standing.came and standing.went:
        raise NotThere("Some of this money went back already. Take that back first, where it never left.")
    mend(standing, _for(receipt_id, now))
    Receipt.objects.filter(pk=receipt_id, voided_at=None).update(voided_at=now)


def unsee_refund(refund_id: int, *, now: datetime, then: Then = _nothing_more) -> None:
    """What showed that a refund left is not to be believed: it is sent, and not seen."""

    def once(_afresh: bool) -> None:
        refund = Refund.objects.get(pk=refund_id)
        seen_as = refund.seen_as_id
        Refund.objects.filter(pk=refund_id).update(state=Refund.State.SENT, seen_as=None)
        if seen_as is not None:
            Receipt.objects.filter(pk=seen_as, voided_at=None).update(voided_at=now)
            then(seen_as)

    decide_anew(once)


def _keep(
    told: Told, *, now: datetime, kind: Receipt.Kind | None = None, reverses: int | None = None
) -> int | None:
    """The receipt's row. None: the book has it."""
    differs = {"kind": kind or told.kind, "reverses_id": reverses}
    return sql.insert_unless_there(Receipt, _values(told, now=now) | differs)


def _values(told: Told, *, now: datetime) -> dict[str, Any]:
    return {
        "code": told.code,
        "direction": told.direction,
        "kind": told.kind,
        "amount_cents": told.cents,
        "happened_at": told.happened_at,
        "short_code": told.short_code,
        "account_no": told.account_no,
        "payer_masked": told.payer_masked,
        "told_by": told.source,
        "told_at": now,
    }


def _known(told: Told, *, kind: Receipt.Kind | None = None) -> Receipt:
    return Receipt.objects.get(
        code=told.code, direction=told.direction, kind=kind or told.kind, voided_at=None
    )


def _known_with_this_amount(told: Told, *, now: datetime) -> int:
    """Of a payment that the book has. One that its reversal had implied may have been more."""
    known = _known(told)
    if known.happened_at is not None or known.amount_cents >= told.cents:
        return known.pk
    receipt, _ = told_larger(known, told.cents, _for(known.pk, now))
    return receipt.pk


def _payment(code: str) -> Receipt | None:
    return Receipt.objects.filter(
        code=code, direction=Direction.IN, kind=Kind.PAYMENT, voided_at=None
    ).first()


def _for(receipt_id: int, now: datetime) -> Because:
    return Because(receipt_id=receipt_id, now=now)


def _come(receipt_id: int, told: Told, *, now: datetime) -> None:
    standing = Standing(receipt_id=receipt_id, short_code=told.short_code)
    move(standing, [_came(told)], _for(receipt_id, now))


def _came(told: Told) -> Entry:
    return Entry(debit=mpesa(told.short_code), credit=UNCLAIMED, cents=told.cents, code=Code.UNCLAIMED)


def _come_for(receipt_id: int, told: Told, order_id: int, order_code: str, *, now: datetime) -> None:
    excess = receive(order_id, cents=told.cents, at=now)
    if excess is None:
        _come(receipt_id, told, now=now)
        return
    account = order_account(order_code)
    paid = Entry(debit=mpesa(told.short_code), credit=account, cents=told.cents, code=Code.PAID)
    standing = Standing(receipt_id=receipt_id, short_code=told.short_code)
    move(standing, [paid, *_too_much(account, excess)], _for(receipt_id, now))


def _too_much(account: str, excess: int) -> list[Entry]:
    return [Entry(debit=account, credit=REFUNDS_DUE, cents=excess, code=Code.OVERPAID)] if excess else []


def _unclaimed(receipt_id: int, cents: int) -> Standing:
    """Locked. Raises NotThere."""
    standing = hold(Receipt.objects.get(pk=receipt_id))
    there = standing.at[UNCLAIMED]
    if not 0 < cents <= there:
        raise NotThere(f"KES {there / CENTS:,.2f} of this receipt is nobody's yet.")
    return standing


def _implied(told: Told, of_code: str, *, now: datetime) -> Receipt:
    """The payment that a reversal gives back: at least so much came."""
    came = Told(
        code=of_code,
        kind=Kind.PAYMENT,
        direction=Direction.IN,
        cents=told.cents,
        happened_at=None,
        short_code=told.short_code,
        account_no=told.account_no,
        payer_masked=told.payer_masked,
        source=told.source,
    )
    receipt_id = _keep(came, now=now)
    if receipt_id is None:  # it came in this moment
        return _known(came)
    _come(receipt_id, came, now=now)
    return Receipt.objects.get(pk=receipt_id)


def _reverse(original: Receipt, told: Told, receipt_id: int, *, now: datetime) -> None:
    standing = hold(original)
    cents = min(told.cents, standing.left)
    if cents and original.attempt_id is not None:
        row = read(original.attempt_id)
        facts = {"receipt": original.code or "", "reference": told.code, "amount": said(cents)}
        change = Change(kind=EventKind.REVERSED, to=State(row.state))
        carry_out(row, change, source=told.source, facts=facts, now=now)
    elif cents:
        move(standing, reversed_by_safaricom(standing, cents), _for(original.pk, now))
    if more := told.cents - cents:
        left = Entry(debit=UNDECIDED, credit=mpesa(told.short_code), cents=more, code=Code.LEFT)
        post([left], _for(receipt_id, now))


def review_receipt(receipt_id: int, *, by: str, now: datetime) -> bool:
    """Marked as looked at. False: it was already."""
    unseen = Receipt.objects.filter(pk=receipt_id, reviewed_at=None)
    return bool(unseen.update(reviewed_at=now, reviewed_by=by))


def said(cents: int) -> str:
    """Shillings, as facts hold them: `1500` where it is whole, `1500.50` where it isn't."""
    whole, rest = divmod(cents, CENTS)
    return f"{whole}.{rest:02}" if rest else str(whole)


def left_of(receipt: Receipt) -> int:
    """Cents that can still go back."""
    return standing_of(receipt, receipt.postings.select_related("mends")).left
