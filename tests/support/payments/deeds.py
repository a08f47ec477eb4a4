"""What people and the worker do with money, each as a deed that can be done, done again, or done in the same moment as
another: a ground is laid (rows that are there already), then there is one call left to make."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orders.models import Order
from payments import callbacks, ledger, manual, reconciliation
from payments.ledger import SealMade
from payments.models import HandSettlement, MpesaTransaction, Receipt, Refund, Statement, StatementLine
from tests.support.payments.callback_bodies import failure, success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import OTIENO, FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import SAFARICOM, Click, asked_and_paid, called_back, paid_twice, pay
from tests.support.payments.settling import SMS
from tests.support.payments.stating import (
    charge,
    head,
    line,
    matched,
    reversal,
    row,
    row_of,
    state,
    taken_in,
)
from tests.support.statements import Row, write_csv

WHY = "The customer read the message to me."
RECEIPT, SECOND = "UKN8AB12CD", "UKN8AB12CE"

Call = Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """Who is there: a buyer, Safaricom, the time."""

    click: Click
    safaricom: FakeDaraja
    clock: Clock

    def buyer_pays(self, **ask: Any) -> MpesaTransaction:
        return pay(self.click, self.safaricom, self.clock, **ask)

    def is_told(self, **what: Any) -> Any:
        return called_back(self.safaricom, self.clock, **what)

    def upload(self, *rows: Row, name: str = "november.csv") -> Statement:
        """Taken in, and not matched yet."""
        return taken_in(list(rows), self.clock, name=name)

    def match(self, stated: Statement) -> Any:
        return matched(stated, self.clock)

    def states(self, *rows: Row) -> Statement:
        """Taken in and matched."""
        state(list(rows), self.clock)
        return Statement.objects.latest("id")

    def nobodys(self, kes: int = 1500, receipt: str = RECEIPT) -> Receipt:
        """Money that names no order."""
        self.states(row(receipt, self.clock(), kes, "WANJIRU"))
        return Receipt.objects.get(code=receipt)

    def open_order(self) -> Order:
        return place(self.clock)


# --- each: lays its ground, gives the call ---------------------------------------------------------------


def claims(shop: Shop, order: Order, by: str = "akinyi", receipt: str = RECEIPT) -> Call:
    """The whole line becomes the order's."""
    claim = manual.Claim(line_id=line(receipt).pk, target=order.code, reason=WHY, accepts_amount=True)
    return lambda: manual.claim_receipt(claim, by=by, now=shop.clock())


def places(shop: Shop, order: Order, kes: int, by: str = "akinyi", receipt: str = RECEIPT) -> Call:
    placed = Receipt.objects.get(code=receipt)
    return lambda: manual.place_part(
        placed.pk, target=order.code, amount_kes=kes, reason=WHY, by=by, now=shop.clock()
    )


def keeps(shop: Shop, kes: int, by: str = "akinyi") -> Call:
    receipt = Receipt.objects.get(code=RECEIPT)
    return lambda: manual.keep_part(receipt.pk, amount_kes=kes, reason=WHY, by=by, now=shop.clock())


def settles(shop: Shop, attempt: MpesaTransaction, by: str = "akinyi", **more: Any) -> Call:
    told = {**vars(SMS), "amount_kes": attempt.amount_kes, **more}
    return lambda: manual.propose_settlement(attempt.pk, manual.Settlement(**told), by=by, now=shop.clock())


def confirms(shop: Shop, by: str = "kraph") -> Call:
    waiting = HandSettlement.objects.get(decision="waiting")
    return lambda: manual.confirm_settlement(waiting.pk, by=by, now=shop.clock())


def declines(shop: Shop, by: str = "njeri") -> Call:
    waiting = HandSettlement.objects.get(decision="waiting")
    return lambda: manual.decline_settlement(waiting.pk, why="I see it otherwise.", by=by, now=shop.clock())


def refunds(
    shop: Shop, attempt: MpesaTransaction, kes: int, reference: str = "UKN9RF12CD", by: str = "akinyi"
) -> Call:
    told = {"reference": reference, "amount_kes": kes, "reason": WHY, "by": by}
    return lambda: manual.record_refund(attempt.pk, **told, now=shop.clock())


def undoes(shop: Shop, attempt: MpesaTransaction, by: str = "kraph") -> Call:
    return lambda: manual.undo_decision(attempt.pk, reason=WHY, by=by, now=shop.clock())


