"""Asking a phone to pay: which prompt (if any) is sent, exactly once, and what is noted of it.

The order of things is the point: rules and row are committed, then Daraja is called with no connection held,
then the answer is committed. Nothing here ever sends a second time.
"""

import hashlib
import logging
import secrets
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, IntegrityError, connection, transaction

from orders import selectors as shop
from orders.models import Order
from orders.services import ReferenceTaken, lock_order, order_for_reference
from payments import daraja, gateway
from payments.connections import let_go_of_database
from payments.models import IdempotencyKey, MpesaTransaction
from payments.phones import mask
from payments.services import ledger, reconcile
from payments.services.ledger import Happening, Source
from payments.services.reconcile import Outcome
from payments.states import LIVE, Event, State

log = logging.getLogger(__name__)

PROMPT_LIFE = timedelta(minutes=2)  # after this a prompt is idle and the buyer may want another
UNASKABLE_FOR = timedelta(minutes=5)  # an attempt without an id can't be asked about: wait for its callback
LIMIT_WINDOW = timedelta(minutes=10)
PROMPTS_PER_ORDER = 10  # in LIMIT_WINDOW
DECISIONS = 12  # how often a request may find the ground changed under it

SENT = "STK push sent successfully"


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What the buyer's page asks for. Whole shillings; the phone is in memory only while we push."""

    msisdn: str
    amount_kes: int
    reference: str = ""  # an order's code, or the merchant page's own
    description: str = ""

    def __repr__(self) -> str:
        return f"Ask(amount_kes={self.amount_kes}, reference={self.reference!r})"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The id that the page polls with, and a word to it."""

    poll_id: str
    message: str = SENT


class PushProblem(Exception):  # noqa: N818 — a buyer's problem, not ours
    """No prompt was sent, and the message says to the buyer what to do. `code` is stable."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """A row is committed: send this."""

    attempt: MpesaTransaction
    callback_token: str


@dataclass(frozen=True, kw_only=True)
class _AskFirst:
    """An earlier prompt is idle: ask what became of it before another is sent."""

    attempt: MpesaTransaction
    same_order: bool
    same_phone: bool


def request_payment(ask: Ask, *, clock: Callable[[], datetime], key_id: int | None = None) -> Answer:
    """Sends one prompt, or answers with the one that is under way. Raises PushProblem.

    `key_id` is the Idempotency-Key's row: it learns of the attempt in the same commit.
    """
    asked_about: set[int] = set()
    for _ in range(DECISIONS):
        try:
            found = _open_or_find(ask, now=clock(), key_id=key_id, asked_about=asked_about)
        except IntegrityError:  # another request opened this order in the same instant: decide anew
            continue
        if isinstance(found, Answer):
            return found
        if isinstance(found, _Opened):
            return _send(found, ask, clock=clock)
        if _still_under_way(found, clock=clock) and found.same_phone:
            return Answer(poll_id=_poll_id(found.attempt))
        asked_about.add(found.attempt.id)
    raise PushProblem("There is a payment request open already. Please wait a minute.", code="prompt_open")


# --- which prompt ---------------------------------------------------------------------------------------


def _open_or_find(
    ask: Ask, *, now: datetime, key_id: int | None, asked_about: set[int]
) -> Answer | _Opened | _AskFirst:
    """Every rule about prompts, decided under the phone's and the order's lock, in one transaction."""
    hashes = gateway.phone_hashes(ask.msisdn)
    with transaction.atomic(durable=True):
        _hold_phone(hashes[0])
        order = _known_order(ask)
        if order is not None:
            _refuse_if_paid(order)
            if (live := _live_attempt(order)) is not None:
                return _answer_live(live, hashes, now=now, asked_about=asked_about)
        elsewhere = _prompt_on_phone(ask, order, hashes, now=now, asked_about=asked_about)
        if elsewhere is not None:
            return elsewhere
        _refuse_beyond_limits(order, hashes, now=now)
        order = order or _unpriced_order(ask, now=now)
        return _open(order, ask, hashes[0], now=now, key_id=key_id)


def _hold_phone(phone_hash: str) -> None:
    """Requests for one phone go one after the other, until this transaction ends. (SQLite has one writer anyway.)"""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(phone_hash[:15], 16)])


def _known_order(ask: Ask) -> Order | None:
    """The order this reference names, locked, or None for a reference that is new. Raises PushProblem."""
    order = shop.order_by_code(ask.reference) or shop.order_by_client_reference(ask.reference)
    if order is None:
        return None
    if order.total_kes != ask.amount_kes:
        raise PushProblem(
            f"This order costs KES {order.total_kes:,}, not KES {ask.amount_kes:,}. Reload the page.",
            code="amount_mismatch",
        )
    return lock_order(order.id)


def _refuse_if_paid(order: Order) -> None:
    if order.state == Order.State.PAID:
        raise PushProblem("This order is paid already. There is nothing more to pay.", code="already_paid")
    if MpesaTransaction.objects.filter(order=order, amount_differs=True, state=State.COMPLETED).exists():
        raise PushProblem(
            "We have received money for this order and are checking it. Do not pay again.",
            code="being_checked",
        )


def _live_attempt(order: Order) -> MpesaTransaction | None:
    return MpesaTransaction.objects.filter(order=order, state__in=LIVE).first()


def _answer_live(
    live: MpesaTransaction, hashes: list[str], *, now: datetime, asked_about: set[int]
) -> Answer | _AskFirst:
    """One live attempt per order: a click on it answers with it, unless it is idle and may be replaced."""
    if now - live.created_at >= PROMPT_LIFE and live.id not in asked_about:
        return _AskFirst(attempt=live, same_order=True, same_phone=live.phone_hash in hashes)
    if live.phone_hash in hashes:
        return Answer(poll_id=_poll_id(live))
    raise PushProblem(
        "A payment request for this order is open on another phone. Finish or cancel it there first.",
        code="prompt_open",
    )


def _prompt_on_phone(
    ask: Ask, order: Order | None, hashes: list[str], *, now: datetime, asked_about: set[int]
) -> Answer | _AskFirst | None:
    """One live prompt per phone. The merchant's page makes a new reference at each click: the same phone and
    amount without items is the same click."""
    earlier = (
        MpesaTransaction.objects.filter(phone_hash__in=hashes, created_at__gt=now - ledger.WATCH_FOR)
        .exclude(id__in=asked_about)
        .exclude(state__in=(State.FAILED, State.EXPIRED))
        .select_related("order")
        .order_by("-id")[:PROMPTS_PER_ORDER]
    )
    for attempt in earlier:
        fresh = now - attempt.created_at < PROMPT_LIFE
        live = attempt.state in LIVE
        same_click = order is None and not attempt.order.is_priced and attempt.amount_kes == ask.amount_kes
        if same_click and fresh:
            return Answer(poll_id=_poll_id(attempt))
        if same_click and live:
            return _AskFirst(attempt=attempt, same_order=False, same_phone=True)
        if live and fresh:
            raise PushProblem(
                "There is a payment request open on your phone. Finish or cancel it first, then try again.",
                code="prompt_open",
            )
    return None


def _refuse_beyond_limits(order: Order | None, hashes: list[str], *, now: datetime) -> None:
    """Counted from the ledger itself, so the limits hold across processes."""
    recent = MpesaTransaction.objects.filter(created_at__gt=now - LIMIT_WINDOW).exclude(
        state=State.FAILED,
        checkout_request_id=None,  # refused at once: the phone never rang
    )
    too_many_on_phone = recent.filter(phone_hash__in=hashes).count() >= gateway.prompts_per_phone()
    if too_many_on_phone or (order and recent.filter(order=order).count() >= PROMPTS_PER_ORDER):
        raise PushProblem(
            "Too many payment requests in a short time. Please wait ten minutes and try again.",
            code="too_many_prompts",
        )


def _unpriced_order(ask: Ask, *, now: datetime) -> Order:
    """The order for a reference of the merchant's own page: an amount without items. Raises PushProblem."""
    if gateway.priced_orders_only():
        raise PushProblem("Please start from the shop's cart: this order is not known.", code="order_unknown")
    reference = ask.reference or f"unnamed-{secrets.token_hex(8)}"
    try:
        return order_for_reference(client_reference=reference, amount_kes=ask.amount_kes, now=now)
    except ReferenceTaken as taken:  # another phone was first with it, a moment ago
        raise PushProblem(str(taken), code="amount_mismatch") from taken


