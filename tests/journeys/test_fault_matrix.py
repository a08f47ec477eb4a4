"""Every fault of the simulated Safaricom with every kind of ending, over HTTP: one table says what must come of it.

A row is a fault, a column an ending, a cell one buyer with a phone and a cart of their own. All buyers of a row push
one after the other into the same shop; after half a minute each page polls; the person at the unlisted phone pays;
seven minutes pass on both clocks; then `reconcile_payments` runs once and the worker does what is due.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from django.core.management import call_command
from django.utils import timezone

from orders.models import Order
from payments import gateway, ledger
from payments.checkout.status import WATCHED
from payments.daraja import lookup
from payments.management.commands import reconcile_payments
from payments.models import MpesaTransaction
from payments.states import State
from tests.support.last_words import LastWords
from tests.support.shop import Shop
from tests.support.simulated import Simulated

pytestmark = pytest.mark.django_db(transaction=True)

UNTIL_THE_PAGE_ASKS = 25.0  # seconds after the push: the callback is overdue
UNTIL_ALL_IS_OVER = 420.0  # seconds: every late callback has come, and money that comes a minute late too
WORKER_ROUNDS = 60


# --- the table ------------------------------------------------------------------------------------------


class Cell(NamedTuple):
    """What becomes of one buyer: the attempt's state, the order, the phone, and what the page is told.

    `words` is the message of a failed payment, or of one in doubt; for a push that was refused its stable code.
    """

    state: State
    paid: bool
    rang: int
    told: str
    words: str = ""


def paid(receipt: bool = True) -> Cell:
    return Cell(State.COMPLETED, True, 1, "completed", "with its receipt" if receipt else "receipt awaited")


def not_paid(code: str) -> Cell:
    result = lookup(code)
    words = f"{result.buyer} {WATCHED}" if result.follow_up else result.buyer
    return Cell(State.FAILED, False, 1, "failed", words)


def refused(code: str) -> Cell:
    return Cell(State.FAILED, False, 0, "refused", code)


WAITING = Cell(State.PENDING, False, 1, "pending")
CHECKING = Cell(State.UNKNOWN, False, 1, "pending")  # it rang, and nobody can be asked about it
UNSENT = Cell(State.UNKNOWN, False, 0, "pending")  # it did not ring, and nobody can know
IN_DOUBT = Cell(
    State.COMPLETED,
    False,
    1,
    "pending",
    "We have received money and are checking the amount. Do not pay again.",
)

PHONES: Mapping[str, str] = {
    "pays": "254712345600",
    "no funds": "254712345601",
    "cancels": "254712345632",
    "no answer": "254712345637",
    "E3008": "254712345630",
    "unlisted": "254712345649",
    "by hand": "254712345678",  # a person types the PIN, after the page has polled
    "late": "254712345680",  # 1037, and a minute later the money comes all the same
}
SUCCESSES = ("pays", "by hand", "late")
Line = Mapping[str, Cell]

AS_EVER: Line = {
    "pays": paid(),
    "no funds": not_paid("1"),
    "cancels": not_paid("1032"),
    "no answer": not_paid("1037"),
    "E3008": not_paid("E3008"),
    "unlisted": WAITING,
    "by hand": paid(),
    "late": paid(),
}
BY_ASKING: Line = {**AS_EVER, **dict.fromkeys(SUCCESSES, paid(receipt=False))}
OTHER_AMOUNT: Line = {**AS_EVER, **dict.fromkeys(SUCCESSES, IN_DOUBT)}


def all_are(cell: Cell) -> Line:
    return dict.fromkeys(PHONES, cell)


@dataclass(frozen=True, kw_only=True)
class Row:
    """`faults` are on from the start, `later` from after the push; `stale`: the token died before the push."""

    faults: Mapping[str, Any] = field(default_factory=dict)
    later: Mapping[str, Any] = field(default_factory=dict)
    stale: bool = False
    gives: Line = field(default_factory=lambda: AS_EVER)


def _row(
    gives: Line = AS_EVER, *, later: Mapping[str, Any] | None = None, stale: bool = False, **faults: Any
) -> Row:
    return Row(faults=faults, later=later or {}, stale=stale, gives=gives)


SPOILT = "accepted"  # the push's answer is spoilt, the phone rings all the same
UNHEARD = {"no_callback": True}

ROWS: Mapping[str, Row] = {
    "no fault": _row(),
    # the push's answer is lost, the phone rings: the callback tells
    "lost answer": _row(lost_answer=True),
    "500, rings": _row(push_500=SPOILT),
    "502, rings": _row(push_502=SPOILT),
    "503 page, rings": _row(push_html_503=SPOILT),
    "lost answer, no callback": _row(all_are(CHECKING), lost_answer=True, no_callback=True),
    "lost answer, late callback": _row(lost_answer=True, late_callback=300),
    "lost answer, two callbacks": _row(lost_answer=True, duplicate_callback=2),
    "lost answer, contrary callback": _row(lost_answer=True, contrary_callback=True),
    "lost answer, no amount": _row(BY_ASKING, lost_answer=True, missing_amount=True),
    "lost answer, another amount": _row(OTHER_AMOUNT, lost_answer=True, wrong_amount_callback=1),
    # nobody knows whether the phone rings, and it doesn't
    "drop before": _row(all_are(UNSENT), drop_before=True),
    "500": _row(all_are(UNSENT), push_500=True),
    "502": _row(all_are(UNSENT), push_502=True),
    "503 page": _row(all_are(UNSENT), push_html_503=True),
    # refused: the phone was not asked
    "429": _row(all_are(refused("daraja_busy")), push_429=True),
    "403 page": _row(all_are(refused("daraja_refused")), push_html_403=True),
    "empty 400": _row(all_are(refused("daraja_refused")), push_empty_400=True),
    "no product": _row(all_are(refused("daraja_unusable")), push_no_product=True),
    "OAuth: empty 400": _row(all_are(refused("daraja_unusable")), oauth_empty_400=True),
    "OAuth: 403 page": _row(all_are(refused("daraja_unreachable")), oauth_html_403=True),
    "OAuth: drop": _row(all_are(refused("daraja_unreachable")), oauth_drop=True),
    # odd, and harmless
    "slow answer": _row(slow_answer=0.2),
    "slow OAuth": _row(slow_oauth=0.2),
    "no CustomerMessage": _row(no_customer_message=True),
    "expires_in a number": _row(expires_in_number=True),
    "dead token": _row(stale=True),
    "dead token, 401": _row(stale=True, token_401=True),
    # the callback
    "late callback": _row(late_callback=300),
    "two callbacks": _row(duplicate_callback=2),
    "callback before answer": _row(callback_before_answer=True),
    "two before answer": _row(callback_before_answer=True, duplicate_callback=2),
    "before a lost answer": _row(callback_before_answer=True, lost_answer=True),
    "items in another order": _row(wrong_order=True),
    "contrary after": _row(contrary_callback=True),
    "contrary before": _row(contrary_callback="before"),
    "masked phone": _row(masked_phone=True),
    "no phone": _row(missing_phone=True),
    "phone a string": _row(string_phone=True),
    "codes are strings": _row(string_codes=True),
    "amount a string": _row(string_amount=True),
    "no metadata": _row(BY_ASKING, missing_metadata=True),
    "no amount": _row(BY_ASKING, missing_amount=True),
    "another amount": _row(OTHER_AMOUNT, wrong_amount_callback=1),
    # no callback at all: we ask
    "no callback": _row(BY_ASKING, **UNHEARD),
    "no callback, 500 in flight": _row(BY_ASKING, **UNHEARD, pending_500=True),
    "no callback, empty in flight": _row(BY_ASKING, **UNHEARD, pending_empty=True),
    "no callback, 400 in flight": _row(BY_ASKING, **UNHEARD, pending_400=True),
    "no callback, slow query": _row(BY_ASKING, **UNHEARD, slow_query=0.1),
    # no callback, and Safaricom knows nothing: pending, whatever became of it
    "no callback, no answer": _row(all_are(WAITING), **UNHEARD, random_no_answer=1),
    "no callback, query 429": _row(all_are(WAITING), **UNHEARD, query_429=True),
    "no callback, query page": _row(all_are(WAITING), **UNHEARD, query_html=True),
    "no callback, query drops": _row(all_are(WAITING), **UNHEARD, query_drop=True),
    "no callback, another's answer": _row(all_are(WAITING), **UNHEARD, query_other_id=True),
    "no callback, OAuth 400": _row(all_are(WAITING), **UNHEARD, later={"oauth_empty_400": True}),
    "no callback, OAuth drops": _row(all_are(WAITING), **UNHEARD, later={"oauth_drop": True}),
    "callback, query 429": _row(query_429=True),
    "callback, another's answer": _row(query_other_id=True),
}  # fmt: skip


# --- how a row is played --------------------------------------------------------------------------------


class Clocks:
    """The shop's clock and Safaricom's go on together, and both can be moved on."""

    def __init__(self, simulator: Simulated) -> None:
        self._simulator = simulator
        self._real = timezone.now
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._real() + self._ahead

    def shop_sleeps(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)

    def go_on(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)
        self._simulator.advance(seconds)
        self._simulator.settle()


@pytest.fixture
def clocks(simulator: Simulated, monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """Nobody really waits: the command's sleep moves the clock."""
    moved = Clocks(simulator)
    monkeypatch.setattr(timezone, "now", moved.now)
    monkeypatch.setattr(reconcile_payments, "time", SimpleNamespace(sleep=moved.shop_sleeps))
    return moved