def undoes_refund(shop: Shop, by: str = "kraph") -> Call:
    refund = Refund.objects.get()
    return lambda: manual.undo_refund(refund.pk, reason=WHY, by=by, now=shop.clock())


def voids_line(shop: Shop, stated: StatementLine, by: str = "kraph") -> Call:
    return lambda: manual.void_line(stated.pk, reason=WHY, by=by, now=shop.clock())


def voids(shop: Shop, stated: Statement, by: str = "kraph") -> Call:
    """Once more, where a line was matched meanwhile."""

    def press() -> None:
        for _ in range(3):
            if not manual.void_statement(stated.pk, reason=WHY, by=by, now=shop.clock()).left:
                return

    return press


def seals(shop: Shop) -> Call:
    def make() -> SealMade | None:
        return ledger.seal_next(now=shop.clock())

    return make


def imports(shop: Shop, *rows: Row, name: str = "november.csv", by: str = "akinyi") -> Call:
    data = write_csv(rows, head=head(shop.clock))
    return lambda: reconciliation.import_file(data, file_name=name, by=by, now=shop.clock())


def is_called_back(
    shop: Shop, push: int, *, receipt: str = "UKN4AB12CD", code: int = 0, amount: int = 1500
) -> Call:
    """Safaricom's callback for the push with this number, from 1."""
    checkout_id = f"ws_CO_{push}"
    body = json.dumps(failure(code, checkout_id) if code else success(checkout_id, amount, receipt)).encode()
    token = shop.safaricom.pushes[push - 1].callback_url.rsplit("/", 1)[1]
    return lambda: callbacks.receive_callback(
        token=token, body=body, source_address=SAFARICOM, now=shop.clock()
    )


def imports_and_matches(shop: Shop, *rows: Row, name: str) -> Call:
    take_in = imports(shop, *rows, name=name)
    return lambda: shop.match(take_in().statement)


def matches(shop: Shop, stated: Statement) -> Call:
    return lambda: shop.match(stated)


# --- grounds that several tests begin on ----------------------------------------------------------------


def claimed(shop: Shop) -> MpesaTransaction:
    shop.nobodys(1000)
    claims(shop, shop.open_order())()
    return MpesaTransaction.objects.get()


def settled(shop: Shop) -> MpesaTransaction:
    attempt = idle(shop)
    settles(shop, attempt)()
    return attempt


def idle(shop: Shop, amount: int = 1500, **ask: Any) -> MpesaTransaction:
    """Asked, and nothing was heard for ten minutes."""
    attempt = shop.click(amount=amount, **ask)
    shop.clock.advance(minutes=10)
    return attempt


def to_be_confirmed(shop: Shop) -> MpesaTransaction:
    """A settlement above what one person may decide."""
    attempt = idle(shop, 6000)
    settles(shop, attempt)()
    return attempt


def overpaid(shop: Shop) -> MpesaTransaction:
    return paid_twice(shop.click, shop.safaricom, shop.clock)


def refunded(shop: Shop) -> MpesaTransaction:
    attempt = shop.buyer_pays()
    refunds(shop, attempt, 500)()
    return attempt


def refund_was_seen(shop: Shop) -> StatementLine:
    """The line of a statement that shows the refund leave."""
    refunded(shop)
    shop.states(reversal(shop.clock(), "UKN4AB12CD", 500, "UKN9RF12CD"))
    return line("UKN9RF12CD", "reversal")


def was_reversed(shop: Shop) -> StatementLine:
    shop.buyer_pays()
    shop.states(reversal(shop.clock(), "UKN4AB12CD", 500))
    return line("UKN4RV12CD", "reversal")


def rows_of_each_kind(shop: Shop) -> list[Row]:
    """One whose receipt was awaited, one of a request taken for failed, a part for an order, money that is nobody's, a
    charge, a reversal; and there is what they are of."""
    awaited = shop.click()
    asked_and_paid(awaited, shop.safaricom, shop.clock)
    failed = shop.click(msisdn=OTIENO, reference="CART2")
    shop.is_told(code=1032)
    return [
        row_of(awaited, "UKN4AB12CE"),
        row_of(failed, "UKN4AB12CF"),
        *rows_beside(shop),
        reversal(shop.clock(), "UKN4AB12CE", 500),
    ]


def rows_beside(shop: Shop) -> list[Row]:
    """Of no request."""
    part = shop.open_order()
    return [
        row(RECEIPT, shop.clock(), 400, part.code),
        row(SECOND, shop.clock(), 70, "WANJIRU"),
        charge(shop.clock(), SECOND),
    ]
