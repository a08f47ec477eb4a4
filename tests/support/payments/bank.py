"""Safaricom as it really is, for the state machine: which phones rang, who paid, and what was said of it to whom.

It never lies. It may be slow, silent, busy or cut off, it may say 1037 before the money comes all the same, and what
it says by callback may be lost. Whatever the shop does to it that no shop may do is written down in `broken`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orders.models import Order
from payments import daraja
from payments.daraja import PushAccepted, QueryAnswer, Verdict
from payments.daraja.query_reply import read_query
from payments.daraja.replies import Reply
from payments.gateway import token_hash
from payments.models import MpesaTransaction
from payments.states import LIVE
from tests.support.payments.clock import Clock

PROMPT_LIFE = timedelta(seconds=90)  # then it leaves the phone by itself, with 1037
IDLE = timedelta(minutes=2)
UNASKABLE = timedelta(minutes=5)
DAY = timedelta(hours=24)
THREE_DAYS = timedelta(hours=72)

PAID, INSUFFICIENT, CANCELLED, NO_ANSWER, UNLISTED = "0", "1", "1032", "1037", "7777"
FINAL = (INSUFFICIENT, CANCELLED, NO_ANSWER)


class Killed(BaseException):
    """The process dies here: nothing after this line happens."""


@dataclass(kw_only=True)
class Letter:
    """A callback on its way, or delivered; it may come again."""

    code: str
    body: bytes
    delivered: bool = False
    lost: bool = False


@dataclass(kw_only=True)
class Prompt:
    """A prompt that rang. `code` None: it is open, or (`hanging`) the PIN is typed and the bank is slow."""

    checkout_id: str
    phone: str
    amount: int
    rang_at: datetime
    hanging: bool = False
    code: str | None = None
    receipt: str | None = None
    paid_at: datetime | None = None
    letters: list[Letter] = field(default_factory=list)

    @property
    def rings(self) -> bool:
        return self.code is None and not self.hanging

    @property
    def paid(self) -> bool:
        return self.code == PAID


@dataclass(kw_only=True)
class Push:
    """One call of push: its attempt, what came of it, and what the shop has been told since."""

    attempt_id: int
    order_id: int
    token: str
    phone: str
    amount: int
    priced: bool
    made_at: datetime
    refused: bool = False
    prompt: Prompt | None = None
    told: set[str] = field(default_factory=set)  # final codes, by callback or query
    receipt_told: bool = False  # by a callback
    asked: list[tuple[datetime, QueryAnswer]] = field(default_factory=list)
    amount_in_doubt: bool = False  # a callback on its address named another amount
    named_at: datetime | None = None  # since when the shop has kept its CheckoutRequestID

    def is_like(self, other: "Push") -> bool:
        """The merchant's page makes a new reference at each click: same phone, same amount, nothing of ours in it."""
        return not (self.priced or other.priced) and (self.phone, self.amount) == (other.phone, other.amount)

    @property
    def named(self) -> bool:
        return self.named_at is not None

    @property
    def charged(self) -> bool:
        return self.prompt is not None and self.prompt.paid


REFUSALS: dict[str, Callable[[], daraja.DarajaError]] = {
    "refused": lambda: daraja.Refused("Bad Request - Invalid PhoneNumber", code="400.002.02"),
    "locked": lambda: daraja.SubscriberLocked("Unable to lock subscriber", code="500.001.1001"),
    "busy": lambda: daraja.Busy("Spike arrest violation"),
    "misconfigured": lambda: daraja.Misconfigured("Wrong credentials", code="500.001.1001"),
    "unreachable": lambda: daraja.Unreachable("The line is down."),
}
# what becomes of a push: does the phone ring, and what does the shop hear
HEARD: dict[str, Callable[[], BaseException] | None] = {
    "accepted": None,
    "answer lost": lambda: daraja.OutcomeUnknown("read timeout"),
    "bug": lambda: RuntimeError("a bug in our client"),
    "killed": Killed,
}
SILENT = {"lost": HEARD["answer lost"], "dies": HEARD["killed"]}  # the phone doesn't ring
PUSH_WAYS = (*HEARD, *(f"silent, {way}" for way in SILENT), *REFUSALS)

ENDED_FORMS = ("truth", "no answer", "form D", "429", "page", "drop", "another's")
FLIGHT_FORMS = ("A", "B", "C", "D")


