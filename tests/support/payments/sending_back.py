"""The shop's money, at the simulated Safaricom and here, for stories of money that goes back."""

import json
from typing import Any

from django.test import Client as Browser

from payments import gateway, ledger, reversals
from payments.ledger import CENTS, Source, Told
from payments.models import MpesaTransaction, Receipt, Reversal
from tests.support.payments.clock import Clock
from tests.support.payments.paying import pay
from tests.support.payments.simulator import Client, Shop


class Till:
    """The shop's money, at Safaricom and here."""

    def __init__(self, simulator: Client, posts: Shop, clock: Clock, ways: dict[str, Any]) -> None:
        self.simulator = simulator
        self.posts = posts
        self.clock = clock
        self._ways = ways
        self._arrived = 0

    def payment(self, kes: int = 1500) -> MpesaTransaction:
        """One of ours, paid, under the receipt that Safaricom has for it."""
        code = self.simulator.paid_by_hand(kes, "CART1")
        return pay(
            self._ways["click"], self._ways["safaricom"], self.clock, receipt=code, amount=kes,
            reference=f"CART{code[-4:]}", msisdn=f"2547{int(code, 36) % 10**8:08}",
        )  # fmt: skip

    def nobodys(self, kes: int = 1500) -> Receipt:
        """Paid by hand, and nobody's yet."""
        code = self.simulator.paid_by_hand(kes, "wanjiru")
        told = Told(
            code=code,
            kind=Receipt.Kind.PAYMENT,
            direction=Receipt.Direction.IN,
            cents=CENTS * kes,
            happened_at=self.clock(),
            short_code="174379",
            account_no="wanjiru",
            source=Source.STATEMENT,
        )
        return Receipt.objects.get(pk=ledger.book_payment(told, order_id=None, now=self.clock()))

    def work(self, rounds: int = 1) -> None:
        """The worker, and what it sends on its way."""
        client = self._ways["real"]
        self._ways["patch"].setattr(gateway, "client", lambda: client)
        for _ in range(rounds):
            reversals.send_next(clock=self.clock)
            reversals.look_next(clock=self.clock)
        self.simulator.idle()
        self._ways["patch"].setattr(gateway, "client", lambda: self._ways["safaricom"])

    def arrive(self) -> list[int]:
        """All that Safaricom posted since, each once."""
        self.simulator.idle()
        waiting = list(zip(self.posts.paths, self.posts.bodies, strict=True))[self._arrived :]
        self._arrived += len(waiting)
        return [self.post(path, body) for path, body in waiting]

    def post(self, path: str, body: Any) -> int:
        answer = Browser().post(path, json.dumps(body), content_type="application/json")
        assert answer.json() == {"ResultCode": 0, "ResultDesc": "Accepted"}
        return answer.status_code

    @property
    def went(self) -> int:
        """What really went back (KES)."""
        return -sum(move["change"] for move in self.simulator.moves("reversal"))

    def orders(self, what: str = "reversal") -> int:
        return int(self.simulator.control("GET", "state")["counters"][what])


def state_of(receipt: Receipt | MpesaTransaction) -> str:
    of = {"receipt": receipt} if isinstance(receipt, Receipt) else {"receipt__attempt": receipt}
    return str(Reversal.objects.filter(**of).latest("id").state)
