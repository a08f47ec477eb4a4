"""Where a buyer's money is, told to whoever can name the order's code, an M-PESA code of its money, or a phone number:
as the ledger has it, with the one right next step. Who names an M-PESA code has paid, and is led to the order; the
order's code, which others see too, and a phone number open nothing."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from orders import selectors as shop
from orders.codes import codes_meant
from orders.models import Order
from payments import gateway
from payments.checkout.prompts import poll_id_of
from payments.checkout.status import live_attempt, paying_attempt, payment_status_now, watched_attempt
from payments.facts import IS_LIVE, is_part_paid, order_is_over, order_is_paid
from payments.ledger import CENTS, ORDER, has_ended
from payments.models import MpesaTransaction, Receipt
from payments.phones import NotAPhone, read_msisdn
from payments.states import Public

NAIROBI = ZoneInfo("Africa/Nairobi")
LONGEST = 400  # letters of what may be typed: a whole SMS
RECEIPT = re.compile(r"\b(?=[A-Z]*\d)[A-Z][A-Z0-9]{9}\b", re.ASCII)

Clock = Callable[[], datetime]


class Next(Enum):
    """What its buyer does now."""

    DOWNLOAD = "download"
    FIND = "find"  # its page is found with an M-PESA code too
    WAIT = "wait"
    PAY_REST = "pay_rest"
    PAY = "pay"
    REFUND_COMES = "refund_comes"
    WAS_REFUNDED = "was_refunded"
    WRITE = "write"
    LOOK_AT_PHONE = "look_at_phone"
    NOTHING_HERE = "nothing_here"
    NOT_KNOWN = "not_known"


@dataclass(frozen=True, kw_only=True)
class Story:
    """`told`: sentences, the oldest first. `token`: of the order, where its page may be opened."""

    next: Next
    told: list[str] = field(default_factory=list)
    code: str = ""
    token: str = ""
    to_pay_kes: int = 0


def where_is(typed: str, *, clock: Clock) -> Story:
    """Asks Safaricom where its answer is overdue, as a buyer's page would."""
    text = " ".join(typed[:LONGEST].replace("\x00", " ").split())
    for code in RECEIPT.findall(text.upper()):
        if (receipt := Receipt.objects.filter(code=code, voided_at=None).first()) is not None:
            return _of_receipt(receipt, clock)
        if (attempt := MpesaTransaction.objects.filter(receipt=code).first()) is not None:
            return _of_order(attempt.order, clock, knows_receipt=True)
    known = list(shop.codes_known(codes_meant(text)))
    if len(known) == 1:
        return _of_order(Order.objects.get(code=known[0]), clock, knows_receipt=False)
    try:
        return _of_phone(read_msisdn(text))
    except NotAPhone:
        return Story(next=Next.NOT_KNOWN)


def _of_phone(msisdn: str) -> Story:
    """Whether something is under way: no amount, no order, nothing of what was."""
    hashes = gateway.phone_hashes(msisdn)
    under_way = MpesaTransaction.objects.filter(IS_LIVE, phone_hash__in=hashes).exists()
    return Story(next=Next.LOOK_AT_PHONE if under_way else Next.NOTHING_HERE)


def _of_receipt(receipt: Receipt, clock: Clock) -> Story:
    of_order = receipt.postings.filter(credit__startswith=ORDER, mended_by=None).order_by("-id").first()
    code = of_order.credit.removeprefix(ORDER) if of_order else ""
    order = Order.objects.filter(code=code).first()
    if order is None and receipt.attempt is not None:
        order = receipt.attempt.order
    came = f"{_kes(receipt.amount_cents)} came by M-PESA{_at(receipt.happened_at)}, receipt {receipt.code}."
    if receipt.unclaimed_cents:
        return Story(next=Next.WRITE, told=[came, "We have it, and don’t know yet what it is for."])
    if receipt.due_cents:
        return Story(
            next=Next.REFUND_COMES,
            told=[came, f"{_kes(receipt.due_cents)} of it are to be sent back to you."],
        )
    if order is None:
        return Story(next=Next.WAS_REFUNDED, told=[came, "It is with no order any more."])
    return _of_order(order, clock, knows_receipt=True, told=[came])


def _of_order(order: Order, clock: Clock, *, knows_receipt: bool, told: list[str] | None = None) -> Story:
    attempt = live_attempt(order.id) or watched_attempt(order.id)
    status = payment_status_now(poll_id_of(attempt), clock=clock) if attempt is not None else None
    order.refresh_from_db()
    sentences = [*(told or []), *_asked(attempt)]
    facts: dict[str, Any] = {
        "code": order.code,
        "token": order.token if knows_receipt else "",
        "to_pay_kes": order.to_pay_kes,
    }
    if order_is_paid(order):
        paid_at = _at(((paying := paying_attempt(order.id)) and paying.paid_at) or order.paid_at)
        sentences.append(f"The order {order.code} was paid{paid_at}.")
        return Story(next=Next.DOWNLOAD if knows_receipt else Next.FIND, told=sentences, **facts)
    if order_is_over(order):
        return Story(next=Next.WAS_REFUNDED, told=[*sentences, "All of its money was sent back."], **facts)
    if is_part_paid(order):
        sentences.append(f"{_kes(order.sums.has)} of {_kes(order.sums.total)} are in.")
        return Story(next=Next.PAY_REST, told=sentences, **facts)
    if status is not None and (status.status is Public.PENDING or status.is_watched):
        return Story(next=Next.WAIT, told=[*sentences, status.message], **facts)
    over = has_ended(order, now=clock())
    sentences.append("No payment of it has reached us.")
    return Story(next=Next.WRITE if over else Next.PAY, told=sentences, **facts)


def _asked(attempt: MpesaTransaction | None) -> list[str]:
    if attempt is None:
        return []
    attempt.refresh_from_db()
    told = [f"We sent a request to the phone{_at(attempt.created_at)}."]
    if attempt.last_check_at:
        told.append(f"We asked Safaricom about it{_at(attempt.last_check_at)}.")
    return told


def _kes(cents: int) -> str:
    return f"KES {cents / CENTS:,.2f}".removesuffix(".00")


def _at(moment: datetime | None) -> str:
    return f" on {moment.astimezone(NAIROBI):%-d %B at %H:%M}" if moment else ""
