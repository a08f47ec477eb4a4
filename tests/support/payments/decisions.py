"""One decision about money of each kind, ready to be taken: the same for tests of who may, and of what it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orders.models import Order
from payments import manual, reversals
from payments.ledger import Source
from payments.models import HandSettlement, MpesaTransaction, Receipt, Reversal, StatementLine
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import Click, pay
from tests.support.payments.settling import SMS
from tests.support.payments.stating import row, row_of, state, withdrawal

WHY = "The customer told it on the phone."


@dataclass(frozen=True, kw_only=True)
class Shop:
    click: Click
    safaricom: FakeDaraja
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Ready:
    """`page` and `form`: where a person decides it at the desk, and what they type there. `decide`: the same without
    the desk. `spoil`: what makes it pointless while it waits."""

    page: str
    form: Mapping[str, str]
    decide: Callable[[str], HandSettlement]
    spoil: Callable[[], Any]
    moves: bool = True  # the book, at once


def _paid(shop: Shop) -> MpesaTransaction:
    return pay(shop.click, shop.safaricom, shop.clock)


def _stuck(shop: Shop) -> MpesaTransaction:
    attempt = shop.click()
    shop.clock.advance(minutes=10)
    return attempt


def _nobodys(shop: Shop) -> Receipt:
    state([row("UKN8AB12CD", shop.clock(), 2500, "WANJIRU")], shop.clock)
    return Receipt.objects.get()


def _of_payment(attempt: MpesaTransaction, action: str) -> str:
    return f"/admin/payments/mpesatransaction/{attempt.pk}/{action}/"


def settle(shop: Shop) -> Ready:
    attempt, now = _stuck(shop), shop.clock
    return Ready(
        page=_of_payment(attempt, "settle"),
        form={"receipt": SMS.receipt, "amount_kes": "1500", "evidence": "sms", "reason": WHY},
        decide=lambda by: manual.propose_settlement(attempt.pk, SMS, by=by, now=now()),
        spoil=lambda: state([row_of(attempt, "UKN4AB12ZZ")], now),
    )


def attach(shop: Shop) -> Ready:
    receipt, order, now = _nobodys(shop), place(shop.clock), shop.clock
    line = StatementLine.objects.get()
    claim = manual.Claim(line_id=line.pk, target=order.code, reason=WHY, accepts_amount=True)
    return Ready(
        page=f"/admin/payments/statementline/{line.pk}/attach/",
        form={"target": order.code, "reason": WHY, "accepts_amount": "on"},
        decide=lambda by: manual.claim_receipt(claim, by=by, now=now()),
        spoil=lambda: manual.keep_part(receipt.pk, amount_kes=1, reason=WHY, by="wambui", now=now()),
    )


def claim(shop: Shop) -> Ready:
    receipt, order, now = _nobodys(shop), place(shop.clock), shop.clock
    told: dict[str, Any] = {"target": order.code, "amount_kes": 1000, "reason": WHY}
    return Ready(
        page=f"/admin/payments/receipt/{receipt.pk}/place/",
        form={**told, "amount_kes": "1000"},
        decide=lambda by: manual.place_part(receipt.pk, by=by, now=now(), **told),
        spoil=lambda: Order.objects.filter(pk=order.pk).update(
            state="refunded", received_cents=100, returned_cents=100, paid_at=now()
        ),
    )


def keep(shop: Shop) -> Ready:
    receipt, now = _nobodys(shop), shop.clock
    return Ready(
        page=f"/admin/payments/receipt/{receipt.pk}/keep/",
        form={"amount_kes": "1000", "reason": WHY},
        decide=lambda by: manual.keep_part(receipt.pk, amount_kes=1000, reason=WHY, by=by, now=now()),
        spoil=lambda: manual.void_line(StatementLine.objects.get().pk, reason=WHY, by="wambui", now=now()),
    )


def refund(shop: Shop) -> Ready:
    attempt, now = _paid(shop), shop.clock
    told: dict[str, Any] = {"reference": "UKR1AB12CD", "amount_kes": 1500, "reason": WHY}
    return Ready(
        page=_of_payment(attempt, "refund"),
        form={**told, "amount_kes": "1500"},
        decide=lambda by: manual.record_refund(attempt.pk, by=by, now=now(), **told),
        spoil=lambda: state([row_of(attempt), _reversal(shop, attempt)], now),
    )


def send_back(shop: Shop) -> Ready:
    attempt, now = _paid(shop), shop.clock
    receipt = Receipt.objects.get(attempt=attempt)
    told: dict[str, Any] = {"amount_kes": 1500, "reason": WHY}
    return Ready(
        page=_of_payment(attempt, "send-back"),
        form={**told, "amount_kes": "1500"},
        moves=False,
        decide=lambda by: manual.send_back(receipt.pk, by=by, now=now(), **told),
        spoil=lambda: state([row_of(attempt), _reversal(shop, attempt)], now),
    )


def send_back_beside(shop: Shop) -> Ready:
    receipt, now = _nobodys(shop), shop.clock
    told: dict[str, Any] = {"amount_kes": 1000, "reason": WHY}
    return Ready(
        page=f"/admin/payments/receipt/{receipt.pk}/send-back/",
        form={**told, "amount_kes": "1000"},
        moves=False,
        decide=lambda by: manual.send_back(receipt.pk, by=by, now=now(), **told),
        spoil=lambda: manual.void_line(StatementLine.objects.get().pk, reason=WHY, by="wambui", now=now()),
    )


def never_went(shop: Shop) -> Ready:
    attempt, now = _paid(shop), shop.clock
    receipt = Receipt.objects.get(attempt=attempt)
    manual.send_back(receipt.pk, amount_kes=1500, reason=WHY, by="otieno", now=now())
    ordered = Reversal.objects.select_related("receipt").get()
    return Ready(
        page=f"/admin/payments/reversal/{ordered.pk}/never-went/",
        form={"reason": WHY},
        moves=False,
        decide=lambda by: manual.say_never_went(ordered.pk, reason=WHY, by=by, now=now()),
        spoil=lambda: reversals.never_went(ordered, words="It ended.", source=Source.CLOCK, now=now()),
    )


def undo(shop: Shop) -> Ready:
    attempt, now = _stuck(shop), shop.clock
    manual.propose_settlement(attempt.pk, SMS, by="otieno", now=now())
    attempt.refresh_from_db()
    return Ready(
        page=_of_payment(attempt, "undo"),
        form={"reason": WHY},
        decide=lambda by: manual.undo_decision(attempt.pk, reason=WHY, by=by, now=now()),
        spoil=lambda: state([row_of(attempt), _reversal(shop, attempt)], now),
    )


def undo_refund(shop: Shop) -> Ready:
    attempt, now = _paid(shop), shop.clock
    manual.record_refund(
        attempt.pk, reference="UKR1AB12CD", amount_kes=1500, reason=WHY, by="otieno", now=now()
    )
    sent = attempt.refunds.get()
    return Ready(
        page=_of_payment(attempt, "undo-refund"),
        form={"reason": WHY},
        decide=lambda by: manual.undo_refund(sent.pk, reason=WHY, by=by, now=now()),
        spoil=lambda: state([row_of(attempt), _reversal(shop, attempt, receipt="UKR1AB12CD")], now),
    )


def refund_beside(shop: Shop) -> Ready:
    receipt, now = _nobodys(shop), shop.clock
    told: dict[str, Any] = {"reference": "UKR1AB12CD", "amount_kes": 1000, "reason": WHY}
    return Ready(
        page=f"/admin/payments/receipt/{receipt.pk}/refund/",
        form={**told, "amount_kes": "1000"},
        decide=lambda by: manual.refund_receipt(receipt.pk, by=by, now=now(), **told),
        spoil=lambda: manual.void_line(StatementLine.objects.get().pk, reason=WHY, by="wambui", now=now()),
    )


def undo_refund_beside(shop: Shop) -> Ready:
    receipt, now = _nobodys(shop), shop.clock
    manual.refund_receipt(
        receipt.pk, reference="UKR1AB12CD", amount_kes=1000, reason=WHY, by="otieno", now=now()
    )
    sent = receipt.refunds.get()
    return Ready(
        page=f"/admin/payments/refund/{sent.pk}/undo/",
        form={"reason": WHY},
        decide=lambda by: manual.undo_refund(sent.pk, reason=WHY, by=by, now=now()),
        spoil=lambda: state([withdrawal(now(), 1000, "UKR1AB12CD")], now),
    )


def void_line(shop: Shop) -> Ready:
    _, now = _nobodys(shop), shop.clock
    line = StatementLine.objects.get()
    return Ready(
        page=f"/admin/payments/statementline/{line.pk}/void/",
        form={"reason": WHY},
        decide=lambda by: manual.void_line(line.pk, reason=WHY, by=by, now=now()),
        spoil=lambda: manual.void_statement(line.statement_id, reason=WHY, by="wambui", now=now()),
    )


def void_file(shop: Shop) -> Ready:
    _, now = _nobodys(shop), shop.clock
    line = StatementLine.objects.get()

    def decide(by: str) -> HandSettlement:
        return manual.void_statement(line.statement_id, reason=WHY, by=by, now=now()).decision

    return Ready(
        page=f"/admin/payments/statement/{line.statement_id}/void/",
        form={"reason": WHY},
        decide=decide,
        spoil=lambda: decide("wambui"),
    )


def _reversal(shop: Shop, attempt: MpesaTransaction, *, receipt: str = "UKN4RV12CD") -> Any:
    from tests.support.payments.stating import reversal

    shop.clock.advance(minutes=1)
    return reversal(shop.clock(), of=attempt.receipt or "UKN4AB12CD", amount=1500, receipt=receipt)


KINDS: Mapping[str, Callable[[Shop], Ready]] = {
    "settle": settle,
    "attach": attach,
    "claim": claim,
    "keep": keep,
    "refund": refund,
    "send_back": send_back,
    "send_back_beside": send_back_beside,
    "never_went": never_went,
    "undo": undo,
    "undo_refund": undo_refund,
    "refund_beside": refund_beside,
    "undo_refund_beside": undo_refund_beside,
    "void_line": void_line,
    "void_file": void_file,
}