def _open(order: Order, ask: Ask, phone_hash: str, *, now: datetime, key_id: int | None) -> _Opened:
    token = secrets.token_hex(24)  # lower-case hex: nothing in the address that Safaricom's check dislikes
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
        description=daraja.transaction_description(ask.description),
        now=now,
    )
    if key_id is not None:
        IdempotencyKey.objects.filter(id=key_id).update(attempt=attempt)
    return _Opened(attempt=attempt, callback_token=token)


def _still_under_way(found: _AskFirst, *, clock: Callable[[], datetime]) -> bool:
    """Asks Daraja about an idle prompt. False: nothing of it is left, another may be sent.

    Its order is freed for that other one; the idle attempt is watched for 24 hours all the same.
    """
    attempt = found.attempt
    if attempt.checkout_request_id is None:
        under_way = clock() - attempt.created_at < UNASKABLE_FOR
    else:
        outcome = reconcile.ask(reconcile.see(attempt.id), clock=clock)
        under_way = outcome in (Outcome.PAID, Outcome.PROCESSING, Outcome.NOT_ASKED)
    if not under_way and found.same_order:
        reconcile.expire(attempt.id, now=clock(), why="Idle; the buyer asked for a new prompt.")
    return under_way


# --- sending it -----------------------------------------------------------------------------------------