OUTCOMES: dict[str, Line] = {}


@pytest.fixture(scope="module", autouse=True)
def _table_at_the_end(request: pytest.FixtureRequest) -> None:
    request.config.pluginmanager.register(LastWords("faults and endings", _table))


def _table() -> Iterator[str]:
    """What was seen: what the page is told, and how often the phone rang where it wasn't once."""
    yield f"{'':31}" + "".join(f"{ending:11}" for ending in PHONES)
    for name, line in OUTCOMES.items():
        yield f"{name:31}" + "".join(f"{_short(line[ending]):11}" for ending in PHONES)
    yield f"{sum(len(line) for line in OUTCOMES.values())} pairs; *: the phone did not ring; !: the amount is in doubt"


def _short(cell: Cell) -> str:
    mark = "!" if cell == IN_DOUBT else "*" if not cell.rang else "" if cell.rang == 1 else f" x{cell.rang}"
    return cell.told + mark


@pytest.mark.parametrize("name", ROWS)
def test_whatever_goes_wrong_the_buyer_is_told_the_truth(
    name: str, shop: Shop, simulator: Simulated, clocks: Clocks
) -> None:
    row = ROWS[name]
    if row.stale:
        gateway.client().query("ws_CO_nothing")  # fetches a token
        simulator.expire_tokens()
    _switch_on(simulator, row.faults)
    pushed = {ending: shop.push(phone, 1500, f"CART {ending}") for ending, phone in PHONES.items()}
    simulator.settle()
    _switch_on(simulator, row.later)
    if row.later:
        simulator.expire_tokens()
    clocks.go_on(UNTIL_THE_PAGE_ASKS)
    for answer in pushed.values():
        if answer["success"]:
            assert shop.status(answer["checkoutRequestId"])["status"] in ("pending", "completed", "failed")
    for prompt in simulator.prompts(PHONES["by hand"]):
        simulator.answer(prompt["checkout_request_id"], "pay")
    clocks.go_on(UNTIL_ALL_IS_OVER)
    with suppress(SystemExit):  # so it says that something needs a person: a receipt that is awaited, for one
        call_command("reconcile_payments", "--older-than", "0")
    _worker(clocks)
    on_phones = simulator.state()["transactions"]
    OUTCOMES[name] = {ending: _outcome(ending, answer, shop, on_phones) for ending, answer in pushed.items()}
    assert OUTCOMES[name] == row.gives
    assert list(ledger.faults()) == []


