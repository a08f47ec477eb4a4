"""Which prompt a request comes to: a new one, the one under way, or none. Calls nobody.

Every rule about prompts stands here, decided in one transaction under the phone's and the order's lock.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection, transaction

from djkraph import sql
from orders import selectors as shop
from orders.models import Order
from orders.services import lock_order, place_unpriced_order
from payments import daraja, gateway, ledger
from payments.callbacks import new_token, token_hash
from payments.facts import (
    AMOUNT_IN_DOUBT,
    CAME_TO_NOTHING,
    IS_LIVE,
    NEVER_RANG,
    followed_up_at,
    is_idle,
    is_live,
    is_on_phone,
    is_paid,
    is_part_paid,
    may_be_replaced,
    order_is_over,
    order_is_paid,
)
from payments.models import IdempotencyKey, MpesaTransaction
from payments.phones import blank_phones, mask

LIMIT_WINDOW = timedelta(minutes=10)
PROMPTS_PER_ORDER = 10  # in LIMIT_WINDOW


class Prompt(StrEnum):
    """What this very call did to the phone."""

    SENT = "sent"  # it rings
    SAME = "same"  # a prompt was under way already, and nothing was sent
    UNKNOWN = "unknown"  # Safaricom's answer was lost


WORDS = {
    Prompt.SENT: "STK push sent successfully",
    Prompt.SAME: "A payment request is under way on your phone already. Enter your M-PESA PIN there.",
    Prompt.UNKNOWN: "We don't know yet whether your phone was asked. If M-PESA asks for your PIN, enter it. Do not pay "
    "a second time: we are checking.",
}


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What the buyer's page asks for. Whole shillings; the phone is in memory only while we push."""

    msisdn: str
    amount_kes: int
    reference: str = ""  # an order's code, or the merchant page's own
    description: str = ""
    again: bool = False  # it is meant as another purchase, though the same was just paid

    def __repr__(self) -> str:
        return f"Ask(amount_kes={self.amount_kes}, reference={self.reference!r})"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The id that the page polls with, and what was done."""

    poll_id: str
    prompt: Prompt

    @property
    def message(self) -> str:
        return WORDS[self.prompt]


class PushProblem(Exception):
    """No prompt was sent, and the message says to the buyer what to do. `code` is stable; `retry_after`: seconds until
    trying again makes sense, None where time alone changes nothing."""

    def __init__(self, message: str, *, code: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A row is committed: send this."""

    attempt: MpesaTransaction
    callback_token: str


@dataclass(frozen=True, kw_only=True)
class AskFirst:
    """An earlier prompt is idle: ask what became of it before another is sent."""

    attempt: MpesaTransaction
    same_order: bool
    same_phone: bool


def open_or_find(
    ask: Ask, *, now: datetime, key_id: int | None, asked_about: set[int]
) -> Answer | Opened | AskFirst:
    """Every rule about prompts, decided under the phone's and the order's lock, in one transaction."""
    hashes = gateway.phone_hashes(ask.msisdn)
    with transaction.atomic(durable=True):
        _hold_phone(hashes)
        order = _known_order(ask)
        if order is not None:
            _refuse_if_paid(order)
            if (live := _live_attempt(order)) is not None:
                return _answer_live(live, hashes, now=now, asked_about=asked_about)
        if _was_asked_before(hashes):
            elsewhere = _prompt_on_phone(ask, order, hashes, now=now, asked_about=asked_about)
            if elsewhere is not None:
                return elsewhere
            _refuse_beyond_limits(order, hashes, now=now)
        elif order is not None:
            _refuse_beyond_limits(order, hashes, now=now)
        order = order or _unpriced_order(ask, now=now)
        ledger.join_phone(hashes)
        return _open(order, ask, hashes[0], now=now, key_id=key_id)


