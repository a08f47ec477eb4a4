"""The accounts, and a posting as it is written. What is posted, and why, is decided in moves.py and beside.py."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from djkraph import sql
from payments import gateway
from payments.models import Posting
from payments.signing import Moved

Code = Posting.Code

UNCLAIMED, REFUNDS_DUE, KEPT, OPENING = "unclaimed", "refunds_due", "kept", "opening"
BANK, CHARGES, UNDECIDED = "bank", "charges", "undecided"
ORDER, MPESA = "order:", "mpesa:"
CENTS = 100


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A posting to be written. Cents. `mends`: the posting it takes back, by id and ref."""

    debit: str
    credit: str
    cents: int
    code: Code
    mends: tuple[int, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Because:
    """What postings go with: the receipt whose shillings move, and the event of an attempt, where one is behind it."""

    receipt_id: int | None
    now: datetime
    attempt_id: int | None = None
    attempt: str = ""  # its public id
    event_number: int | None = None


def mpesa(short_code: str) -> str:
    """The account of what Safaricom holds for this short code."""
    return f"{MPESA}{short_code}"


def order_account(code: str) -> str:
    return f"{ORDER}{code}"


def post(entries: Iterable[Entry], because: Because) -> None:
    for entry in entries:
        sql.insert(Posting, row_of(entry, because))


def post_many(entries: Iterable[tuple[Entry, Because]]) -> None:
    """By the thousand: a statement's lines."""
    rows = [tuple(row_of(entry, because).values()) for entry, because in entries]
    sql.insert_new(Posting, COLUMNS, rows)


def row_of(entry: Entry, because: Because) -> dict[str, Any]:
    """The posting's columns, in the order of COLUMNS, signed."""
    moved = Moved(
        ref=secrets.token_hex(12),
        at=because.now,
        debit=entry.debit,
        credit=entry.credit,
        amount_cents=entry.cents,
        code=entry.code,
        receipt_id=because.receipt_id,
        attempt=because.attempt,
        event_number=because.event_number,
        mends=entry.mends[1] if entry.mends else "",
    )
    key_id, digest = gateway.keyring().sign(moved)
    return {
        "ref": moved.ref,
        "at": because.now,
        "debit": moved.debit,
        "credit": moved.credit,
        "amount_cents": moved.amount_cents,
        "code": moved.code,
        "receipt_id": because.receipt_id,
        "attempt_id": because.attempt_id,
        "event_number": because.event_number,
        "mends_id": entry.mends[0] if entry.mends else None,
        "hash": digest,
        "key_id": key_id,
    }


COLUMNS = (
    "ref",
    "at",
    "debit",
    "credit",
    "amount_cents",
    "code",
    "receipt_id",
    "attempt_id",
    "event_number",
    "mends_id",
    "hash",
    "key_id",
)
