"""The callbacks a transaction gives rise to, as bytes, faults included (daraja.md 4). Sending them is elsewhere."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from payments.simulator.bank import Transaction
from payments.simulator.endings import CANCELLED, OUTCOMES, PAID, Outcome
from payments.simulator.faults import FaultValue
from payments.simulator.schedule import eat

Take = Callable[[str], FaultValue | None]
"""Whether a fault is on for this transaction, and its value; each call uses it once."""

Item = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Letter:
    kind: str
    body: bytes


def compose(transaction: Transaction, take: Take) -> list[list[Letter]]:
    """Rounds of letters: one round goes out at the same time, the next when it has been answered."""
    outcome = transaction.outcome
    if outcome is None:
        raise ValueError("the prompt is still open: there is nothing to tell")
    body = _body(transaction, outcome, take)
    copies = max(int(take("duplicate_callback") or 1), 1)
    rounds = [[Letter(kind="final", body=body)] + [Letter(kind="duplicate", body=body)] * (copies - 1)]
    contrary = take("contrary_callback") if outcome.code == PAID else None
    if contrary is not None:
        letter = Letter(kind="contrary", body=_body(transaction, OUTCOMES[CANCELLED], take))
        rounds.insert(0 if contrary == "before" else 1, [letter])
    return rounds


def _body(transaction: Transaction, outcome: Outcome, take: Take) -> bytes:
    as_text = take("string_codes") is not None or not outcome.code.isdigit()
    callback: dict[str, Any] = {
        "MerchantRequestID": transaction.merchant_request_id,
        "CheckoutRequestID": transaction.checkout_request_id,
        "ResultCode": outcome.code if as_text else int(outcome.code),
        "ResultDesc": outcome.in_callback,
    }
    if outcome.code == PAID and take("missing_metadata") is None:
        callback["CallbackMetadata"] = {"Item": _items(transaction, take)}
    return json.dumps({"Body": {"stkCallback": callback}}, separators=(",", ":")).encode()


def _items(transaction: Transaction, take: Take) -> list[Item]:
    paid_at = eat(transaction.ended_at or transaction.accepted_at)
    items = [
        *_amount(transaction.order.amount, take),
        {"Name": "MpesaReceiptNumber", "Value": transaction.receipt},
        {"Name": "Balance"},
        {"Name": "TransactionDate", "Value": int(f"{paid_at:%Y%m%d%H%M%S}")},
        *_phone(transaction.order.phone, take),
    ]
    return items[::-1] if take("wrong_order") is not None else items


def _amount(asked: int, take: Take) -> list[Item]:
    if take("missing_amount") is not None:
        return []
    other = take("wrong_amount_callback")
    amount = asked if other is None else int(other)
    return [{"Name": "Amount", "Value": f"{amount}.00" if take("string_amount") is not None else amount}]


def _phone(phone: str, take: Take) -> list[Item]:
    if take("missing_phone") is not None:
        return []
    if take("masked_phone") is not None:
        return [{"Name": "PhoneNumber", "Value": f"{phone[:6]}***{phone[-3:]}"}]
    return [{"Name": "PhoneNumber", "Value": phone if take("string_phone") is not None else int(phone)}]