def _send(opened: _Opened, ask: Ask, *, clock: Callable[[], datetime]) -> Answer:
    """Calls Daraja, once, and commits what it said. Raises PushProblem where the phone was not asked."""
    attempt = opened.attempt
    let_go_of_database()
    try:
        accepted = gateway.client().push(
            daraja.PushRequest(
                phone=ask.msisdn,
                amount=ask.amount_kes,
                account_reference=attempt.account_reference,
                description=attempt.description,
                callback_url=gateway.callback_url(opened.callback_token),
            )
        )
    except (daraja.PushRefused, daraja.Unreachable) as refused:
        _note_refusal(attempt, refused, ask, now=clock())
        raise _problem(refused) from refused
    except daraja.OutcomeUnknown as lost:
        _try_record(attempt.id, Event.ANSWER_LOST, code=lost.code, description=lost.message, now=clock())
        return Answer(poll_id=attempt.public_id)
    except Exception as bug:  # noqa: BLE001 — a bug in our client is "unknown" too: the phone may be ringing
        log.error("A push failed unforeseen: %s\n%s", type(bug).__name__, _frames(bug))  # noqa: TRY400
        _try_record(attempt.id, Event.ANSWER_LOST, code=type(bug).__name__, now=clock())
        return Answer(poll_id=attempt.public_id)
    noted = _try_record(
        attempt.id,
        Event.ACCEPTED,
        description=accepted.message,
        merchant_request_id=accepted.merchant_request_id,
        checkout_request_id=accepted.checkout_request_id,
        now=clock(),
    )
    return Answer(poll_id=accepted.checkout_request_id if noted else attempt.public_id)


def _frames(error: BaseException) -> str:
    """Where it happened, without the error's own words: they could hold the phone number."""
    return "".join(traceback.format_tb(error.__traceback__))


def _try_record(attempt_id: int, event: Event, *, now: datetime, **told: str) -> bool:
    """Notes what Daraja said. A database that is away can't unsend a prompt: False, and the callback will tell."""
    try:
        ledger.record(attempt_id, Happening(event=event, source=Source.PUSH, **told), now=now)  # type: ignore[arg-type]
    except DatabaseError:
        log.exception("The answer to a push could not be noted")
        return False
    return True


def _note_refusal(attempt: MpesaTransaction, refused: daraja.DarajaError, ask: Ask, *, now: datetime) -> None:
    code = refused.code or type(refused).__name__
    _try_record(attempt.id, Event.REFUSED, code=code, description=refused.message, now=now)
    if isinstance(refused, daraja.SubscriberLocked):  # another prompt is live on this line: find out about it
        for earlier in MpesaTransaction.objects.filter(
            phone_hash__in=gateway.phone_hashes(ask.msisdn), created_at__gt=now - ledger.WATCH_FOR
        ).exclude(id=attempt.id):
            reconcile.hint(earlier.id, now=now)


def _problem(refused: daraja.DarajaError) -> PushProblem:
    """What a refusal means to the buyer. In each of these the phone was not asked."""
    if isinstance(refused, daraja.SubscriberLocked):
        return PushProblem(
            "There is an M-PESA request open on your phone. Finish or cancel it, then try again.",
            code="prompt_open",
        )
    if isinstance(refused, daraja.Busy):
        return PushProblem("M-PESA is busy. Please wait a minute and try again.", code="daraja_busy")
    if isinstance(refused, daraja.Unreachable):
        return PushProblem(
            "M-PESA can't be reached right now. Nothing was charged. Please try again in a minute.",
            code="daraja_unreachable",
        )
    if isinstance(refused, daraja.Misconfigured | daraja.InvalidToken):
        return PushProblem(
            "Payment is unavailable at the moment; we are on it. Nothing was charged.", code="daraja_unusable"
        )
    return PushProblem(
        "M-PESA refused this request. Check the phone number and try again. Nothing was charged.",
        code="daraja_refused",
    )


def token_hash(token: str) -> str:
    """How a callback token is kept: the token itself stands in no row."""
    return hashlib.sha256(token.encode()).hexdigest()


def _poll_id(attempt: MpesaTransaction) -> str:
    return attempt.checkout_request_id or attempt.public_id
