"""The control plane under /control/: JSON for tests and for the phone page. Nothing here is part of Daraja."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from operator import itemgetter
from typing import Any

from payments.simulator.accounts import PAYBILL, account_at
from payments.simulator.bank import Bank, Deed, Transaction
from payments.simulator.business.by_hand import HandPayments, Refused
from payments.simulator.business.orders import ByHand
from payments.simulator.callback_sender import CallbackSender
from payments.simulator.checks import MSISDN, is_amount, read_json, text_of
from payments.simulator.exchange import ACTIONS, Exchange
from payments.simulator.faults import FaultBoard, Switch
from payments.simulator.incoming import Request
from payments.simulator.replies import Reply, json_reply
from payments.simulator.schedule import Schedule, eat
from payments.simulator.texts import is_told, message_text, move_text, prompt_text
from payments.simulator.till import AlreadyReversed, Kind, Move, NotEnough, NotReversible

PREFIX = "/control/"
MESSAGES_SHOWN = 5
MAX_ADVANCE = 10 * 365 * 86400
MAX_WAIT_SECONDS = 60.0
RESET_WAIT_SECONDS = 2.0
WRONG_PIN_DIGITS = "0000"

Answer = tuple[int, dict[str, Any]]


class BadControlError(ValueError):
    """A control request that means nothing; the message says why."""


class Control:
    def __init__(
        self,
        *,
        bank: Bank,
        schedule: Schedule,
        faults: FaultBoard,
        exchange: Exchange,
        callback_sender: CallbackSender,
        by_hand: HandPayments,
    ) -> None:
        self._bank = bank
        self._schedule = schedule
        self._faults = faults
        self._exchange = exchange
        self._callback_sender = callback_sender
        self._by_hand = by_hand
        self._routes: Mapping[tuple[str, str], Callable[[Request], Answer]] = {
            ("GET", "state"): self._state,
            ("POST", "reset"): self._reset,
            ("POST", "clock"): self._advance,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._set_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "expire-tokens"): self._expire_tokens,
            ("GET", "prompts"): self._prompts,
            ("GET", "wait-idle"): self._wait_idle,
            ("POST", "pay"): self._pay_by_hand,
            ("POST", "reverse"): self._reverse,
            ("POST", "sweep"): self._sweep,
            ("DELETE", "c2b"): self._forget_addresses,
        }

    def answer(self, request: Request) -> Reply:
        name = request.path.removeprefix(PREFIX).rstrip("/")
        try:
            status, body = self._dispatch(request, name)
        except (ValueError, OverflowError) as bad:
            status, body = 400, {"error": str(bad)}
        return json_reply(body, status)

    def _dispatch(self, request: Request, name: str) -> Answer:
        if (route := self._routes.get((request.method, name))) is not None:
            return route(request)
        folder, _, checkout_request_id = name.partition("/")
        if request.method == "POST" and folder in ("prompts", "redeliver") and checkout_request_id:
            transaction = self._bank.find(checkout_request_id)
            if transaction is None:
                return 404, {"error": "no such transaction"}
            if folder == "prompts":
                return self._act(request, transaction)
            return self._redeliver(transaction)
        return 404, {"error": f"no such control: {request.method} /control/{name}"}

    # --- what is seen ---

    def _state(self, _request: Request) -> Answer:
        now = self._schedule.now()
        return 200, {
            "now": eat(now).isoformat(),
            "speed": "instant" if self._exchange.instant else "real",
            "counters": self._bank.counters(),
            "faults": [asdict(switch) for switch in self._faults.listed()],
            "warnings": [
                {"checkout_request_id": t.checkout_request_id, "phone": t.order.phone, "text": text}
                for t, text in self._bank.warnings()
            ],
            "prompts": [prompt_json(t) for t in self._bank.open_prompts()],
            "transactions": [transaction_json(t) for t in self._bank.transactions()],
            "moves": [move_json(move) for move in self._bank.all_moves()],
            "orders": [deed_json(deed) for deed in self._bank.deeds()],
        }

    def _prompts(self, request: Request) -> Answer:
        """What one phone shows, newest first; without `phone`, the line that was prompted last."""
        lines = self._bank.lines()
        lines += [phone for phone in self._bank.payers_by_hand() if phone not in lines]
        phone = request.query.get("phone") or (lines[0] if lines else "")
        newest_first = self._bank.transactions(phone)[::-1] if phone else []
        told = [(t.ended_at or 0.0, _message(t)) for t in newest_first if t.outcome is not None]
        told += [
            (m.at, _word(m)) for m in self._bank.all_moves() if phone and m.phone == phone and is_told(m)
        ]
        told.sort(key=itemgetter(0), reverse=True)
        return 200, {
            "phone": phone,
            "lines": lines,
            "prompts": [prompt_json(t) for t in newest_first if t.outcome is None],
            "messages": [message for _, message in told[:MESSAGES_SHOWN]],
        }

    def _list_faults(self, _request: Request) -> Answer:
        return 200, {"faults": [asdict(switch) for switch in self._faults.listed()]}

    def _wait_idle(self, request: Request) -> Answer:
        timeout = float(request.query.get("timeout", "10"))
        idle = self._schedule.wait_idle(min(timeout, MAX_WAIT_SECONDS))
        return (200 if idle else 504), {"idle": idle}

    # --- what is done ---

    def _reset(self, _request: Request) -> Answer:
        self._schedule.reset()
        self._schedule.wait_idle(RESET_WAIT_SECONDS)  # no callback of before lands in what comes after
        self._bank.reset()
        self._faults.reset()
        return 200, {"reset": True}

    def _advance(self, request: Request) -> Answer:
        seconds = _body(request).get("advance")
        if (
            not isinstance(seconds, (int, float))
            or isinstance(seconds, bool)
            or not 0 <= seconds <= MAX_ADVANCE
        ):
            raise BadControlError("advance takes a number of seconds, 0 or more")
        fired = self._schedule.advance(float(seconds))
        return 200, {"now": eat(self._schedule.now()).isoformat(), "fired": fired}

    def _set_fault(self, request: Request) -> Answer:
        body = _body(request)
        unknown = body.keys() - {"fault", "value", "phone", "times"}
        if unknown:
            raise BadControlError(
                f"a fault takes fault, value, phone and times, not {', '.join(sorted(unknown))}"
            )
        phone, times = body.get("phone"), body.get("times")
        if phone is not None and not (isinstance(phone, str) and MSISDN.fullmatch(phone)):
            raise BadControlError("phone is 12 digits, 2547… or 2541…")
        if times is not None and not (isinstance(times, int) and not isinstance(times, bool)):
            raise BadControlError("times is a whole number")
        self._faults.set(str(body.get("fault")), body.get("value", True), phone=phone, times=times)
        return self._list_faults(request)

    def _clear_faults(self, request: Request) -> Answer:
        self._faults.clear()
        return self._list_faults(request)

    def _expire_tokens(self, _request: Request) -> Answer:
        self._bank.expire_tokens()
        return 200, {"expired": True}

    def _pay_by_hand(self, request: Request) -> Answer:
        """As at the phone's own menu: a paybill or till number, the account typed, an amount, the PIN."""
        body = _body(request)
        account = account_at(text_of(body.get("short_code", PAYBILL.short_code)) or "")
        phone, amount = text_of(body.get("phone")) or "", text_of(body.get("amount")) or ""
        reference = (text_of(body.get("account")) or "").strip()
        if account is None:
            raise BadControlError("short_code is a paybill or till number of this simulator")
        if not MSISDN.fullmatch(phone):
            raise BadControlError("phone is 12 digits, 2547… or 2541…")
        if not is_amount(amount):
            raise BadControlError("amount is a whole number of shillings from 1 to 250,000")
        if account.is_paybill and not reference:
            raise BadControlError("a paybill asks for an account")
        if body.get("pin") == WRONG_PIN_DIGITS:
            return 409, {"error": "Wrong M-PESA PIN. No money has moved."}
        typed = reference if account.is_paybill else ""
        try:
            move = self._by_hand.pay(
                ByHand(account=account, phone=phone, amount=int(amount), reference=typed)
            )
        except Refused as refused:
            return 409, {"error": f"The business refused this payment ({refused}). No money has moved."}
        return 200, move_json(move)

    def _reverse(self, request: Request) -> Answer:
        """The customer has a payment of his taken back, by *334# or Safaricom's care."""
        body = _body(request)
        receipt = text_of(body.get("receipt")) or ""
        payment = self._bank.find_move(receipt)
        amount = text_of(body.get("amount", payment.change if payment else None)) or ""
        if payment is None or payment.kind is not Kind.PAYMENT:
            return 404, {"error": "no payment has this receipt"}
        if not is_amount(amount):
            raise BadControlError("amount is a whole number of shillings from 1 to 250,000")
        now = self._schedule.now()
        try:
            move = self._bank.reverse(
                short_code=payment.short_code, receipt=receipt, amount=int(amount), at=now, by="customer"
            )
        except NotReversible:
            return 409, {"error": "more than was paid can't go back"}
        except AlreadyReversed:
            return 409, {"error": "this payment has gone back already"}
        except NotEnough:
            return 409, {"error": "the business's till holds less than that"}
        return 200, move_json(move)

    def _sweep(self, request: Request) -> Answer:
        body = _body(request)
        account = account_at(text_of(body.get("short_code", PAYBILL.short_code)) or "")
        amount = body.get("amount")
        if account is None:
            raise BadControlError("short_code is a paybill or till number of this simulator")
        if amount is not None and not is_amount(text_of(amount) or ""):
            raise BadControlError("amount is a whole number of shillings, or left out for all of it")
        try:
            move = self._bank.sweep(
                short_code=account.short_code,
                amount=None if amount is None else int(amount),
                at=self._schedule.now(),
            )
        except NotEnough:
            return 409, {"error": "the till holds less than that"}
        return 200, move_json(move)

    def _forget_addresses(self, request: Request) -> Answer:
        """What the portal's self-service does: C2B addresses can be registered anew."""
        short_code = request.query.get("short_code", PAYBILL.short_code)
        return 200, {"deleted": self._bank.forget_addresses(short_code)}

    def _act(self, request: Request, transaction: Transaction) -> Answer:
        action = _body(request).get("action")
        if not isinstance(action, str) or action not in ACTIONS:
            raise BadControlError(f"action is one of {', '.join(ACTIONS)}")
        if not self._exchange.answer(transaction, action):
            return 409, {"error": "the prompt is closed", "state": transaction.state}
        return 200, transaction_json(transaction)

    def _redeliver(self, transaction: Transaction) -> Answer:
        if transaction.outcome is None:
            return 409, {"error": "the prompt is still open: there is nothing to deliver"}
        return 200, asdict(self._callback_sender.tell_again(transaction))


