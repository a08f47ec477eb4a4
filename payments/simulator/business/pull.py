"""Pull: the payments of the last 48 hours, by rows (daraja.md 6.2). Bodies only."""

import re
from datetime import datetime
from typing import Any

from payments.simulator import ids
from payments.simulator.accounts import ACCOUNTS
from payments.simulator.bank import Bank
from payments.simulator.schedule import EAT, eat
from payments.simulator.till import Kind, Move

PAGE = 100  # rows
REACHES_BACK = 48 * 3600.0  # seconds
KINDS = {Kind.PAYMENT: "c2b-pay-bill-debit", Kind.REVERSAL: "organization-reversal"}
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", re.ASCII)


def is_moment(text: str) -> bool:
    return moment_of(text) is not None


def moment_of(text: str) -> float | None:
    """`2026-11-23 08:00:00` on Nairobi's clock."""
    if not MOMENT.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=EAT).timestamp()
    except ValueError:
        return None


def rows(bank: Bank, short_code: str, *, start: float, end: float, offset: int, now: float) -> list[Any]:
    start = max(start, now - REACHES_BACK)
    found = [
        move
        for move in bank.moves(short_code)
        if move.kind in KINDS and start <= move.at and int(move.at) <= end
    ]
    return [_row(move) for move in found[offset : offset + PAGE]]


def _row(move: Move) -> dict[str, Any]:
    kind = KINDS[move.kind]
    if move.kind is Kind.PAYMENT and not ACCOUNTS[move.short_code].is_paybill:
        kind = "c2b-buy-goods-debit"
    return {
        "transactionId": move.receipt,
        "trxDate": eat(move.at).replace(microsecond=0).isoformat(),
        "msisdn": int(move.phone[3:]) if move.phone else 0,
        "sender": "MPESA",
        "transactiontype": kind,
        "billreference": move.original or move.reference,
        "amount": f"{abs(move.change)}.00",
        "organizationname": ACCOUNTS[move.short_code].name,
    }


def answer(code: str, words: str, listed: list[Any]) -> dict[str, Any]:
    """The double array is Daraja's; `1001` is what it says of nothing, and of a pull that failed."""
    return {
        "ResponseRefID": ids.originator_conversation_id(2),
        "ResponseCode": code,
        "ResponseMessage": words,
        "Response": [listed],
    }


def registered(short_code: str, *, new: bool) -> dict[str, Any]:
    return {
        "ResponseRefID": ids.originator_conversation_id(2),
        "ResponseStatus": "1000" if new else "1001",
        "ShortCode": short_code,
        "ResponseDescription": "Shortcode Registered Successfully" if new else "Shortcode already Registered",
    }
