"""All that needs a person as one list, the oldest first, whatever it is: read bit by bit, never held whole."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from payments import callbacks, gateway, ledger
from payments.attention.work import ALL, NAMES, Work
from payments.facts import WORDS

AT_A_TIME = 500  # rows of one kind in memory


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing for a person. `payment`: our public id. `cents`: what it is about, None where it is no money."""

    reason: str
    label: str
    payment: str | None
    order: str | None
    receipt: str | None
    cents: int | None
    since: datetime
    to_do: str


def rows(*, now: datetime) -> Iterator[Row]:
    kinds = (_of(work) for work in ALL)
    beside = (_beside("spool", since) for since in callbacks.spooled_since(gateway.spool_folder()))
    return heapq.merge(*kinds, beside, _unsealed(now), key=lambda row: row.since)


def _of(work: Work) -> Iterator[Row]:
    found = work.waiting().order_by("need_since", "pk").values_list(*NAMES)
    for since, order, payment, receipt, cents in found.iterator(chunk_size=AT_A_TIME):
        yield Row(
            reason=work.reason,
            label=work.label,
            payment=payment,
            order=order,
            receipt=receipt,
            cents=cents,
            since=since,
            to_do=work.to_do,
        )


def _unsealed(now: datetime) -> Iterator[Row]:
    if (since := ledger.unsealed_since(now=now)) is not None:
        yield _beside("unsealed", since)


def _beside(key: str, since: datetime) -> Row:
    """What is no row of a table."""
    words = WORDS[key]
    return Row(
        reason=words.key,
        label=words.label,
        payment=None,
        order=None,
        receipt=None,
        cents=None,
        since=since,
        to_do=words.to_do,
    )
