"""Stories nobody wrote: clicks, people, Safaricom, the line, the database and the clock in any order.

Hypothesis makes the stories up; a bank that never lies (bank.py) knows which phones rang and who paid. After each
step the ledger must be as honest as the bank; at the end of each story all money must be known.

STATE_MACHINE_EXAMPLES=1000 tells more stories, each time others; without it they are the same ones each time.
"""

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as shop_settings
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection
from django.db.backends.signals import connection_created
from django.db.models import Q
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orders.models import Mix, Order, OrderItem
from orders.services import place_order
from payments import gateway, ledger, manual
from payments.callbacks import receive, replay
from payments.checkout import idempotency
from payments.checkout.status import payment_status
from payments.enquiries import budget
from payments.facts import (
    AMOUNT_IN_DOUBT,
    came_and_went,
    is_booked,
    is_refund_due,
    is_refunded,
    left_kes,
    order_is_over,
)
from payments.management.commands import reconcile_payments
from payments.models import (
    Awaited,
    CallbackDelivery,
    HandSettlement,
    IdempotencyKey,
    MpesaTransaction,
    PaymentEvent,
    Posting,
    QueryBudget,
    Receipt,
    Refund,
)
from payments.states import LIVE, Public, State
from tests.support.counts import forget_counts
from tests.support.last_words import LastWords
from tests.support.payments.bank import (
    CANCELLED,
    DAY,
    ENDED_FORMS,
    FINAL,
    FLIGHT_FORMS,
    IDLE,
    INSUFFICIENT,
    NO_ANSWER,
    PAID,
    PUSH_WAYS,
    THREE_DAYS,
    UNASKABLE,
    UNLISTED,
    Bank,
    Killed,
    Letter,
    Prompt,
    Push,
    body_of,
)
from tests.support.payments.book import balances
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import OTIENO, WANJIRU
from tests.support.tampering import tampering

EXAMPLES = os.environ.get("STATE_MACHINE_EXAMPLES")
AS_A_RULE = (
    40 if connection.vendor == "sqlite" else 20
)  # a minute or two on each database; `make soak` tells more
STEPS = 50
TABLES = (
    Awaited,
    IdempotencyKey,
    CallbackDelivery,
    Posting,
    HandSettlement,
    Receipt,
    Refund,
    PaymentEvent,
    MpesaTransaction,
    OrderItem,
    Order,
    Mix,
    QueryBudget,
)
ROUNDS = 400  # more than any story's worker needs without the clock going on
LATE_MONEY = timedelta(hours=23)  # after the prompt; later than a day nobody looks

PHONES = st.sampled_from([WANJIRU, WANJIRU, OTIENO])
PICK = st.integers(0, 5)
WAYS = st.sampled_from(["accepted"] * len(PUSH_WAYS) + list(PUSH_WAYS))
# few things, some more wanted than others: so that buyers get into each other's way, and into their own
GOODS = st.sampled_from(
    ["cart 1", "cart 1", "cart 1", "cart 2", "fresh", "fresh", "priced 1", "priced 1", "priced 2"]
)
NEWS = st.sampled_from(["comes later", "comes later", "comes", "is lost"])  # the callback
JUMPS = st.sampled_from([1, 6, 21, 61, 95, 121, 305, 3_600, 80_000, 86_401, 260_000])


