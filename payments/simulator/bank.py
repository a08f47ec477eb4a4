"""What has happened so far: tokens, transactions, counters. No HTTP in here, and no decision on how a push ends."""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from payments.simulator import ids
from payments.simulator.accounts import Account
from payments.simulator.checks import PushOrder
from payments.simulator.endings import PAID, Ending, Outcome
from payments.simulator.schedule import eat

TOKEN_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One callback that was sent. `status` None: nobody answered, and `trouble` says why."""

    kind: str
    at: float
    status: int | None
    trouble: str = ""


@dataclass(kw_only=True)
class Transaction:
    """An accepted push. `outcome` None: the prompt is open on the phone. `ending` None: a person decides."""

    checkout_request_id: str
    merchant_request_id: str
    order: PushOrder
    account: Account
    accepted_at: float
    warnings: list[str]
    ending: Ending | None
    outcome: Outcome | None = None
    ended_at: float | None = None
    receipt: str | None = None
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def state(self) -> str:
        if self.outcome is None:
            return "prompt"
        return "paid" if self.outcome.code == PAID else "failed"


class Bank:
    """All of it under one lock; every method is one step."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._running = 0
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._transactions: dict[str, Transaction] = {}
            self._open: dict[str, Transaction] = {}
            self._latest: dict[str, Transaction] = {}
            self._tokens: dict[str, float] = {}
            self._receipts: set[str] = set()
            self._counters = Counter({"oauth": 0, "push": 0, "query": 0, "callback": 0})
            self._last_query = float("-inf")

    def count(self, what: str) -> None:
        with self._lock:
            self._counters[what] += 1

    def counters(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counters)

    def request_id(self) -> str:
        with self._lock:
            self._running += 1
            return ids.request_id(1000 + self._running)

    def issue_token(self, now: float, *, keep_older: bool) -> str:
        token = ids.access_token()
        with self._lock:
            if not keep_older:
                self._tokens.clear()
            self._tokens[token] = now + TOKEN_SECONDS
        return token

    def is_token(self, token: str, now: float) -> bool:
        with self._lock:
            return self._tokens.get(token, 0.0) > now

    def expire_tokens(self) -> None:
        with self._lock:
            self._tokens.clear()

    def accept(
        self, order: PushOrder, account: Account, *, now: float, ending: Ending | None, warnings: list[str]
    ) -> Transaction | None:
        """None when a prompt is open on the line already: one session per line (2.4)."""
        with self._lock:
            if order.phone in self._open:
                return None
            transaction = Transaction(
                checkout_request_id=self._new_checkout_id(order.phone, now),
                merchant_request_id=self.request_id(),
                order=order,
                account=account,
                accepted_at=now,
                warnings=warnings,
                ending=ending,
            )
            self._transactions[transaction.checkout_request_id] = transaction
            self._open[order.phone] = transaction
            self._latest.pop(order.phone, None)  # so that it moves to the end
            self._latest[order.phone] = transaction
        return transaction

    def _new_checkout_id(self, phone: str, moment: float) -> str:
        while (made := ids.checkout_request_id(eat(moment), phone)) in self._transactions:
            moment += 0.1
        return made

    def end(
        self, transaction: Transaction, outcome: Outcome, at: float, *, even_if_ended: bool = False
    ) -> bool:
        """False when it had ended already; the first end counts, save for money that comes late."""
        with self._lock:
            if self._transactions.get(transaction.checkout_request_id) is not transaction:
                return False  # it is of before a reset
            if transaction.outcome is not None and not even_if_ended:
                return False
            transaction.outcome = outcome
            transaction.ended_at = at
            if outcome.code == PAID:
                transaction.receipt = self._new_receipt(at)
            if self._open.get(transaction.order.phone) is transaction:
                del self._open[transaction.order.phone]
            return True

    def _new_receipt(self, moment: float) -> str:
        while (made := ids.receipt(eat(moment))) in self._receipts:
            pass
        self._receipts.add(made)
        return made

    def record(self, transaction: Transaction, delivery: Delivery) -> None:
        with self._lock:
            transaction.deliveries.append(delivery)

    def find(self, checkout_request_id: str) -> Transaction | None:
        with self._lock:
            return self._transactions.get(checkout_request_id)

    def transactions(self, phone: str | None = None) -> list[Transaction]:
        """Oldest first."""
        with self._lock:
            return [t for t in self._transactions.values() if phone in (None, t.order.phone)]

    def open_prompts(self) -> list[Transaction]:
        with self._lock:
            return list(self._open.values())

    def lines(self) -> list[str]:
        """Phones that were ever prompted, the latest first."""
        with self._lock:
            return list(reversed(self._latest))

    def paid_since(self, order: PushOrder, moment: float) -> bool:
        """Whether this line paid this same amount to this merchant at or after the moment."""
        return any(self._is_repeat(t, order, moment) for t in self.transactions(order.phone))

    @staticmethod
    def _is_repeat(earlier: Transaction, order: PushOrder, moment: float) -> bool:
        same = (earlier.order.amount, earlier.order.short_code) == (order.amount, order.short_code)
        return same and earlier.state == "paid" and (earlier.ended_at or 0.0) >= moment

    def may_query(self, now: float, apart: float) -> bool:
        """A limiter without bursts: one query per `apart` seconds."""
        with self._lock:
            if now - self._last_query < apart:
                return False
            self._last_query = now
            return True

    def warnings(self) -> Iterable[tuple[Transaction, str]]:
        return [(t, text) for t in self.transactions() for text in t.warnings]
