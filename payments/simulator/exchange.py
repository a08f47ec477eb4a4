"""Carries a prompt from the push to its end: by itself, by a person, or by time. No HTTP in here."""

import threading
from collections.abc import Mapping
from types import MappingProxyType

from payments.simulator.accounts import Account
from payments.simulator.bank import Bank, Transaction
from payments.simulator.business.by_hand import HandPayments
from payments.simulator.callback_sender import CallbackSender
from payments.simulator.checks import PushOrder, is_paired, warnings_about
from payments.simulator.endings import (
    CANCELLED,
    INSUFFICIENT,
    NO_ANSWER,
    OUTCOMES,
    PAID,
    PROMPT_SECONDS,
    SAME_AMOUNT_TOO_SOON,
    TOO_LONG_A_PROMPT,
    WRONG_PAIRING,
    WRONG_PIN,
    Ending,
    RefusedAtOnce,
    ending_of,
)
from payments.simulator.faults import FaultBoard
from payments.simulator.schedule import Schedule
from payments.simulator.texts import MAX_PROMPT, prompt_text

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "pay": PAID,
        "cancel": CANCELLED,
        "ignore": NO_ANSWER,
        "wrong_pin": WRONG_PIN,
        "insufficient": INSUFFICIENT,
    }
)
"""What a person can do with a prompt, and the code it ends with."""

SECONDS_TO_FAIL = 3.2
SAME_AMOUNT_SECONDS = 120.0


class Exchange:
    """`instant`: a listed ending happens when `settle` is called, not after its real time."""

    def __init__(
        self,
        *,
        bank: Bank,
        schedule: Schedule,
        faults: FaultBoard,
        callback_sender: CallbackSender,
        by_hand: HandPayments,
        instant: bool,
    ) -> None:
        self._bank = bank
        self._schedule = schedule
        self._faults = faults
        self._callback_sender = callback_sender
        self._by_hand = by_hand
        self.instant = instant

    def open(self, order: PushOrder, account: Account) -> Transaction | None:
        """The prompt appears on the phone; None when one is open there already."""
        now = self._schedule.now()
        ending = self._ending(order, account, now)
        warnings = warnings_about(order, account)
        transaction = self._bank.accept(order, account, now=now, ending=ending, warnings=warnings)
        if transaction is None:
            return None
        if ending is None:
            self._schedule.at(now + PROMPT_SECONDS, lambda due: self._end(transaction, NO_ANSWER, due))
        elif not self.instant:
            self._schedule.at(now + ending.seconds, lambda due: self._end_as_listed(transaction, ending, due))
        return transaction

    def settle(self, transaction: Transaction) -> threading.Thread | None:
        """End a listed one now; returns the thread that tells of it, if one does."""
        if transaction.ending is None:
            return None
        return self._end_as_listed(transaction, transaction.ending, self._schedule.now())

    def answer(self, transaction: Transaction, action: str) -> bool:
        """A person answers the prompt; False when it is closed already."""
        now = self._schedule.now()
        if not self._ended(transaction, ACTIONS[action], now):
            return False
        self._callback_sender.tell_the_end(transaction, now)
        return True

    def _ending(self, order: PushOrder, account: Account, now: float) -> Ending | None:
        code = self._certain_failure(order, account, now)
        if code is not None:
            return Ending(digits="", sentence="", code=code, seconds=SECONDS_TO_FAIL)
        ending = ending_of(order.phone)
        return None if isinstance(ending, RefusedAtOnce) else ending

    def _certain_failure(self, order: PushOrder, account: Account, now: float) -> str | None:
        """Whoever the payer is, this push can't be paid."""
        if not is_paired(order, account):
            return WRONG_PAIRING
        if len(prompt_text(order, account)) > MAX_PROMPT:
            return TOO_LONG_A_PROMPT
        ruled = self._faults.take("rule_17", order.phone) is not None
        if ruled and self._bank.paid_since(order, now - SAME_AMOUNT_SECONDS):
            return SAME_AMOUNT_TOO_SOON
        return None

    def _end_as_listed(self, transaction: Transaction, ending: Ending, at: float) -> threading.Thread | None:
        if transaction.outcome is not None:
            return None
        if ending.pays_later is not None:
            self._schedule.at(at + ending.pays_later, lambda due: self._pay_late(transaction, due))
        return self._end(transaction, ending.code, at)

    def _end(self, transaction: Transaction, code: str, at: float) -> threading.Thread | None:
        if not self._ended(transaction, code, at):
            return None
        return self._callback_sender.tell_the_end(transaction, at)

    def _pay_late(self, transaction: Transaction, at: float) -> None:
        if transaction.state == "failed" and self._ended(transaction, PAID, at, even_if_ended=True):
            self._callback_sender.tell_the_end(transaction, at)

    def _ended(self, transaction: Transaction, code: str, at: float, *, even_if_ended: bool = False) -> bool:
        charge = int(self._faults.number("charges", transaction.order.phone) or 0) if code == PAID else 0
        ended = self._bank.end(transaction, OUTCOMES[code], at, even_if_ended=even_if_ended, charge=charge)
        if ended:
            self._by_hand.confirm_push(transaction)
        return ended
