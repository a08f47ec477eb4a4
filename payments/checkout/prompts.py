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
from orders.models import Order, OrderItem
from orders.services import lock_order, place_unpriced_order, release_reference
from payments import daraja, gateway, ledger
from payments.callbacks import new_token, token_hash
from payments.facts import (
    AMOUNT_IN_DOUBT,
    CAME_TO_NOTHING,
    IS_LIVE,
    NEVER_RANG,
    followed_up_at,
    got_nothing,
    has_outlived,
    is_idle,
    is_on_phone,
    is_paid,
    is_part_paid,
    may_be_replaced,
    order_is_over,
    order_is_paid,
    unasked_at,
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


OPEN_ON_PHONE = "There is a payment request open on your phone. Finish or cancel it first, then try again."
NAMED = 2  # so many mixes and receipts are named, and the rest counted
SENT_BACK = "This order was paid, and the money was sent back. To buy again, start from the cart."
TOO_OLD = "This order is too old to be paid. Nothing was charged. Please start again from the cart."


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What the buyer's page asks for. Whole shillings; the phone is in memory only while we push."""

    msisdn: str
    amount_kes: int
    reference: str = ""  # an order's code, or the merchant page's own
    description: str = ""
    again: bool = False  # it is meant as another purchase, though the same was just paid
    has_key: bool = False  # an Idempotency-Key of its own came with it

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
    """An earlier prompt is idle, or came to nothing and is watched: ask what became of it before another is sent."""

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
        order = _named_order(ask.reference)
        if order is not None and _is_given_up(order, ask, now=now):
            release_reference(order)
            order = None
        if order is not None:
            live = _live_attempt(order)
            _refuse_if_over(order)
            if _asked_for(order) != ask.amount_kes:
                return _answer_another_amount(order, ask, live, now=now, asked_about=asked_about)
            _refuse_if_paid(order)
            if live is not None:
                return _answer_live(live, hashes, now=now, asked_about=asked_about)
            if (renewal := out_of_date(order, now=now)) is not None:
                raise renewal
            if (unasked := _unasked_attempt(order, now=now, asked_about=asked_about)) is not None:
                return AskFirst(attempt=unasked, same_order=True, same_phone=unasked.phone_hash in hashes)
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


def _named_order(reference: str) -> Order | None:
    """The order this reference names, locked, or None for a reference that is new."""
    order_id = shop.id_of_order(reference)
    while order_id is not None:
        order = lock_order(order_id)
        if order.is_priced or order.client_reference == reference:
            return order
        # named by its code; or it gave its reference up while we waited for the lock
        if (order_id := shop.id_of_order(reference)) == order.id:
            return order
    return None


def _is_given_up(order: Order, ask: Ask, *, now: datetime) -> bool:
    """The merchant's page asks anew, and for another amount or after the order's life, under a reference for which
    nothing came and nothing is on its way. A priced order is never given up: its price is ours."""
    is_the_pages_own = not order.is_priced and order.client_reference == ask.reference
    is_asked_anew = order.total_kes != ask.amount_kes or has_outlived(
        order, life=gateway.order_life(), now=now
    )
    return (
        is_the_pages_own
        and is_asked_anew
        and got_nothing(order)
        and not ledger.is_kept_open(order.id, now=now)
    )


def _answer_another_amount(
    order: Order, ask: Ask, live: MpesaTransaction | None, *, now: datetime, asked_about: set[int]
) -> AskFirst:
    """Nothing is sent for another amount than the order's. Raises PushProblem, save where the page named it, and only
    an idle prompt stands in the way of its asking anew."""
    is_free = not order.is_priced and live is not None and is_idle(live, now=now)
    if is_free and live is not None and not may_be_replaced(live, asked_about=asked_about, now=now):
        return AskFirst(attempt=live, same_order=True, same_phone=False)
    raise PushProblem(_other_amount(order, ask.amount_kes), code="amount_mismatch")


def out_of_date(order: Order, *, now: datetime) -> PushProblem | None:
    """Too old, or its prices are not today's: the buyer starts again from the cart, and is told so before paying. An
    order that a part was paid for keeps its price. None: it can be asked for."""
    if order_is_over(order):
        return PushProblem(SENT_BACK, code="order_refunded")
    if ledger.has_ended(order, now=now):
        return PushProblem(TOO_OLD, code="order_ended")
    if order.is_priced and got_nothing(order) and (changed := shop.changed_items(order)):
        return PushProblem(_price_words(changed[0]), code="price_changed")
    return None


def _price_words(item: OrderItem) -> str:
    """Of an item that can't be had at its order's price today."""
    mix = item.mix
    now = (
        f"costs KES {mix.price_kes:,} now, not KES {item.price_kes:,}" if mix.on_sale else "is no longer sold"
    )
    return f"“{mix.title}” {now}. Nothing was charged. Please start again from the cart."


def _asked_for(order: Order) -> int:
    """What a request for it must name. (One that is paid is refused as paid, where it names its price.)"""
    return order.total_kes if order_is_paid(order) else order.to_pay_kes


def _other_amount(order: Order, asked_kes: int) -> str:
    if is_part_paid(order):
        return (
            f"KES {order.to_pay_kes:,} are still to pay for this order of KES {order.total_kes:,}, not KES "
            f"{asked_kes:,}. Reload the page."
        )
    return f"This order costs KES {order.total_kes:,}, not KES {asked_kes:,}. Reload the page."


def _refuse_if_over(order: Order) -> None:
    if order_is_over(order):
        raise PushProblem(SENT_BACK, code="order_refunded")


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


def _unasked_attempt(order: Order, *, now: datetime, asked_about: set[int]) -> MpesaTransaction | None:
    """One that came to nothing and may be paid all the same: there is one more question before another is sent."""
    unasked = MpesaTransaction.objects.filter(unasked_at(now), order=order).exclude(id__in=asked_about)
    return unasked.order_by("-id").first()


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


def means_another(ask: Ask, earlier: MpesaTransaction) -> bool:
    """Whoever asks wants to buy the same once more. For mixes that has to be said: our own page sends a key with each
    press. A page that names an amount says it by a key of its own too."""
    return ask.again or (ask.has_key and not earlier.order.is_priced)


def _prompt_on_phone(
    ask: Ask, order: Order | None, hashes: list[str], *, now: datetime, asked_about: set[int]
) -> Answer | AskFirst | None:
    """One live prompt per phone. The merchant's page makes a new reference at each click: the same phone and
    amount without items is the same click while it is live. Once it is paid, another is another purchase. An order
    for mixes that this phone has paid for within a day is asked back too."""
    earlier = list(
        MpesaTransaction.objects.filter(followed_up_at(now), phone_hash__in=hashes)
        .exclude(id__in=asked_about)
        .filter(~CAME_TO_NOTHING | unasked_at(now))
        .select_related("order")
        .order_by("-id")[:PROMPTS_PER_ORDER]
    )
    if order is not None and order.is_priced:
        return _same_mixes_on_phone(ask, order, earlier, now=now)
    for attempt in earlier:
        same_click = order is None and not attempt.order.is_priced and attempt.amount_kes == ask.amount_kes
        if same_click and is_on_phone(attempt, now=now):
            return Answer(poll_id=poll_id_of(attempt), prompt=Prompt.SAME)
        if (
            same_click
            and is_paid(attempt)
            and not is_idle(attempt, now=now)
            and not means_another(ask, attempt)
        ):
            raise just_paid(attempt)
        if same_click and not is_paid(attempt):  # silent, or watched: it may be paid all the same
            return AskFirst(attempt=attempt, same_order=False, same_phone=True)
        if is_on_phone(attempt, now=now):
            raise PushProblem(OPEN_ON_PHONE, code="prompt_open")
    return None


def _same_mixes_on_phone(
    ask: Ask, order: Order, earlier: list[MpesaTransaction], *, now: datetime
) -> AskFirst | None:
    """The same cart, ordered once more in another browser, is not bought twice by mistake: while an earlier request for
    it may have been paid we ask Safaricom, and once it is paid we ask the buyer."""
    if any(is_on_phone(attempt, now=now) for attempt in earlier):
        raise PushProblem(OPEN_ON_PHONE, code="prompt_open")
    priced = [attempt for attempt in earlier if attempt.order.is_priced and attempt.order_id != order.id]
    if not priced:
        return None
    titles = shop.titles_of({order.id, *(attempt.order_id for attempt in priced)})
    wanted = titles[order.id]
    for attempt in priced:
        if not is_paid(attempt) and titles[attempt.order_id].keys() == wanted.keys():
            return AskFirst(attempt=attempt, same_order=False, same_phone=True)
    paid = [each for each in priced if is_paid(each) and order_is_paid(each.order)]
    having = [each for each in paid if wanted.keys() & titles[each.order_id].keys()]
    bought = {mix for attempt in having for mix in titles[attempt.order_id]}
    if not ask.again and wanted.keys() <= bought:
        raise bought_already(list(wanted.values()), having)
    return None


def bought_already(titles: list[str], paid: list[MpesaTransaction]) -> PushProblem:
    """This phone paid for these mixes within a day: whoever asks again is asked back, so that nobody buys them twice by
    mistake."""
    more = f" and {len(titles) - NAMED} more" if len(titles) > NAMED else ""
    named = ", ".join(f"“{title}”" for title in titles[:NAMED]) + more
    money = ", ".join(
        f"KES {each.amount_kes:,}" + (f", receipt {each.receipt}" if each.receipt else "")
        for each in paid[:NAMED]
    )
    return PushProblem(
        f"You paid for {named} from this phone within the last day: {money}. No request was sent now. Pay once more "
        "only if you want to buy the same again.",
        code="just_paid",
    )


def just_paid(attempt: MpesaTransaction) -> PushProblem:
    """The same was paid from this phone a moment ago: whoever asks again is asked back, so that nobody pays twice."""
    if attempt.order.is_priced:
        return bought_already([item.title for item in shop.items_of(attempt.order)], [attempt])
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
        order_total_kes=order.total_kes,
        now=now,
    )
    if key_id is not None:
        IdempotencyKey.objects.filter(id=key_id).update(attempt=attempt)
    return Opened(attempt=attempt, callback_token=token)


def poll_id_of(attempt: MpesaTransaction) -> str:
    """Daraja's id once known, until then our own: both can be polled."""
    return attempt.checkout_request_id or attempt.public_id
