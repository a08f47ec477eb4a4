"""What the money does after the asking, in any order: prompts, payments beside them, reversals, sweeps, statements that
overlap, decisions, refunds, corrections, voids. After each step the book is held against Safaricom's own.

MONEY_MACHINE_EXAMPLES=1000 tells more stories, each time others (`make soak`).
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.conf import settings as shop_settings
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from orders.models import Mix, Order, OrderItem
from orders.services import place_order
from payments import callbacks, enquiries, gateway, ledger, manual
from payments.checkout import problems, push, wanted
from payments.manual import ActionRefused, Settlement
from payments.models import (
    CallbackDelivery,
    HandSettlement,
    MpesaTransaction,
    PaymentEvent,
    Posting,
    Receipt,
    Refund,
    Statement,
    StatementLine,
)
from payments.reconciliation import importing, matching
from payments.states import State
from tests.support.counts import forget_counts
from tests.support.payments.book import balances
from tests.support.payments.callback_bodies import failure, success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import OTIENO, WANJIRU, FakeDaraja
from tests.support.payments.stating import head
from tests.support.payments.till import Movement, Till, lines
from tests.support.statements import write_csv
from tests.support.tampering import tampering

EXAMPLES = os.environ.get("MONEY_MACHINE_EXAMPLES")
AS_A_RULE = 60 if connection.vendor == "sqlite" else 30
STEPS = 30
TABLES = (
    CallbackDelivery, HandSettlement, StatementLine, Statement, Posting, Refund, Receipt, PaymentEvent,
    MpesaTransaction, OrderItem, Order, Mix,
)  # fmt: skip
MAY_BE_BELOW_ZERO = ("bank", "charges", "undecided")
PICK = st.integers(0, 7)
PRICE = 1000
WHY = "So it was found to be."


class Money(RuleBasedStateMachine):
    """Two buyers, a few orders, one short code."""

    playing: "Money"
    tally: Counter[str] = Counter()

    def __init__(self) -> None:
        super().__init__()
        Money.playing = self
        self.clock = Clock()
        self.safaricom = FakeDaraja()
        self.till = Till()
        self.statements = 0
        self.tokens: dict[int, tuple[str, str]] = {}
        forget_counts()
        _empty()
        self.mix = Mix.objects.create(slug="mix", title="Mix", minutes=60, price_kes=PRICE)

    def _pick(self, among: list[Any], pick: int) -> Any:
        return among[pick % len(among)] if among else None

    def _order(self, pick: int) -> Order:
        orders = list(Order.objects.order_by("id"))
        if not orders or (len(orders) < 4 and pick == 0):
            orders = [place_order(mix_slugs=["mix"], now=self.clock())]
        return orders[pick % len(orders)]

    # --- what buyers do ---------------------------------------------------------------------------------

    @rule(pick=PICK, phone=st.sampled_from([WANJIRU, OTIENO]))
    def a_prompt_is_sent(self, pick: int, phone: str) -> None:
        order = self._order(pick)
        ask = wanted.Ask(msisdn=phone, amount_kes=order.to_pay_kes or PRICE, reference=order.code, again=True)
        before = len(self.safaricom.pushes)
        with suppress(problems.PushProblem):
            push.request_payment(ask, clock=self.clock)
        if len(self.safaricom.pushes) > before:
            attempt = MpesaTransaction.objects.latest("id")
            self.tokens[attempt.pk] = (self.safaricom.last_token, f"ws_CO_{len(self.safaricom.pushes)}")

    @rule(pick=PICK, heard=st.sampled_from([True, True, False]))
    def the_prompt_is_paid(self, pick: int, heard: bool) -> None:
        attempt = self._pick(self._prompts(), pick)
        if attempt is None:
            return
        paid = self.till.note(
            "payment", attempt.amount_kes, self.clock(), account_no=attempt.account_reference
        )
        if heard:
            before = attempt.receipt
            self._call_back(attempt, success(self.tokens[attempt.pk][1], attempt.amount_kes, paid.code))
            paid.told_by.add("callback")
            self._takes_back_the_hands(before)
        del self.tokens[attempt.pk]

    @rule(pick=PICK)
    def the_prompt_ends_unpaid(self, pick: int) -> None:
        attempt = self._pick(self._prompts(), pick)
        if attempt is not None:
            self._call_back(attempt, failure(1032, self.tokens[attempt.pk][1]))

    @rule(pick=PICK, kes=st.sampled_from([1, 400, 600, PRICE, PRICE, 2500]), right=st.booleans())
    def somebody_pays_by_hand(self, pick: int, kes: int, right: bool) -> None:
        account = self._order(pick).code if right else "WANJIRU"
        self.till.note("payment", kes, self.clock(), account_no=account)

    # --- what Safaricom and the shop do with the account ------------------------------------------------

    @rule(pick=PICK, part=st.sampled_from([1, 1, 2]))
    def a_payment_is_reversed(self, pick: int, part: int) -> None:
        payment = self._pick(
            [each for each in self.till.payments() if self.till.left(each) == each.kes], pick
        )
        if payment is not None and payment.kes // part:
            self.till.note("reversal", payment.kes // part, self.clock(), reverses=payment.code)

    @rule(kes=st.sampled_from([5, 100]), kind=st.sampled_from(["sweep", "payout"]))
    def money_is_moved_on(self, kes: int, kind: str) -> None:
        self.till.note(kind, kes, self.clock())

    @rule(first=PICK, last=PICK, backwards=st.booleans())
    def a_statement_is_uploaded(self, first: int, last: int, backwards: bool) -> None:
        """Some of the account's movements, as a narrower export would show them; overlapping ones too."""
        really = [each for each in self.till.movements if each.kind != "never"]
        shown = really[first : len(really) - last // 2]
        if not shown:
            return
        self.statements += 1
        rows = lines(reversed(shown) if backwards else shown)
        data = write_csv(rows, head=head(self.clock, totals=False)) + b"\r\n" * self.statements
        stated = importing.import_file(data, file_name="s.csv", by="akinyi", now=self.clock()).statement
        matching.match_all(stated.pk, clock=self.clock, progress=lambda _so_far: None)
        for each in shown:
            each.told_by.add("statement")

    @rule(pick=PICK)
    def a_statement_is_matched_again(self, pick: int) -> None:
        stated = self._pick(list(Statement.objects.filter(voided_at=None).order_by("id")), pick)
        if stated is not None:
            matching.begin_again(stated.pk)
            matching.match_all(stated.pk, clock=self.clock, progress=lambda _so_far: None)

    # --- what people decide -----------------------------------------------------------------------------

    @rule(pick=PICK, which=PICK)
    def a_payment_is_settled_by_hand(self, pick: int, which: int) -> None:
        attempt = self._pick(list(MpesaTransaction.objects.filter(receipt=None).order_by("id")), pick)
        paid = self._pick([each for each in self.till.payments() if not each.told_by], which)
        if attempt is None or paid is None:
            return
        self.clock.advance(minutes=3)
        wanted = Settlement(
            receipt=paid.code, amount_kes=paid.kes, evidence="sms", reason="Read to me by phone.", accepts_amount=True
        )  # fmt: skip
        with suppress(ActionRefused):
            manual.propose_settlement(attempt.pk, wanted, by="akinyi", now=self.clock())
            paid.told_by.add("hand")

    @rule(pick=PICK, whose=PICK, kes=st.sampled_from([1, 400, PRICE]), kept=st.booleans())
    def what_is_nobodys_is_claimed_or_kept(self, pick: int, whose: int, kes: int, kept: bool) -> None:
        receipt = self._pick(list(Receipt.objects.filter(unclaimed_cents__gt=0).order_by("id")), pick)
        if receipt is None:
            return
        cents, order = min(100 * kes, receipt.unclaimed_cents), self._order(whose)
        with suppress(ledger.NotThere):
            if kept:
                ledger.keep(receipt.pk, cents=cents, now=self.clock())
            else:
                ledger.claim(
                    receipt.pk, order_id=order.pk, order_code=order.code, cents=cents, now=self.clock()
                )

    @rule(pick=PICK, part=st.sampled_from([1, 1, 3]), leaves=st.booleans())
    def money_is_sent_back(self, pick: int, part: int, leaves: bool) -> None:
        """In the portal, and recorded; or recorded, and it never left."""
        paid = list(MpesaTransaction.objects.filter(state=State.COMPLETED).order_by("id"))
        attempt = self._pick(paid, pick)
        payment = self._of(attempt.receipt) if attempt is not None and attempt.receipt else None
        if payment is None or not payment.told_by or self.till.left(payment) != payment.kes:
            return
        kes = payment.kes // part or 1
        code = f"REF{Refund.objects.count():07}" + ("" if leaves else "X")
        with suppress(ActionRefused):
            manual.record_refund(
                attempt.pk, reference=code, amount_kes=kes, reason=WHY, by="akinyi", now=self.clock()
            )
            sent = self.till.note("reversal", kes, self.clock(), reverses=payment.code)
            sent.code, sent.told_by = code, {"hand"}
            if not leaves:
                sent.kind, sent.reverses = "never", payment.code

    @rule(pick=PICK)
    def a_refund_that_never_left_is_taken_back(self, pick: int) -> None:
        refund = self._pick(
            list(Refund.objects.filter(reference__endswith="X", state="sent").order_by("id")), pick
        )
        if refund is not None:
            manual.undo_refund(refund.pk, reason=WHY, by="kraph", now=self.clock())
            self.till.movements.remove(self._of(refund.reference))

    @rule(pick=PICK)
    def a_decision_is_taken_back(self, pick: int) -> None:
        attempt = self._pick(list(MpesaTransaction.objects.filter(by_hand=True).order_by("id")), pick)
        if attempt is None:
            return
        receipt = attempt.receipt
        with suppress(ActionRefused):
            manual.undo_decision(attempt.pk, reason=WHY, by="kraph", now=self.clock())
            if receipt is not None:
                self._of(receipt).told_by.discard("hand")

    @rule(pick=PICK)
    def a_statement_is_voided(self, pick: int) -> None:
        stated = self._pick(list(Statement.objects.filter(voided_at=None).order_by("id")), pick)
        if stated is None:
            return
        manual.void_statement(stated.pk, reason=WHY, by="kraph", now=self.clock())
        standing = set(StatementLine.objects.filter(voided_at=None).values_list("receipt", flat=True))
        for each in self.till.movements:
            if each.code not in standing:
                each.told_by.discard("statement")

    @rule(minutes=st.sampled_from([1, 5, 130]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    # --- what must hold ---------------------------------------------------------------------------------

    @invariant()
    def the_book_is_the_banks_as_far_as_it_was_told(self) -> None:
        stands = balances()
        assert stands.get("mpesa:174379", 0) == float(self.till.told()), self._story()
        below = {name: kes for name, kes in stands.items() if kes < 0 and name not in MAY_BE_BELOW_ZERO}
        assert not {name for name in below if not name.startswith("mpesa:")}, (below, self._story())

    @invariant()
    def every_derived_value_is_what_the_book_says(self) -> None:
        assert [str(fault) for fault in ledger.faults()] == [], self._story()

    @invariant()
    def no_order_keeps_more_than_it_costs(self) -> None:
        for order in Order.objects.all():
            assert order.sums.has <= order.sums.total, (order.code, self._story())

    def teardown(self) -> None:
        Money.tally["stories"] += 1
        Money.tally["movements"] += len(self.till.movements)
        Money.tally["postings"] += Posting.objects.count()
        Money.tally["taken back"] += Posting.objects.filter(code="correction").count()

    # --- the rest ---------------------------------------------------------------------------------------

    def _prompts(self) -> list[MpesaTransaction]:
        return list(MpesaTransaction.objects.filter(pk__in=self.tokens).order_by("id"))

    def _call_back(self, attempt: MpesaTransaction, body: Any) -> None:
        callbacks.receive_callback(
            token=self.tokens[attempt.pk][0], body=json.dumps(body).encode(), source_address=None, now=self.clock()
        )  # fmt: skip

    def _takes_back_the_hands(self, receipt: str | None) -> None:
        """Safaricom has named another for the payment that had this one, as a hand said."""
        if receipt is not None and not MpesaTransaction.objects.filter(receipt=receipt).exists():
            self._of(receipt).told_by.discard("hand")

    def _of(self, code: str) -> Movement:
        return next(each for each in self.till.movements if each.code == code)

    def _story(self) -> str:
        return "\n".join(str(each) for each in self.till.movements)


def _empty() -> None:
    with tampering():
        for table in TABLES:
            rows = table._default_manager.all()
            rows._raw_delete(rows.db)


@pytest.fixture
def stage(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(gateway, "client", lambda: Money.playing.safaricom)
    monkeypatch.setattr(enquiries, "ask_about", lambda *_given, **_more: None)
    monkeypatch.setattr(
        shop_settings, "SETTLED_ALONE_UP_TO_KES", 1_000_000_000
    )  # nobody waits for a second person
    yield
    _empty()


def test_no_story_of_money_loses_a_shilling(stage: None) -> None:
    Money.tally.clear()
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=int(EXAMPLES) if EXAMPLES else AS_A_RULE,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not EXAMPLES,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )
    print("told:", ", ".join(f"{count:,} {what}" for what, count in Money.tally.items()))
