"""What is told, in words for people and as JSON for programs. Pure but for the desk's addresses."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.urls import reverse

from payments.alerts.things import AT_MOST, Thing
from payments.desk import BY_KEY, counted, kes_of, moment, shillings
from payments.gateway import desk_url

SHOWN = 10  # of one kind, the oldest; the rest is a number and a link
SENDER = "DJ Kraph"


@dataclass(frozen=True, kw_only=True)
class News:
    """A thing to tell now. `again`: it was told a day ago, and still stands."""

    thing: Thing
    again: bool


def subject(news: Sequence[News]) -> str:
    troubles = [each.thing for each in news if each.thing.is_trouble]
    people = sum(each.thing.count for each in news if not each.thing.is_trouble)
    parts = [
        counted(len(troubles), "trouble") if troubles else "",
        counted(people, "thing needs a person", "things need a person") if people else "",
    ]
    return f"{SENDER}: {', '.join(filter(None, parts))}"


# --- for people ---------------------------------------------------------------------------------------------


def text(news: Sequence[News]) -> str:
    groups = [_group(kind, of_kind) for kind, of_kind in _by_kind(news)]
    end = (
        f"The desk: {desk_url(reverse('admin:index'))}",
        "Each thing is told once, and again after a day while it stands.",
    )
    return "\n\n".join([*groups, "\n".join(end)]) + "\n"


def _by_kind(news: Sequence[News]) -> list[tuple[str, list[News]]]:
    """Troubles first; of one kind the oldest first, as they came."""
    in_order = sorted(news, key=lambda each: (not each.thing.is_trouble, each.thing.kind))
    return [(kind, list(found)) for kind, found in groupby(in_order, key=lambda each: each.thing.kind)]


def _group(kind: str, news: list[News]) -> str:
    first = news[0].thing
    return "\n".join([*_head(first, news), *_lines(kind, news)])


def _head(first: Thing, news: list[News]) -> Iterator[str]:
    if first.is_trouble:
        yield f"TROUBLE{' (told before)' if news[0].again else ''}: {first.what}"
    else:
        yield f"{first.label.upper()}, {_many(sum(each.thing.count for each in news))}"
        yield first.what
    yield f"Next: {first.to_do}"


def _lines(kind: str, news: list[News]) -> Iterator[str]:
    for each in news[:SHOWN]:
        if each.thing.is_trouble:
            if each.thing.since:
                yield f"Since {moment(each.thing.since)}"
        else:
            yield f"- {' · '.join(_parts(each))}"
            yield f"  {desk_url(each.thing.path)}"
    if len(news) > SHOWN:
        yield f"- and {_many(len(news) - SHOWN)} more: {_list_of(kind)}"


def _many(count: int) -> str:
    return f"{count:,} or more" if count >= AT_MOST else f"{count:,}"


def _parts(each: News) -> Iterator[str]:
    thing = each.thing
    if thing.cents is not None:
        yield kes_of(thing.cents)
    if thing.order:
        yield f"order {thing.order}"
    if thing.receipt:
        yield f"receipt {thing.receipt}"
    yield f"{'the oldest ' if thing.count > 1 else ''}since {moment(thing.since)}"
    if each.again:
        yield "told before"


def _list_of(kind: str) -> str:
    return desk_url(BY_KEY[kind].address or reverse("admin:index"))


# --- for programs -------------------------------------------------------------------------------------------


def as_json(news: Sequence[News], *, message_id: str, made_at: datetime) -> str:
    """`more`: of each kind, how many are not listed."""
    groups = _by_kind(news)
    told = {
        "id": message_id,
        "made_at": made_at.isoformat(),
        "subject": subject(news),
        "desk": desk_url(reverse("admin:index")),
        "count": sum(each.thing.count for each in news),
        "things": [_plain(each) for _, of_kind in groups for each in of_kind[:SHOWN]],
        "more": {kind: len(of_kind) - SHOWN for kind, of_kind in groups if len(of_kind) > SHOWN},
    }
    return json.dumps(told, ensure_ascii=False)


def _plain(each: News) -> dict[str, Any]:
    thing = each.thing
    return {
        "key": thing.key,
        "trouble": thing.is_trouble,
        "label": thing.label,
        "what": thing.what,
        "to_do": thing.to_do,
        "order": thing.order,
        "receipt": thing.receipt,
        "payment": thing.payment,
        "count": thing.count,
        "amount_kes": None if thing.cents is None else shillings(thing.cents),
        "since": thing.since.isoformat() if thing.since else None,
        "address": desk_url(thing.path),
        "again": each.again,
    }