class Story(RuleBasedStateMachine):
    """One shop, two buyers, Safaricom."""

    playing: "Story"  # the story being told: what is patched looks here
    tally: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        Story.playing = self
        self.clock = Clock()
        self.bank = Bank(self.clock)
        self.deaf = False
        self.away = False
        self.page = Client()
        self.keys: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {}
        self.idle_clicks: list[tuple[str, datetime]] = []
        self.waiting: list[
            tuple[Push, str, datetime]
        ] = []  # callbacks unread, and from when on they are read
        self.fresh = 0
        self.references = 0
        _empty()
        shop_settings.LEDGER_KEY = ["key 0"]
        self.goods = {"cart 1": ("CART1", 1500), "cart 2": ("CART2", 900)}
        for number, price in ((1, 1500), (2, 1000)):
            Mix.objects.create(slug=f"mix-{number}", title="Mix", minutes=60, price_kes=price)
            order = place_order(mix_slugs=[f"mix-{number}"], now=self.clock())
            self.goods[f"priced {number}"] = (order.code, price)
        Story.tally["stories"] += 1

    def go_on(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)
        self.bank.go_on()

    @contextmanager
    def database_trouble(self, deaf: bool) -> Iterator[None]:
        """While inside, the ledger takes no word of Safaricom's."""
        self.deaf = self.bank.shop_is_deaf = deaf
        try:
            yield
        finally:
            self.deaf = self.bank.shop_is_deaf = False

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.page.post(path, body, content_type="application/json", headers=headers)

    # --- the buyers' pages ---

    @rule(
        phone=PHONES,
        goods=GOODS,
        way=WAYS,
        takes=st.sampled_from([0, 0, 20]),
        key=st.sampled_from(["", "", "k1", "k2"]),
        deaf=st.sampled_from([False, False, False, True]),
        meanwhile=st.sampled_from(["", "", "clicks again", "pays", "cancels", "pays, told"]),
    )
    def click(
        self, phone: str, goods: str, way: str, takes: int, key: str, deaf: bool, meanwhile: str
    ) -> None:
        self._click(phone, goods, way, takes=takes, key=key, deaf=deaf, meanwhile=meanwhile)

    def _click(
        self, phone: str, goods: str, way: str, *, takes: int, key: str, deaf: bool, meanwhile: str
    ) -> None:
        self.last_click = phone, goods
        if goods == "fresh":
            self.fresh += 1
            self.goods["fresh"] = (f"FRESH{self.fresh}", 1500)
        reference, amount = self.goods[goods]
        body = {"phone": phone, "amount": amount, "accountReference": reference}
        self.idle_clicks.append((reference, self.clock.now))

        def happens(push: Push) -> None:
            assert push.prompt is not None
            if meanwhile == "clicks again":
                answer = self.post("/stkpush", body).json()
                assert answer["success"], "a second click while the first is being sent was refused"
            elif meanwhile:
                letter = self.bank.end(push.prompt, CANCELLED if meanwhile == "cancels" else PAID)
                if meanwhile == "pays, told":
                    self._deliver(push, letter)

        self.bank.way, self.bank.takes, self.bank.meanwhile = way, takes, happens
        before = len(self.bank.pushes)
        answer: dict[str, Any] | None = None
        kept = True
        with self.database_trouble(deaf), suppress(Killed):
            response = self.post("/stkpush", body, **({"Idempotency-Key": key} if key else {}))
            answer = response.json() if response.status_code != 500 else None
            kept = response.status_code < 500
        self.bank.way, self.bank.meanwhile = "accepted", lambda _push: None
        pushed = len(self.bank.pushes) - before
        assert pushed <= 1, "one click sent more than one prompt"
        assert answer is not None or way == "killed" or "dies" in way or deaf, (
            "a click was answered with a 500"
        )
        if key:
            self._check_key(key, body, answer, pushed)
            if answer is not None and not kept:  # no phone was asked: the same key may ask again
                del self.keys[key]
        if answer is not None and answer["success"]:
            assert self._attempt(answer["checkoutRequestId"]) is not None

    @initialize(phone=PHONES, goods=GOODS, way=WAYS)
    def somebody_clicks(self, phone: str, goods: str, way: str) -> None:
        self._simple_click(phone, goods, way)
        assert len(self.bank.pushes) == 1, "the first click of all sent nothing"

    @rule(phone=PHONES, goods=GOODS, way=st.sampled_from(["accepted", "accepted", "answer lost", "killed"]))
    def click_simply(self, phone: str, goods: str, way: str) -> None:
        self._simple_click(phone, goods, way)

    @rule(seconds=st.sampled_from([0, 121, 121, 305]))
    def the_same_buyer_clicks_again(self, seconds: int) -> None:
        self.go_on(seconds)
        self._simple_click(*self.last_click, "accepted")

    def _simple_click(self, phone: str, goods: str, way: str) -> None:
        self._click(phone, goods, way, takes=0, key="", deaf=False, meanwhile="")

    def _check_key(self, key: str, body: dict[str, Any], answer: dict[str, Any] | None, pushed: int) -> None:
        if key not in self.keys:
            self.keys[key] = (body, answer)
            return
        first_body, first_answer = self.keys[key]
        if first_body != body:
            assert answer is not None
            assert answer["code"] == "key_reused"
            assert not pushed
        elif first_answer is not None:
            assert answer == first_answer, "a repeated Idempotency-Key was answered otherwise"
            assert not pushed, "a repeated Idempotency-Key sent a prompt"
        else:
            self.keys[key] = (body, answer)

    @rule(phone=PHONES, goods=st.sampled_from(["priced 1", "priced 2"]))
    def click_with_a_price_of_ones_own(self, phone: str, goods: str) -> None:
        before = len(self.bank.pushes)
        body = {"phone": phone, "amount": 1, "accountReference": self.goods[goods][0]}
        assert self.post("/stkpush", body).json()["code"] in (
            "amount_mismatch",
            "already_paid",
            "order_refunded",
        )
        assert len(self.bank.pushes) == before

    @precondition(lambda self: self.bank.pushes)
    @rule(pick=PICK, by_own_id=st.booleans(), deaf=st.sampled_from([False, False, True]))
    def poll(self, pick: int, by_own_id: bool, deaf: bool) -> None:
        push = self._pick(self.bank.pushes, pick)
        row = MpesaTransaction.objects.get(id=push.attempt_id)
        poll_id = row.public_id if by_own_id else row.checkout_request_id or row.public_id
        with self.database_trouble(deaf):
            response = self.post("/stkpush/status", {"checkoutRequestId": poll_id})
        told = response.json()
        assert response.status_code == 200
        assert told["success"] is (told["status"] != "failed")

    # --- the person at the phone, and the bank ---

    @precondition(lambda self: self.bank.ringing())
    @rule(pick=PICK, code=st.sampled_from([PAID, PAID, PAID, CANCELLED, INSUFFICIENT, UNLISTED]), news=NEWS)
    def answer_the_prompt(self, pick: int, code: str, news: str) -> None:
        self._end(self._pick(self.bank.ringing(), pick), code, news)

    @precondition(lambda self: self.bank.ringing())
    @rule(pick=PICK)
    def type_the_pin_and_the_bank_is_slow(self, pick: int) -> None:
        self.bank.type_pin(self._pick(self.bank.ringing(), pick))

    @precondition(lambda self: any(p.hanging for p in self.bank.prompts))
    @rule(pick=PICK, code=st.sampled_from([PAID, PAID, INSUFFICIENT]), news=NEWS)
    def the_bank_is_done(self, pick: int, code: str, news: str) -> None:
        self._end(self._pick([p for p in self.bank.prompts if p.hanging], pick), code, news)

    @precondition(lambda self: self._may_pay_late())
    @rule(pick=PICK, news=NEWS)
    def the_money_comes_after_1037(self, pick: int, news: str) -> None:
        self._end(self._pick(self._may_pay_late(), pick), PAID, news)

    @precondition(lambda self: self._replaced())
    @rule(pick=PICK, news=NEWS)
    def the_prompt_that_was_replaced_is_paid_after_all(self, pick: int, news: str) -> None:
        self._end(self._pick(self._replaced(), pick), PAID, news)

    def _replaced(self) -> list[Prompt]:
        last = {push.order_id: push for push in self.bank.pushes}
        earlier = [push.prompt for push in self.bank.pushes if last[push.order_id] is not push]
        return [prompt for prompt in self._may_pay_late() if prompt in earlier]

    def _end(self, prompt: Prompt, code: str, news: str) -> None:
        letter = self.bank.end(prompt, code)
        letter.lost = news == "is lost"
        if news == "comes":
            self._deliver(next(push for push in self.bank.pushes if push.prompt is prompt), letter)

    def _may_pay_late(self) -> list[Prompt]:
        young = [p for p in self.bank.prompts if self.clock.now - p.rang_at < LATE_MONEY]
        return [p for p in young if p.code == NO_ANSWER]

    # --- callbacks ---

    def _letters(self, *, undelivered: bool = False) -> list[tuple[Push, Letter]]:
        return [
            (push, letter)
            for push in self.bank.pushes
            if push.prompt is not None
            for letter in push.prompt.letters
            if not letter.lost and not (undelivered and letter.delivered)
        ]

    @precondition(lambda self: self._letters())
    @rule(pick=PICK, trouble=st.sampled_from(["", "", "", "ledger", "inbox"]))
    def a_callback_comes(self, pick: int, trouble: str) -> None:
        push, letter = self._pick(self._letters(), pick)
        self._deliver(push, letter, trouble)

    @precondition(lambda self: self._letters(undelivered=True))
    @rule(pick=PICK)
    def a_callback_is_lost(self, pick: int) -> None:
        _, letter = self._pick(self._letters(undelivered=True), pick)
        letter.lost = True

    def _deliver(self, push: Push, letter: Letter, trouble: str = "") -> None:
        self.away = trouble == "inbox"
        was_deaf = self.deaf
        with self.database_trouble(was_deaf or trouble == "ledger"):
            response = self.page.post(
                f"/api/payments/callback/{push.token}", letter.body, content_type="application/json"
            )
            heard = not self.deaf and not self.away
        self.away = False
        self.deaf = self.bank.shop_is_deaf = was_deaf
        assert response.status_code == 200
        letter.delivered = True
        if heard:
            self._hears(push, letter.code)
        else:
            wait = timedelta() if trouble == "inbox" else replay.LEFT_BEHIND_AFTER
            self.waiting.append((push, letter.code, self.clock.now + wait))

    def _hears(self, push: Push, code: str) -> None:
        push.told.add(code)
        push.receipt_told = push.receipt_told or code == PAID

    @precondition(lambda self: self.bank.prompts)
    @rule(pick=PICK, path=st.sampled_from(["api/mpesa-callback", "api/payments/callback/" + "0" * 48]))
    def somebody_forges_a_success(self, pick: int, path: str) -> None:
        prompt = self._pick(self.bank.prompts, pick)
        forged = Prompt(
            checkout_id=prompt.checkout_id,
            phone=prompt.phone,
            amount=prompt.amount,
            rang_at=prompt.rang_at,
            code=PAID,
        )
        self.page.post(f"/{path}", body_of(forged), content_type="application/json")

    @precondition(lambda self: len(self._named()) > 1)
    @rule(pick=PICK, other=PICK, code=st.sampled_from([PAID, CANCELLED]))
    def a_callback_comes_under_anothers_token(self, pick: int, other: int, code: str) -> None:
        """Both ids are known here: a token whose attempt has no id yet is believed, and only Safaricom has it."""
        mine, theirs = self._pick(self._named(), pick), self._pick(self._named(), other)
        if mine is theirs:
            return
        assert mine.prompt is not None and theirs.prompt is not None  # noqa: PT018
        forged = Prompt(
            checkout_id=theirs.prompt.checkout_id,
            phone=mine.phone,
            amount=mine.amount,
            rang_at=self.clock.now,
            code=code,
        )
        self.page.post(
            f"/api/payments/callback/{mine.token}", body_of(forged), content_type="application/json"
        )

    @precondition(lambda self: self.bank.prompts)
    @rule(pick=PICK)
    def a_callback_names_another_amount(self, pick: int) -> None:
        push = self._pick([p for p in self.bank.pushes if p.prompt is not None], pick)
        assert push.prompt is not None
        wrong = Prompt(
            checkout_id=push.prompt.checkout_id,
            phone=push.phone,
            amount=push.amount,
            rang_at=self.clock.now,
            code=PAID,
        )
        settled = MpesaTransaction.objects.filter(id=push.attempt_id, state=State.COMPLETED).exists()
        push.amount_in_doubt = push.amount_in_doubt or not settled
        body = body_of(wrong, amount=push.amount + 1)
        self.page.post(f"/api/payments/callback/{push.token}", body, content_type="application/json")

    # --- time, and the shop's own machines ---

    @rule(seconds=JUMPS)
    def time_passes(self, seconds: int) -> None:
        self.go_on(seconds)

    @rule(ended=st.sampled_from(["truth", "truth", *ENDED_FORMS]), flight=st.sampled_from(FLIGHT_FORMS))
    def daraja_answers_like_this(self, ended: str, flight: str) -> None:
        self.bank.ended_form, self.bank.flight_form = ended, flight

    @rule(rounds=st.integers(1, 4), deaf=st.sampled_from([False, False, False, True]))
    def the_worker_works(self, rounds: int, deaf: bool) -> None:
        for _ in range(rounds):
            self._work(deaf=deaf)
            self.go_on(1)

    @rule()
    def somebody_runs_reconcile(self) -> None:
        self._left_behind_is_read()
        with suppress(SystemExit):
            call_command("reconcile_payments", "--older-than", "0", stdout=StringIO())

    @rule()
    def the_shop_restarts(self) -> None:
        forget_counts()
        connection.close()

    @precondition(lambda self: len(shop_settings.LEDGER_KEY) < 3)
    @rule()
    def the_ledgers_key_is_rotated(self) -> None:
        keys = shop_settings.LEDGER_KEY
        shop_settings.LEDGER_KEY = [f"key {len(keys)}", *keys]

    @rule(which=st.integers(0, 9), part=st.sampled_from([1, 2, 3]))
    def somebody_sends_money_back(self, which: int, part: int) -> None:
        """A third, the half or all of what is left of a payment, recorded with a reference of its own."""
        booked = [row for row in MpesaTransaction.objects.order_by("id") if is_booked(row) and left_kes(row)]
        if not booked:
            return
        row = booked[which % len(booked)]
        amount = max(1, left_kes(row) // part)
        self.references += 1
        manual.record_refund(
            row.pk,
            reference=f"RF{self.references:08}",
            amount_kes=amount,
            reason="A story.",
            by="akinyi",
            now=self.clock.now,
        )
        Story.tally["refunds"] += 1

    def _work(self, *, deaf: bool = False) -> bool:
        if deaf:  # what is on disk comes into the inbox, and no further
            self.waiting = [
                (push, code, max(at, at + replay.LEFT_BEHIND_AFTER)) for push, code, at in self.waiting
            ]
        else:
            self._left_behind_is_read()
        with self.database_trouble(deaf), suppress(DatabaseError):
            return reconcile_payments.run_due()
        return False

    def _left_behind_is_read(self) -> None:
        """What the worker's next round reads."""
        read = [waits for waits in self.waiting if self.clock.now >= waits[2]]
        for push, code, _ in read:
            self._hears(push, code)
        self.waiting = [waits for waits in self.waiting if waits not in read]

    # --- what must be so after each step ---

    @invariant()
    def the_ledger_is_as_honest_as_the_bank(self) -> None:
        Story.tally["steps"] += 1
        self.bank.see_names()
        assert self.bank.broken == []
        rows = {row.id: row for row in MpesaTransaction.objects.select_related("order")}
        assert len(rows) == len(self.bank.pushes), "not each attempt is one prompt"
        for push in self.bank.pushes:
            self._check_attempt(push, rows[push.attempt_id])
        self._check_orders(rows)
        self._check_book(rows)
        assert [str(fault) for fault in ledger.faults()] == []

    def _check_attempt(self, push: Push, row: MpesaTransaction) -> None:
        if PAID in push.told:
            assert row.state == State.COMPLETED, "we were told of money, and the attempt is not completed"
        if row.state == State.COMPLETED:
            assert push.charged, "completed, and the bank took nothing"
        assert row.receipt is not None or not push.receipt_told, (
            "a callback named the receipt, and it is not kept"
        )
        if row.receipt is not None:
            assert push.prompt is not None
            assert row.receipt == push.prompt.receipt, "another's receipt"
        if push.receipt_told:
            assert _roles(row) == 1, (
                "a true callback's money neither pays, nor is due back, nor kept for a person"
            )
        if row.pays_order and push.amount_in_doubt:
            assert row.receipt is not None, (
                "a query, which names no amount, paid an order whose amount is in doubt"
            )
        told = payment_status(row.public_id, now=self.clock.now)
        assert told is not None
        if told.status is Public.FAILED:
            self._check_failed(push, row)
        if told.status is Public.COMPLETED:
            mates = [p for p in self.bank.pushes if p.order_id == push.order_id]
            assert any(p.charged for p in mates), "the buyer is told of a payment that never was"

    def _check_failed(self, push: Push, row: MpesaTransaction) -> None:
        if came_and_went(row):  # it is told that the money was sent back, and that the order can be paid
            assert push.charged
            return
        assert PAID not in push.told, "the buyer is told 'failed', and we were told of the money"
        same_phone = [p.attempt_id for p in self.bank.pushes if p.phone == push.phone]
        paid_by_same_phone = MpesaTransaction.objects.filter(
            order_id=row.order_id, pays_order=True, refunded_at=None, id__in=same_phone
        )
        assert not paid_by_same_phone.exists(), "the buyer is told 'failed', and paid this order"
        if row.state == State.FAILED:
            assert push.refused or push.told & set(FINAL), "failed without a final word"
        else:
            names = (
                row.order.code,
                str(row.order.client_reference).removesuffix(f" (until {row.order.code})"),
            )
            replaced = any(ref in names and at - row.created_at >= IDLE for ref, at in self.idle_clicks)
            assert row.concluded_at is not None
            age = row.concluded_at - row.created_at
            unnamed = push.named_at is None or push.named_at >= row.concluded_at  # when it was given up
            over = self.bank.over(push) or (unnamed and age >= UNASKABLE)
            assert (unnamed and age >= DAY) or _given_up(push) or (replaced and over), (
                f"expired while it could still be paid:\n{_story(push)}"
            )

    def _check_book(self, rows: dict[int, MpesaTransaction]) -> None:
        """What stands at M-PESA by the book is what the bank took and the shop was told of, less what went back."""
        stands = balances()
        took = sum(row.amount_kes for row in rows.values() if is_booked(row))
        went = sum(row.refunded_kes or 0 for row in rows.values())
        assert sum(kes for account, kes in stands.items() if account.startswith("mpesa:")) == took - went
        assert sum(kes for account, kes in stands.items() if not account.startswith("mpesa:")) == took - went
        assert min(stands.values(), default=0) >= 0, f"an account below zero: {stands}"
        owed = sum(left_kes(row) for row in rows.values() if is_refund_due(row))
        assert stands.get("refunds_due", 0) == owed
        charged = sum(push.amount for push in self.bank.pushes if push.charged)
        assert took <= charged, "the book holds money that the bank never took"

    def _check_orders(self, rows: dict[int, MpesaTransaction]) -> None:
        for order in Order.objects.all():
            mine = [row for row in rows.values() if row.order_id == order.id]
            paying = [row for row in mine if row.pays_order and not is_refunded(row)]
            assert len(paying) == (order.state == Order.State.PAID)
            assert sum(row.state in LIVE for row in mine) <= 1, "two live attempts on one order"
            for row in mine:
                if row.state == State.COMPLETED and not row.amount_differs:
                    assert _roles(row) == 1, "money that neither pays, nor is due back, nor kept for a person"
                    is_over = row.came_late or order.state == Order.State.REFUNDED
                    assert is_over if row.unclaimed else order.state != Order.State.OPEN

    # --- the end of the story ---

    def teardown(self) -> None:
        if sys.exc_info()[0] is None:
            self._all_comes_to_its_end()
            self._count()
            self._the_shop_still_sells()
        super().teardown()

    def _all_comes_to_its_end(self) -> None:
        """What is on its way arrives, Safaricom answers truly, the worker works for three days."""
        self.bank.ended_form, self.bank.flight_form = "truth", "A"
        for prompt in [p for p in self.bank.prompts if p.hanging]:
            self.bank.end(prompt, PAID)
        self.go_on(120)
        for push, letter in self._letters(undelivered=True):
            self._deliver(push, letter)
        for minutes in [1] * 5 + [10] * 5 + [60] * 25 + [600] * 5:
            self._work_until_idle()
            self.go_on(minutes * 60)
        self._work_until_idle()
        self.the_ledger_is_as_honest_as_the_bank()
        for push in self.bank.pushes:
            state = MpesaTransaction.objects.values_list("state", flat=True).get(id=push.attempt_id)
            assert state not in LIVE, "still open after more than three days"
            if push.charged and state != State.COMPLETED:
                assert _given_up(push) or self._never_heard_of(push), (
                    f"the bank took money, and the shop never knew:\n{_story(push)}"
                )

    def _the_shop_still_sells(self) -> None:
        """Whatever happened: what is not paid for can be paid for, and nothing else."""
        for goods in ("cart 1", "priced 1"):
            self.go_on(200)
            reference, amount = self.goods[goods]
            order = Order.objects.filter(Q(code=reference) | Q(client_reference=reference)).first()
            before = len(self.bank.pushes)
            body = {"phone": WANJIRU, "amount": amount, "accountReference": reference}
            said = self.post("/stkpush", body).json()
            if order is not None and order.state == Order.State.PAID:
                assert said["code"] == "already_paid"
            elif order is not None and order_is_over(order):
                assert said["code"] == "order_refunded"
            elif order is not None and order.attempts.filter(AMOUNT_IN_DOUBT).exists():
                assert said["code"] == "being_checked"
            elif order is not None and order.is_priced and ledger.has_ended(order, now=self.clock.now):
                assert said["code"] == "order_ended"
            else:
                assert said["success"], f"a buyer can't pay: {said}"
                assert len(self.bank.pushes) == before + 1
        assert self.bank.broken == []

    def _never_heard_of(self, push: Push) -> bool:
        """The push's answer was lost and its callbacks too: nobody can be asked."""
        assert push.prompt is not None
        return not push.named and not any(letter.delivered for letter in push.prompt.letters)

    def _work_until_idle(self) -> None:
        for _ in range(ROUNDS):
            if not self._work():
                free_at = budget.next_turn_at(now=self.clock.now)
                due = MpesaTransaction.objects.filter(next_check_at__lte=self.clock.now).exists()
                if not due or free_at is None or free_at <= self.clock.now:
                    return
            self.go_on(1)
        pytest.fail("the worker finds no end")

    def _count(self) -> None:
        rows = MpesaTransaction.objects
        Story.tally["prompts"] += len(self.bank.prompts)
        Story.tally["queries"] += self.bank.queries
        Story.tally["charges"] += sum(push.charged for push in self.bank.pushes)
        Story.tally["refunds due"] += rows.filter(refund_due=True).count()
        Story.tally["came late"] += rows.filter(came_late=True).count()
        Story.tally["amounts in doubt"] += rows.filter(state=State.COMPLETED, amount_differs=True).count()
        Story.tally["expired"] += rows.filter(state=State.EXPIRED).count()
        Story.tally["given up"] += sum(_given_up(push) for push in self.bank.pushes)

    # --- handy ---

    def _named(self) -> list[Push]:
        return [push for push in self.bank.pushes if push.named and push.prompt is not None]

    def _pick(self, among: list[Any], pick: int) -> Any:
        """The newest first, so that a story without much in it picks what has just happened."""
        return among[-1 - pick % len(among)]

    def _attempt(self, poll_id: str) -> MpesaTransaction | None:
        field = "public_id" if poll_id.startswith("pay_") else "checkout_request_id"
        return MpesaTransaction.objects.filter(**{field: poll_id}).first()


def _roles(row: MpesaTransaction) -> int:
    """What is late for an order that ended is nobody's, until a person decides."""
    return row.pays_order + row.refund_due + row.unclaimed


def _given_up(push: Push) -> bool:
    """Safaricom had no answer for three days, and staff were told so."""
    told = PaymentEvent.objects.filter(attempt_id=push.attempt_id, kind="given_up").first()
    return told is not None and told.at - push.made_at >= THREE_DAYS


def _story(push: Push) -> str:
    """One attempt as the shop and the bank tell it."""
    events = PaymentEvent.objects.filter(attempt_id=push.attempt_id).order_by("number")
    told = [f"{e.at:%d %H:%M:%S} {e.kind} ({e.source}) -> {e.to_state} {e.facts}" for e in events]
    asked = [f"{at:%d %H:%M:%S} asked: {answer.verdict} {answer.code}" for at, answer in push.asked[-5:]]
    return "\n".join([*told, *asked, str(push.prompt)])


def _empty() -> None:
    """Every row out, children first: each story starts with an empty shop."""
    with tampering():
        for table in TABLES:
            rows = table.objects.all()
            rows._raw_delete(rows.db)
    for file in Path(shop_settings.SPOOL_DIR).glob("*"):
        file.unlink()


def _quick_disk(connection: Any, **_: Any) -> None:
    """Real commits, but nobody pulls the plug: the disk need not confirm them."""
    with connection.cursor() as cursor:
        quick = "PRAGMA synchronous=OFF" if connection.vendor == "sqlite" else "SET synchronous_commit=off"
        cursor.execute(quick)


@pytest.fixture
def stage(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path, transactional_db: None
) -> Iterator[None]:
    """The shop with the story's clock, bank and troubles in place of the real ones."""
    record, store = ledger.record, receive.store
    settings.SETTLED_ALONE_UP_TO_KES = 1_000_000_000  # nobody waits for a second person in a story

    def record_or_not(*args: Any, **kwargs: Any) -> Any:
        if Story.playing.deaf:
            raise OperationalError("the ledger's table is locked")
        return record(*args, **kwargs)

    def store_or_not(*args: Any, **kwargs: Any) -> Any:
        if Story.playing.away:
            raise OperationalError("the database is away")
        return store(*args, **kwargs)

    def wait(seconds: float) -> None:
        Story.playing.go_on(seconds)

    settings.SPOOL_DIR = str(tmp_path)
    settings.LEDGER_KEY = ["key 0"]
    settings.PUSH_RATE_PER_ADDRESS = settings.STATUS_RATE_PER_ADDRESS = 10**9
    monkeypatch.setattr(timezone, "now", lambda: Story.playing.clock.now)
    monkeypatch.setattr(gateway, "client", lambda: Story.playing.bank)
    monkeypatch.setattr(ledger, "record", record_or_not)
    for room in (receive, replay):
        monkeypatch.setattr(room, "store", store_or_not)
    monkeypatch.setattr(reconcile_payments, "time", SimpleNamespace(sleep=wait))
    seconds = SimpleNamespace(sleep=wait, monotonic=lambda: Story.playing.clock.now.timestamp())
    monkeypatch.setattr(idempotency, "time", seconds)
    connection.close()
    connection_created.connect(_quick_disk)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    connection_created.disconnect(_quick_disk)
    connection.close()
    _empty()


def test_no_story_loses_the_buyers_money(stage: None, request: pytest.FixtureRequest) -> None:
    request.config.pluginmanager.register(LastWords("stories nobody wrote", _sum_up))
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=int(EXAMPLES or AS_A_RULE),
            stateful_step_count=STEPS,
            derandomize=EXAMPLES is None,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


def _sum_up() -> Iterator[str]:
    yield ", ".join(f"{count:,} {what}" for what, count in Story.tally.items())