def _hold_phone(hashes: list[str]) -> None:
    """Requests for one phone go one after the other, until this transaction ends. (SQLite has one writer anyway.)

    Held under each live key: while a key is rotated, not all processes have the same one first.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for phone_hash in sorted(hashes):
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(phone_hash[:15], 16)])


def _known_order(ask: Ask) -> Order | None:
    """The order this reference names, locked, or None for a reference that is new. Raises PushProblem."""
    order_id = shop.id_of_order(ask.reference)
    if order_id is None:
        return None
    order = lock_order(order_id)
    _refuse_if_over(order)
    wanted = order.total_kes if order_is_paid(order) else order.to_pay_kes
    if wanted != ask.amount_kes:
        raise PushProblem(_other_amount(order, ask.amount_kes), code="amount_mismatch")
    return order


def _other_amount(order: Order, asked_kes: int) -> str:
    if is_part_paid(order):
        return (
            f"KES {order.to_pay_kes:,} are still to pay for this order of KES {order.total_kes:,}, not KES "
            f"{asked_kes:,}. Reload the page."
        )
    return f"This order costs KES {order.total_kes:,}, not KES {asked_kes:,}. Reload the page."


def _refuse_if_over(order: Order) -> None:
    if order_is_over(order):
        raise PushProblem(
            "This order was paid, and the money was sent back. To buy again, start from the cart.",
            code="order_refunded",
        )


def _refuse_if_paid(order: Order) -> None:
    if order_is_paid(order):
        raise PushProblem("This order is paid already. There is nothing more to pay.", code="already_paid")
    if MpesaTransaction.objects.filter(AMOUNT_IN_DOUBT, order=order).exists():
        raise PushProblem(
            "We have received money for this order and are checking it. Do not pay again.",
            code="being_checked",
        )


def _live_attempt(order: Order) -> MpesaTransaction | None:
    return MpesaTransaction.objects.filter(IS_LIVE, order=order).first()


def _answer_live(
    live: MpesaTransaction, hashes: list[str], *, now: datetime, asked_about: set[int]
) -> Answer | AskFirst:
    """One live attempt per order: a click on it answers with it, unless it is idle and may be replaced."""
    if is_idle(live, now=now) and not may_be_replaced(live, asked_about=asked_about, now=now):
        return AskFirst(attempt=live, same_order=True, same_phone=live.phone_hash in hashes)
    if live.phone_hash in hashes:
        return Answer(poll_id=poll_id_of(live), prompt=Prompt.SAME)
    raise PushProblem(
        "A payment request for this order is open on another phone. Finish or cancel it there first.",
        code="prompt_open",
    )


def _was_asked_before(hashes: list[str]) -> bool:
    """Most phones are new to the shop: one small question saves the two that cost most (docs/performance.md)."""
    return any(sql.select_id(MpesaTransaction, {"phone_hash": each}) for each in hashes)


def _prompt_on_phone(
    ask: Ask, order: Order | None, hashes: list[str], *, now: datetime, asked_about: set[int]
) -> Answer | AskFirst | None:
    """One live prompt per phone. The merchant's page makes a new reference at each click: the same phone and
    amount without items is the same click while it is live. Once it is paid, another is another purchase."""
    earlier = (
        MpesaTransaction.objects.filter(followed_up_at(now), phone_hash__in=hashes)
        .exclude(id__in=asked_about)
        .exclude(CAME_TO_NOTHING)
        .select_related("order")
        .order_by("-id")[:PROMPTS_PER_ORDER]
    )
    for attempt in earlier:
        same_click = order is None and not attempt.order.is_priced and attempt.amount_kes == ask.amount_kes
        if same_click and is_on_phone(attempt, now=now):
            return Answer(poll_id=poll_id_of(attempt), prompt=Prompt.SAME)
        if same_click and is_paid(attempt) and not is_idle(attempt, now=now) and not ask.again:
            raise just_paid(attempt)
        if same_click and is_live(attempt):
            return AskFirst(attempt=attempt, same_order=False, same_phone=True)
        if is_on_phone(attempt, now=now):
            raise PushProblem(
                "There is a payment request open on your phone. Finish or cancel it first, then try again.",
                code="prompt_open",
            )
    return None


def just_paid(attempt: MpesaTransaction) -> PushProblem:
    """The same was paid from this phone a moment ago: whoever asks again is asked back, so that nobody pays twice."""
    receipt = f", receipt {attempt.receipt}" if attempt.receipt else ""
    return PushProblem(
        f"KES {attempt.amount_kes:,} was just paid from this phone{receipt}. If you want to buy once more, wait two "
        "minutes and press pay again.",
        code="just_paid",
    )


def _refuse_beyond_limits(order: Order | None, hashes: list[str], *, now: datetime) -> None:
    """Counted from the ledger itself, so the limits hold across processes."""
    recent = MpesaTransaction.objects.filter(created_at__gt=now - LIMIT_WINDOW).exclude(NEVER_RANG)
    too_many_on_phone = recent.filter(phone_hash__in=hashes).count() >= gateway.prompts_per_phone()
    if too_many_on_phone or (order and recent.filter(order=order).count() >= PROMPTS_PER_ORDER):
        raise PushProblem(
            "Too many payment requests in a short time. Please wait ten minutes and try again.",
            code="too_many_prompts",
        )


def _unpriced_order(ask: Ask, *, now: datetime) -> Order:
    """A new order for a reference of the merchant's own page: an amount without items. Raises PushProblem, and
    IntegrityError where another phone was first with this reference, a moment ago."""
    if gateway.priced_orders_only():
        raise PushProblem("Please start from the shop's cart: this order is not known.", code="order_unknown")
    reference = ask.reference or f"unnamed-{secrets.token_hex(8)}"
    return place_unpriced_order(client_reference=reference, amount_kes=ask.amount_kes, now=now)


def _open(order: Order, ask: Ask, phone_hash: str, *, now: datetime, key_id: int | None) -> Opened:
    token = new_token()
    merchant = gateway.merchant()
    attempt = ledger.open_attempt(
        order_id=order.id,
        amount_kes=ask.amount_kes,
        msisdn_masked=mask(ask.msisdn),
        msisdn_hash=phone_hash,
        callback_token_hash=token_hash(token),
        channel=merchant.transaction_type.value,
        short_code=merchant.short_code,
        account_reference=daraja.account_reference(order.code),
        description=daraja.transaction_description(blank_phones(ask.description)),
        unpriced=not order.is_priced,
        now=now,
    )
    if key_id is not None:
        IdempotencyKey.objects.filter(id=key_id).update(attempt=attempt)
    return Opened(attempt=attempt, callback_token=token)


def poll_id_of(attempt: MpesaTransaction) -> str:
    """Daraja's id once known, until then our own: both can be polled."""
    return attempt.checkout_request_id or attempt.public_id