class Bank:
    """Takes the place of DarajaClient."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.pushes: list[Push] = []
        self.queries = 0
        self.broken: list[str] = []
        self.way = "accepted"  # of the next push
        self.takes = 0.0  # seconds the next push takes before the phone rings
        self.meanwhile: Callable[[Push], Any] = lambda _push: None  # while the next push is under way
        self.ended_form = "truth"
        self.flight_form = "A"
        self.shop_is_deaf = False  # its database takes no word of ours just now
        self._made = 0

    @property
    def prompts(self) -> list[Prompt]:
        return [push.prompt for push in self.pushes if push.prompt is not None]

    def ringing(self) -> list[Prompt]:
        return [prompt for prompt in self.prompts if prompt.rings]

    def of_attempt(self, attempt_id: int) -> Push:
        return next(push for push in self.pushes if push.attempt_id == attempt_id)

    def go_on(self) -> None:
        """After the clock moved: prompts nobody answered leave the phone."""
        for prompt in self.ringing():
            if self.clock.now - prompt.rang_at >= PROMPT_LIFE:
                self.end(prompt, NO_ANSWER)

    # --- what the shop calls ---

    def push(
        self, request: daraja.PushRequest, *, may_leave: Callable[[], bool] = lambda: True
    ) -> PushAccepted:
        way, meanwhile = self.way, self.meanwhile
        self.way, self.meanwhile = "accepted", lambda _push: None
        push = self._note_push(request)
        self._check_push(push)
        self.clock.advance(seconds=self.takes)
        self.go_on()
        if way in REFUSALS:
            push.refused = True
            raise REFUSALS[way]()
        if way.startswith("silent, "):
            trouble = SILENT[way.removeprefix("silent, ")]
            assert trouble is not None
            raise trouble()
        push.prompt = prompt = self._ring(push)
        meanwhile(push)
        if (heard := HEARD[way]) is not None:
            raise heard()
        return PushAccepted(
            merchant_request_id=f"m-{prompt.checkout_id}",
            checkout_request_id=prompt.checkout_id,
            message="Success.",
        )

    def query(self, checkout_id: str) -> QueryAnswer:
        self.queries += 1
        push = next(p for p in self.pushes if p.prompt is not None and p.prompt.checkout_id == checkout_id)
        assert push.prompt is not None
        answer = self._answer(push.prompt)
        push.asked.append((self.clock.now, answer))
        if not self.shop_is_deaf and answer.verdict in (Verdict.PAID, Verdict.NOT_PAID):
            push.told.add(answer.code)
        return answer

    def _answer(self, prompt: Prompt) -> QueryAnswer:
        form = self.ended_form if prompt.code is not None else self.flight_form
        if self.ended_form in ("429", "page", "drop"):
            form = self.ended_form
        if form == "drop":
            return QueryAnswer(verdict=Verdict.NO_ANSWER, description="The line is down.")
        return read_query(self._reply(form, prompt), prompt.checkout_id)

    def _reply(self, form: str, prompt: Prompt) -> Reply:
        checkout_id = "ws_CO_another" if form == "another's" else prompt.checkout_id
        code = {"A": "4999", "another's": PAID}.get(form, prompt.code)
        complaints = {
            "B": (500, "500.001.1001", "The transaction is being processed"),
            "C": (200, "500.001.1001", ""),
            "D": (400, "400.002.02", "Bad Request - Invalid CheckoutRequestID"),
            "form D": (400, "400.002.02", "Bad Request - Invalid CheckoutRequestID"),
            "no answer": (500, "500.001.1001", ""),
        }
        if form == "429":
            fault = {"faultstring": "Spike arrest violation", "detail": {"errorcode": "policies.ratelimit"}}
            return Reply(status=429, text=json.dumps({"fault": fault}), retry_after=30.0)
        if form == "page":
            return Reply(status=403, text="<html>Request unsuccessful. Incapsula incident ID: 1</html>")
        if form in complaints:
            status, error, words = complaints[form]
            body = {"requestId": "1", "errorCode": error, "errorMessage": words}
            return Reply(status=status, text=json.dumps(body))
        told = {
            "ResponseCode": "0",
            "CheckoutRequestID": checkout_id,
            "ResultCode": code,
            "ResultDesc": "words",
        }
        return Reply(status=200, text=json.dumps(told))

    # --- what people and the bank do ---

    def type_pin(self, prompt: Prompt) -> None:
        """The PIN is right, and the bank takes its time."""
        prompt.hanging = True

    def end(self, prompt: Prompt, code: str) -> Letter:
        """The prompt's end (or, after 1037, the money that came all the same), and the letter about it."""
        prompt.hanging, prompt.code = False, code
        if code == PAID:
            self._made += 1
            prompt.receipt, prompt.paid_at = f"UKN{self._made:07}", self.clock.now
        prompt.letters.append(Letter(code=code, body=body_of(prompt)))
        return prompt.letters[-1]

    def _ring(self, push: Push) -> Prompt:
        self._made += 1
        if any(prompt.phone == push.phone for prompt in self.ringing()):
            self.broken.append(f"two prompts ring at once on {push.phone}")
        return Prompt(
            checkout_id=f"ws_CO_{self._made}", phone=push.phone, amount=push.amount, rang_at=self.clock.now
        )

    # --- what no shop may do ---

    def _note_push(self, request: daraja.PushRequest) -> Push:
        token = request.callback_url.rsplit("/", 1)[1]
        row = MpesaTransaction.objects.values("id", "order_id", "amount_kes").get(
            callback_token_hash=token_hash(token)
        )
        order = Order.objects.get(id=row["order_id"])
        if order.state == Order.State.PAID:
            self.broken.append("a prompt was sent for a paid order")
        if request.amount != order.total_kes or request.amount != row["amount_kes"]:
            self.broken.append("a prompt names another amount than the order's")
        if any(push.attempt_id == row["id"] for push in self.pushes):
            self.broken.append("an attempt was pushed twice")
        self.pushes.append(
            Push(
                attempt_id=row["id"],
                order_id=order.id,
                token=token,
                phone=request.phone,
                amount=request.amount,
                priced=order.is_priced,
                made_at=self.clock.now,
            )
        )
        return self.pushes[-1]

    def _check_push(self, new: Push) -> None:
        """A second prompt for one thing only after the first came to its end, or was idle and asked about."""
        self.see_names()
        live = set(MpesaTransaction.objects.filter(state__in=LIVE).values_list("id", flat=True))
        earlier = [push for push in self.pushes[:-1] if not self.over(push)]
        for push in earlier:
            if push.order_id == new.order_id:
                self.broken.append(f"attempt {new.attempt_id} rang while {push.attempt_id} might be paid")
            elif self.clock.now - push.made_at >= DAY:
                continue  # of a prompt that old no click is a repetition
            elif new.is_like(push) and not self._is_known(new) and push.attempt_id in live:
                self.broken.append(f"the same click rang twice: {push.attempt_id} and {new.attempt_id}")

    def _is_known(self, new: Push) -> bool:
        """Its reference was clicked before: that is no new click of the merchant's page."""
        return any(push.order_id == new.order_id for push in self.pushes[:-1])

    def see_names(self) -> None:
        """Which of our ids the shop has kept: of those it may ask."""
        kept = MpesaTransaction.objects.exclude(checkout_request_id=None).values_list("id", flat=True)
        for push in self.pushes:
            if not push.named and push.attempt_id in set(kept):
                push.named_at = self.clock.now

    def over(self, push: Push) -> bool:
        """Whether its buyer may be sent another: it came to its end, or was idle and asked about."""
        age = self.clock.now - push.made_at
        if push.refused or push.told & set(FINAL) or age >= THREE_DAYS:
            return True
        if not push.named:  # nobody can be asked about it
            return age >= UNASKABLE
        return any(
            at - push.made_at >= IDLE
            and answer.asked
            and answer.verdict in (Verdict.NO_ANSWER, Verdict.NOT_PAID)
            for at, answer in push.asked
        )


def body_of(prompt: Prompt, *, amount: int | None = None, checkout_id: str = "") -> bytes:
    """The callback about this prompt as it stands, or a forgery of it."""
    told: dict[str, Any] = {
        "MerchantRequestID": f"m-{prompt.checkout_id}",
        "CheckoutRequestID": checkout_id or prompt.checkout_id,
        "ResultCode": int(prompt.code or PAID),
        "ResultDesc": "words",
    }
    if told["ResultCode"] == 0:
        items = [
            {"Name": "Amount", "Value": amount or prompt.amount},
            {"Name": "MpesaReceiptNumber", "Value": prompt.receipt or "UKNFORGED1"},
            {"Name": "Balance"},
            {"Name": "TransactionDate", "Value": 20261123180012},
            {"Name": "PhoneNumber", "Value": int(prompt.phone)},
        ]
        told["CallbackMetadata"] = {"Item": items}
    return json.dumps({"Body": {"stkCallback": told}}).encode()
