"""A payment made at the phone's own menu: validated where that is on, taken, confirmed (daraja.md 6.4)."""

import hashlib
import http.client
import json
import threading
from typing import Any
from urllib.parse import urlsplit

from payments.simulator.bank import Addresses, Bank, Transaction
from payments.simulator.business.orders import ByHand
from payments.simulator.business.results import stamp
from payments.simulator.callback_sender import post
from payments.simulator.faults import FaultBoard
from payments.simulator.schedule import Schedule
from payments.simulator.till import Move

VALIDATION_SECONDS = 8.0
SECONDS = 2.0  # from the payment to its confirmation


class Refused(Exception):
    """The shop's validation said no; the message is its code."""


class HandPayments:
    def __init__(self, *, bank: Bank, schedule: Schedule, faults: FaultBoard, instant: bool) -> None:
        self._bank = bank
        self._schedule = schedule
        self._faults = faults
        self._instant = instant

    def pay(self, paid: ByHand) -> Move:
        """Raises Refused."""
        now = self._schedule.now()
        short_code = paid.account.short_code
        receipt = self._bank.new_receipt(now)
        addresses = self._bank.addresses(short_code)
        if addresses is not None and self._faults.take("c2b_validation", paid.phone) is not None:
            told = _notice(paid, receipt, now, addresses.version, balance="")
            self._validate(addresses, told)
        move = self._bank.pay_by_hand(
            short_code=short_code,
            phone=paid.phone,
            amount=paid.amount,
            reference=paid.reference,
            at=self._schedule.now(),
            receipt=receipt,
            charge=int(self._faults.number("charges", paid.phone) or 0),
        )
        self._confirm(move, paid)
        return move

    def confirm_push(self, transaction: Transaction) -> None:
        """Where pushes are confirmed at the C2B address too."""
        order = transaction.order
        if self._faults.take("c2b_for_stk", order.phone) is None or not transaction.receipt:
            return
        move = self._bank.find_move(transaction.receipt)
        if move is not None:
            paid = ByHand(
                account=transaction.account, phone=order.phone, amount=order.amount, reference=order.reference
            )
            self._confirm(move, paid)

    def _validate(self, addresses: Addresses, told: dict[str, str]) -> None:
        self._bank.count("validation")
        code = _asked(addresses, told)
        if code is None and not addresses.goes_on:
            raise Refused("no answer")
        if code not in (None, "0"):
            raise Refused(code)

    def _confirm(self, move: Move, paid: ByHand) -> None:
        addresses = self._bank.addresses(move.short_code)
        if addresses is None or self._faults.take("no_confirmation", move.phone) is not None:
            return
        held, _, _ = self._bank.balances(move.short_code)
        told = _notice(paid, move.receipt, move.at, addresses.version, balance=f"{held}.00")
        copies = max(int(self._faults.number("duplicate_confirmation", move.phone) or 1), 1)
        late = self._faults.number("late_confirmation", move.phone)
        if self._instant and late is None:
            self._send_soon(addresses, told, copies)
            return
        due = self._schedule.now() + (SECONDS if late is None else late)
        self._schedule.at(due, lambda _due: self._send_soon(addresses, told, copies))

    def _send_soon(self, addresses: Addresses, told: dict[str, str], copies: int) -> None:
        ready = threading.Event()
        threading.Thread(target=self._send, args=(addresses, told, copies, ready), daemon=True).start()
        ready.wait()

    def _send(self, addresses: Addresses, told: dict[str, str], copies: int, ready: threading.Event) -> None:
        with self._schedule.busy():
            ready.set()
            for _ in range(copies):
                self._bank.count("confirmation")
                try:
                    post(addresses.confirmation_url, json.dumps(told).encode(), addresses.short_code)
                except (OSError, ValueError, http.client.HTTPException):
                    continue  # it is told once, and nobody listened


def _notice(paid: ByHand, receipt: str, at: float, version: int, *, balance: str) -> dict[str, str]:
    """Flat, all strings. Version 1 hashes the payer, 2 masks him."""
    masked = f"{paid.phone[:4]} ***** {paid.phone[-3:]}"
    return {
        "TransactionType": "Pay Bill" if paid.account.is_paybill else "Buy Goods",
        "TransID": receipt,
        "TransTime": stamp(at),
        "TransAmount": f"{paid.amount}.00",
        "BusinessShortCode": paid.account.short_code,
        "BillRefNumber": paid.reference,
        "InvoiceNumber": "",
        "OrgAccountBalance": balance,
        "ThirdPartyTransID": "",
        "MSISDN": hashlib.sha256(paid.phone.encode()).hexdigest() if version == 1 else masked,
        "FirstName": "JOHN",
        "MiddleName": "",
        "LastName": "",
    }


def _asked(addresses: Addresses, told: dict[str, str]) -> str | None:
    """The shop's ResultCode; None where it gave none in time."""
    parts = urlsplit(addresses.validation_url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=VALIDATION_SECONDS)
    try:
        connection.request(
            "POST", parts.path or "/", json.dumps(told).encode(), {"Content-Type": "application/json"}
        )
        answer: Any = json.loads(connection.getresponse().read(64 * 1024))
        return str(answer["ResultCode"])
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return None
    finally:
        connection.close()