def _switch_on(simulator: Simulated, faults: Mapping[str, Any]) -> None:
    for fault, value in faults.items():
        simulator.fault(fault, value)


def _worker(clocks: Clocks) -> None:
    """The worker, until nothing is due; it never has to work for long."""
    for _ in range(WORKER_ROUNDS):
        if not reconcile_payments.run_due():
            return
        clocks.shop_sleeps(1)
    pytest.fail("the worker found no end")


def _outcome(ending: str, answer: dict[str, Any], shop: Shop, on_phones: list[dict[str, Any]]) -> Cell:
    order = Order.objects.get(client_reference=f"CART {ending}")
    attempt = MpesaTransaction.objects.get(order=order)  # one click, one attempt
    rang = [prompt for prompt in on_phones if prompt["phone"] == PHONES[ending]]
    told, words = "refused", answer.get("code", "")
    if answer["success"]:
        status = shop.status(answer["checkoutRequestId"])
        told, words = status["status"], ""
        assert status["success"] is (told != "failed")
        if told == "completed":
            words = "with its receipt" if status["MpesaReceiptNumber"] else "receipt awaited"
            assert status["MpesaReceiptNumber"] in (None, rang[0]["receipt"])
        elif told == "failed" or attempt.state == State.COMPLETED:
            words = status["message"]
    return Cell(State(attempt.state), order.state == Order.State.PAID, len(rang), told, words)
