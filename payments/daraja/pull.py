"""Pull: what came to a short code in the last 48 hours, by rows (daraja.md, 6.2). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .plain import as_text
from .refusals import failure_of
from .replies import Reply, member, read_json
from .values import NAIROBI, amount_of, receipt_of

REGISTER_PATH = "/pulltransactions/v1/register"
QUERY_PATH = "/pulltransactions/v1/query"
ROWS_A_PAGE = 100

_FETCHED, _NOTHING_OR_FAILED = "1000", "1001"


@dataclass(frozen=True, kw_only=True)
class PullRow:
    """One movement. Of a payment `reference` is the account number that was typed; `kind` is Safaricom's word. The
    payer's number is not kept."""

    receipt: str
    at: datetime | None
    kind: str
    reference: str
    amount: Decimal | None

    @property
    def is_payment(self) -> bool:
        return self.kind.casefold().startswith("c2b")

    @property
    def is_reversal(self) -> bool:
        return "reversal" in self.kind.casefold()


@dataclass(frozen=True, kw_only=True)
class PullPage:
    """`fetched` False: Safaricom said 1001, which is "nothing" and "it failed" alike: it never counts as nothing."""

    rows: tuple[PullRow, ...]
    fetched: bool


@dataclass(frozen=True, kw_only=True)
class PullRegistered:
    """`new` False: it was registered before."""

    new: bool


def pull_body(short_code: str, *, start: datetime, end: datetime, offset: int) -> dict[str, str]:
    """`offset` counts rows."""
    return {
        "ShortCode": short_code,
        "StartDate": _moment(start),
        "EndDate": _moment(end),
        "OffSetValue": str(offset),
    }


def pull_registration_body(short_code: str, *, nominated_number: str, callback_url: str) -> dict[str, str]:
    return {
        "ShortCode": short_code,
        "RequestType": "Pull",
        "NominatedNumber": nominated_number,
        "CallBackURL": callback_url,
    }


def read_pull(reply: Reply) -> PullPage:
    """Raises Refused or OutcomeUnknown, of which neither says anything of money."""
    data = read_json(reply.text) if reply.status == 200 else None
    code = as_text(member(data, "ResponseCode"))
    if code == _NOTHING_OR_FAILED:
        return PullPage(rows=(), fetched=False)
    if code != _FETCHED:
        raise failure_of(reply)
    return PullPage(rows=tuple(_rows(member(data, "Response"))), fetched=True)


def read_pull_registration(reply: Reply) -> PullRegistered:
    data = read_json(reply.text) if reply.status == 200 else None
    status = as_text(member(data, "ResponseStatus")) or as_text(member(data, "Response Status"))
    if status not in (_FETCHED, _NOTHING_OR_FAILED):
        raise failure_of(reply)
    return PullRegistered(new=status == _FETCHED)


def _rows(listed: object) -> Iterator[PullRow]:
    """The double array, or a plain one. A row without a usable receipt is no row."""
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, list):
            yield from _rows(each)
        elif isinstance(each, Mapping) and (receipt := receipt_of(each.get("transactionId"))):
            yield PullRow(
                receipt=receipt,
                at=_at(each.get("trxDate")),
                kind=as_text(each.get("transactiontype")) or "",
                reference=as_text(each.get("billreference")) or "",
                amount=amount_of(each.get("amount")),
            )


def _at(value: object) -> datetime | None:
    """ISO; the zone's suffix varies, and a clock without one is Nairobi's."""
    try:
        at = datetime.fromisoformat(as_text(value) or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=NAIROBI)


def _moment(at: datetime) -> str:
    return at.astimezone(NAIROBI).strftime("%Y-%m-%d %H:%M:%S")
