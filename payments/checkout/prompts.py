"""Which prompt a request comes to: a new one, the one under way, or none. Which order it names, wanted.py says. Calls
nobody.

Every rule about prompts stands here, decided in one transaction under the phone's and the order's lock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection, transaction

from djkraph import sql
from orders import selectors as shop
from orders.models import Order
from orders.services import release_reference
from payments import daraja, gateway, ledger
from payments.checkout import wanted
from payments.checkout.problems import PushProblem, Why
from payments.checkout.wanted import Ask
from payments.facts import (
    CAME_TO_NOTHING,
    IS_LIVE,
    IS_PAID,
    NEVER_RANG,
    followed_up_at,
    is_idle,
    is_on_phone,
    is_paid,
    may_be_replaced,
    order_is_paid,
    unasked_at,
)
from payments.gateway import new_token, token_hash
from payments.models import IdempotencyKey, MpesaTransaction, StoppedPhone
from payments.phones import blank_phones, mask

LIMIT_WINDOW = timedelta(minutes=10)
PROMPTS_PER_ORDER = 10  # in LIMIT_WINDOW
DAY = timedelta(days=1)


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


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The id that the page polls with, and what was done."""

    poll_id: str
    prompt: Prompt

    @property
    def message(self) -> str:
        return WORDS[self.prompt]


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
        _refuse_stopped(hashes)
        order = wanted.named_order(ask.reference)
        if order is not None and wanted.is_given_up(order, ask, now=now):
            release_reference(order)
            order = None
        if order is not None:
            live = _live_attempt(order)
            wanted.refuse_if_over(order)
            if wanted.asked_for(order) != ask.amount_kes:
                return _answer_another_amount(order, ask, live, now=now, asked_about=asked_about)
            wanted.refuse_if_paid(order)
            if live is not None:
                return _answer_live(live, hashes, now=now, asked_about=asked_about)
            if (renewal := wanted.out_of_date(order, now=now)) is not None:
                raise renewal
            if (unasked := _unasked_attempt(order, now=now, asked_about=asked_about)) is not None:
                return AskFirst(attempt=unasked, same_order=True, same_phone=unasked.phone_hash in hashes)
        if _was_asked_before(hashes):
            elsewhere = _prompt_on_phone(ask, order, hashes, now=now, asked_about=asked_about)
            if elsewhere is not None:
                return elsewhere
            _refuse_beyond_limits(order, hashes, now=now)
            _refuse_beyond_day(hashes, now=now)
        elif order is not None:
            _refuse_beyond_limits(order, hashes, now=now)
        order = order or wanted.unpriced_order(ask, now=now)
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


def _answer_another_amount(
    order: Order, ask: Ask, live: MpesaTransaction | None, *, now: datetime, asked_about: set[int]
) -> AskFirst:
    """Nothing is sent for another amount than the order's. Raises PushProblem, save where the page named it, and only
    an idle prompt stands in the way of its asking anew."""
    is_free = not order.is_priced and live is not None and is_idle(live, now=now)
    if is_free and live is not None and not may_be_replaced(live, asked_about=asked_about, now=now):
        return AskFirst(attempt=live, same_order=True, same_phone=False)
    raise PushProblem(wanted.other_amount(order, ask.amount_kes), code=Why.AMOUNT_MISMATCH)


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
        code=Why.PROMPT_OPEN,
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
            raise wanted.just_paid(attempt)
        if same_click and not is_paid(attempt):  # silent, or watched: it may be paid all the same
            return AskFirst(attempt=attempt, same_order=False, same_phone=True)
        if is_on_phone(attempt, now=now):
            raise PushProblem(OPEN_ON_PHONE, code=Why.PROMPT_OPEN)
    return None


def _same_mixes_on_phone(
    ask: Ask, order: Order, earlier: list[MpesaTransaction], *, now: datetime
) -> AskFirst | None:
    """The same cart, ordered once more in another browser, is not bought twice by mistake: while an earlier request for
    it may have been paid we ask Safaricom, and once it is paid we ask the buyer."""
    if any(is_on_phone(attempt, now=now) for attempt in earlier):
        raise PushProblem(OPEN_ON_PHONE, code=Why.PROMPT_OPEN)
    priced = [attempt for attempt in earlier if attempt.order.is_priced and attempt.order_id != order.id]
    if not priced:
        return None
    titles = shop.titles_of({order.id, *(attempt.order_id for attempt in priced)})
    asked_for = titles[order.id]
    for attempt in priced:
        if not is_paid(attempt) and titles[attempt.order_id].keys() == asked_for.keys():
            return AskFirst(attempt=attempt, same_order=False, same_phone=True)
    paid = [each for each in priced if is_paid(each) and order_is_paid(each.order)]
    having = [each for each in paid if asked_for.keys() & titles[each.order_id].keys()]
    bought = {mix for attempt in having for mix in titles[attempt.order_id]}
    if not ask.again and asked_for.keys() <= bought:
        raise wanted.bought_already(list(asked_for.values()), having)
    return None


def _refuse_beyond_limits(order: Order | None, hashes: list[str], *, now: datetime) -> None:
    """Counted from the ledger itself, so the limits hold across processes."""
    recent = MpesaTransaction.objects.filter(created_at__gt=now - LIMIT_WINDOW).exclude(NEVER_RANG)
    too_many_on_phone = recent.filter(phone_hash__in=hashes).count() >= gateway.prompts_per_phone()
    if too_many_on_phone or (order and recent.filter(order=order).count() >= PROMPTS_PER_ORDER):
        raise PushProblem(
            "Too many payment requests in a short time. Please wait ten minutes and try again.",
            code=Why.TOO_MANY_PROMPTS,
        )


def _refuse_beyond_day(hashes: list[str], *, now: datetime) -> None:
    """Whoever is asked all day for what they never pay did not ask for it themselves, or must talk to the shop."""
    lately = MpesaTransaction.objects.filter(phone_hash__in=hashes, created_at__gt=now - DAY)
    bought = lately.filter(IS_PAID).values("order_id")
    if lately.exclude(NEVER_RANG).exclude(order__in=bought).count() >= gateway.unpaid_prompts_a_day():
        raise PushProblem(
            "This phone was asked to pay many times today, and did not. Try again tomorrow, or write to the shop.",
            code=Why.TOO_MANY_PROMPTS,
        )


def _refuse_stopped(hashes: list[str]) -> None:
    """The phone's owner has told the shop to ask no more."""
    if any(sql.select_id(StoppedPhone, {"phone_hash": each}) for each in hashes):
        raise PushProblem(
            "The owner of this phone asked the shop to send it no payment requests. Use another phone, or write to the "
            "shop.",
            code=Why.PHONE_STOPPED,
        )


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
        opened_from=ask.opened_from,
        order_total_kes=order.total_kes,
        now=now,
    )
    if key_id is not None:
        IdempotencyKey.objects.filter(id=key_id).update(attempt=attempt)
    return Opened(attempt=attempt, callback_token=token)


def poll_id_of(attempt: MpesaTransaction) -> str:
    """Daraja's id once known, until then our own: both can be polled."""
    return attempt.checkout_request_id or attempt.public_id
