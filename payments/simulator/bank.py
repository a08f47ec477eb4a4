"""What has happened so far: tokens, transactions, counters. No HTTP in here, and no decision on how a push ends."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from payments.simulator import ids
from payments.simulator.accounts import Account
from payments.simulator.checks import PushOrder
from payments.simulator.endings import PAID, Ending, Outcome
from payments.simulator.schedule import eat
from payments.simulator.till import Kind, Move, Till

TOKEN_SECONDS = 3600.0
COUNTED = (
    "oauth",
    "push",
    "query",
    "callback",
    "status",
    "reversal",
    "balance",
    "pull",
    "c2b",
    "result",
    "confirmation",
    "validation",
)


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


@dataclass(kw_only=True)
class Deed:
    """What an initiator asked for, beyond its acknowledgement. `code` None: it is under way. `receipt`: of the movement
    it led to. `move` is None where none did."""

    what: str
    originator_conversation_id: str
    conversation_id: str
    short_code: str
    accepted_at: float
    result_url: str
    timeout_url: str
    fields: Mapping[str, str]
    code: str | None = None
    words: str = ""
    ended_at: float | None = None
    receipt: str = ""
    deliveries: list[Delivery] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where a short code wants to be told of payments. `version` 1 hashes the payer, 2 masks him."""

    short_code: str
    version: int
    confirmation_url: str
    validation_url: str
    goes_on: bool


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
            self._tills: dict[str, Till] = {}
            self._deeds: dict[str, Deed] = {}
            self._addresses: dict[str, Addresses] = {}
            self._pulls: set[str] = set()
            self._counters = Counter(dict.fromkeys(COUNTED, 0))
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
        self,
        transaction: Transaction,
        outcome: Outcome,
        at: float,
        *,
        even_if_ended: bool = False,
        charge: int = 0,
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
                order = transaction.order
                paid = Move(
                    receipt=transaction.receipt,
                    kind=Kind.PAYMENT,
                    short_code=order.short_code,
                    change=order.amount,
                    at=at,
                    started_at=transaction.accepted_at,
                    by="stk",
                    phone=order.phone,
                    reference=order.reference,
                )
                self._till(order.short_code).pay(paid, charge=charge)
            if self._open.get(transaction.order.phone) is transaction:
                del self._open[transaction.order.phone]
            return True

    def _new_receipt(self, moment: float) -> str:
        while (made := ids.receipt(eat(moment))) in self._receipts:
            pass
        self._receipts.add(made)
        return made

    # --- the tills ---

    def _till(self, short_code: str) -> Till:
        return self._tills.setdefault(short_code, Till())

    def moves(self, short_code: str) -> list[Move]:
        with self._lock:
            return self._till(short_code).moves()

    def all_moves(self) -> list[Move]:
        with self._lock:
            return [move for till in self._tills.values() for move in till.moves()]

    def payers_by_hand(self) -> list[str]:
        """Phones that paid at their own menu, the latest first."""
        paid = [move for move in self.all_moves() if move.by == "c2b"]
        return list(dict.fromkeys(move.phone for move in reversed(paid)))

    def balances(self, short_code: str) -> tuple[int, int, int]:
        """What it holds, what its bank got, what it was charged."""
        with self._lock:
            till = self._till(short_code)
            return till.balance(), till.at_the_bank(), till.charged()

    def find_move(self, receipt: str) -> Move | None:
        with self._lock:
            found = (till.find(receipt) for till in self._tills.values())
            return next((move for move in found if move), None)

    def reversal_of(self, receipt: str) -> Move | None:
        with self._lock:
            found = (till.reversal_of(receipt) for till in self._tills.values())
            return next((move for move in found if move), None)

    def pay_by_hand(
        self,
        *,
        short_code: str,
        phone: str,
        amount: int,
        reference: str,
        at: float,
        receipt: str,
        charge: int,
    ) -> Move:
        paid = Move(
            receipt=receipt,
            kind=Kind.PAYMENT,
            short_code=short_code,
            change=amount,
            at=at,
            started_at=at,
            by="c2b",
            phone=phone,
            reference=reference,
        )
        with self._lock:
            self._till(short_code).pay(paid, charge=charge)
        return paid

    def new_receipt(self, moment: float) -> str:
        with self._lock:
            return self._new_receipt(moment)

    def reverse(self, *, short_code: str, receipt: str, amount: int, at: float, by: str) -> Move:
        """Raises NotReversible, AlreadyReversed or NotEnough."""
        with self._lock:
            till = self._till(short_code)
            payment = till.check_reversal(receipt, amount)
            move = Move(
                receipt=self._new_receipt(at),
                kind=Kind.REVERSAL,
                short_code=short_code,
                change=-amount,
                at=at,
                started_at=at,
                by=by,
                phone=payment.phone,
                reference=payment.reference,
                original=receipt,
            )
            till.reverse(move)
            return move

    def sweep(self, *, short_code: str, amount: int | None, at: float) -> Move:
        """To the shop's bank: all of it where no amount is named. Raises NotEnough."""
        with self._lock:
            till = self._till(short_code)
            move = Move(
                receipt=self._new_receipt(at),
                kind=Kind.TO_BANK,
                short_code=short_code,
                change=-(till.balance() if amount is None else amount),
                at=at,
                started_at=at,
                by="bank",
            )
            till.sweep(move)
            return move

    # --- what initiators asked for, and who wants to be told ---

    def accept_deed(
        self,
        *,
        what: str,
        short_code: str,
        at: float,
        result_url: str,
        timeout_url: str,
        fields: Mapping[str, str],
    ) -> Deed:
        with self._lock:
            self._running += 1
            deed = Deed(
                what=what,
                originator_conversation_id=ids.originator_conversation_id(self._running),
                conversation_id=ids.conversation_id(eat(at)),
                short_code=short_code,
                accepted_at=at,
                result_url=result_url,
                timeout_url=timeout_url,
                fields=fields,
            )
            self._deeds[deed.originator_conversation_id] = deed
        return deed

    def find_deed(self, originator_conversation_id: str) -> Deed | None:
        with self._lock:
            return self._deeds.get(originator_conversation_id)

    def is_known(self, deed: Deed) -> bool:
        """False: it is of before a reset."""
        with self._lock:
            return self._deeds.get(deed.originator_conversation_id) is deed

    def deeds(self) -> list[Deed]:
        with self._lock:
            return list(self._deeds.values())

    def register_addresses(self, addresses: Addresses) -> bool:
        """False: there are some already."""
        with self._lock:
            return self._addresses.setdefault(addresses.short_code, addresses) is addresses

    def addresses(self, short_code: str) -> Addresses | None:
        with self._lock:
            return self._addresses.get(short_code)

    def forget_addresses(self, short_code: str) -> bool:
        with self._lock:
            return self._addresses.pop(short_code, None) is not None

    def register_pull(self, short_code: str) -> bool:
        """False: it was registered before."""
        with self._lock:
            new = short_code not in self._pulls
            self._pulls.add(short_code)
            return new

    def may_pull(self, short_code: str) -> bool:
        with self._lock:
            return short_code in self._pulls

    def record(self, of: Transaction | Deed, delivery: Delivery) -> None:
        with self._lock:
            of.deliveries.append(delivery)

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