def _body(request: Request) -> Mapping[str, Any]:
    fields = read_json(request.body)
    if fields is None:
        raise BadControlError("the body must be a JSON object")
    return fields


def switch_text(switch: Switch) -> str:
    """One switch in words: `slow_answer = 2 for 254700000000, 1 more time`."""
    text = f"{switch.fault} = {json.dumps(switch.value)}"
    text += f" for {switch.phone}" if switch.phone else ""
    return text + (f", {switch.times} more" if switch.times else "")


def _message(transaction: Transaction) -> dict[str, Any]:
    return {
        "checkout_request_id": transaction.checkout_request_id,
        "state": transaction.state,
        "text": message_text(transaction),
        "receipt": transaction.receipt,
    }


def _word(move: Move) -> dict[str, Any]:
    return {"checkout_request_id": "", "state": "paid", "text": move_text(move), "receipt": move.receipt}


def move_json(move: Move) -> dict[str, Any]:
    return {
        **asdict(move),
        "kind": move.kind.value,
        "at": eat(move.at).isoformat(),
        "started_at": eat(move.started_at).isoformat(),
    }


def deed_json(deed: Deed) -> dict[str, Any]:
    return {
        "what": deed.what,
        "originator_conversation_id": deed.originator_conversation_id,
        "conversation_id": deed.conversation_id,
        "short_code": deed.short_code,
        "result_code": deed.code,
        "receipt": deed.receipt or None,
        "about": deed.fields["TransactionID"],
        "deliveries": [asdict(delivery) for delivery in list(deed.deliveries)],
    }


def prompt_json(transaction: Transaction) -> dict[str, Any]:
    return {
        "checkout_request_id": transaction.checkout_request_id,
        "phone": transaction.order.phone,
        "amount": transaction.order.amount,
        "reference": transaction.order.reference,
        "text": prompt_text(transaction.order, transaction.account),
    }


def transaction_json(transaction: Transaction) -> dict[str, Any]:
    order, outcome = transaction.order, transaction.outcome
    return {
        "checkout_request_id": transaction.checkout_request_id,
        "merchant_request_id": transaction.merchant_request_id,
        "phone": order.phone,
        "amount": order.amount,
        "short_code": order.short_code,
        "reference": order.reference,
        "description": order.description,
        "callback_url": order.callback_url,
        "state": transaction.state,
        "result_code": outcome.code if outcome else None,
        "receipt": transaction.receipt,
        "accepted_at": eat(transaction.accepted_at).isoformat(),
        "ended_at": eat(transaction.ended_at).isoformat() if transaction.ended_at else None,
        "deliveries": [asdict(delivery) for delivery in list(transaction.deliveries)],
        "warnings": transaction.warnings,
    }
