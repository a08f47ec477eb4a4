"""Sends callbacks and writes down what came of it. What is in them is elsewhere."""

import http.client
import threading
from functools import partial
from urllib.parse import urlsplit

from payments.simulator.bank import Bank, Delivery, Transaction
from payments.simulator.callbacks import Letter, compose
from payments.simulator.faults import FaultBoard
from payments.simulator.schedule import Schedule

TIMEOUT_SECONDS = 10


class CallbackSender:
    """Delivers once and never again by itself, as Daraja does (daraja.md 4)."""

    def __init__(self, *, bank: Bank, schedule: Schedule, faults: FaultBoard) -> None:
        self._bank = bank
        self._schedule = schedule
        self._faults = faults

    def tell_the_end(self, transaction: Transaction, at: float) -> threading.Thread | None:
        """On a thread of its own, which is returned; None when a fault holds the callback back."""
        phone = transaction.order.phone
        if self._faults.take("no_callback", phone) is not None:
            return None
        rounds = compose(transaction, partial(self._faults.take, phone=phone))
        late = self._faults.number("late_callback", phone)
        if late is None:
            return self._send_soon(transaction, rounds)
        self._schedule.at(at + late, lambda _due: self._send_soon(transaction, rounds))
        return None

    def tell_again(self, transaction: Transaction) -> Delivery:
        """One more copy of the final callback, now; returns once it was answered or failed."""
        letter = compose(transaction, lambda _name: None)[0][0]
        with self._schedule.busy():
            return self._send(transaction, Letter(kind="again", body=letter.body))

    def _send_soon(self, transaction: Transaction, rounds: list[list[Letter]]) -> threading.Thread:
        ready = threading.Event()
        thread = threading.Thread(target=self._send_rounds, args=(transaction, rounds, ready), daemon=True)
        thread.start()
        ready.wait()  # it counts as under way before anyone can ask whether the simulator is idle
        return thread

    def _send_rounds(
        self, transaction: Transaction, rounds: list[list[Letter]], ready: threading.Event
    ) -> None:
        with self._schedule.busy():
            ready.set()
            for letters in rounds:
                self._send_together(transaction, letters)

    def _send_together(self, transaction: Transaction, letters: list[Letter]) -> None:
        first, *others = letters
        threads = [
            threading.Thread(target=self._send, args=(transaction, other), daemon=True) for other in others
        ]
        for thread in threads:
            thread.start()
        self._send(transaction, first)
        for thread in threads:
            thread.join()

    def _send(self, transaction: Transaction, letter: Letter) -> Delivery:
        self._bank.count("callback")
        status, trouble = None, ""
        at = self._schedule.now()
        try:
            status = post(transaction.order.callback_url, letter.body, transaction.order.short_code)
        except (OSError, ValueError, http.client.HTTPException) as caught:
            trouble = type(caught).__name__
        delivery = Delivery(kind=letter.kind, at=at, status=status, trouble=trouble)
        self._bank.record(transaction, delivery)
        return delivery


def post(url: str, body: bytes, short_code: str) -> int:
    """The status of the answer; a redirect is not followed."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": "application/json;charset=UTF-8", "Businessshortcode": short_code}
    try:
        connection.request("POST", target, body=body, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()
