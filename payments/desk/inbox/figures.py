"""One delivery at our callback address in words: what it says, what became of it, what to do about it. Reads only."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from payments.daraja import CallbackUnreadable, StkCallback, read_callback
from payments.desk.words import Entry, kes, lowered, moment
from payments.models import CallbackDelivery
from payments.phones import blank_phones

Verdict = CallbackDelivery.Verdict

DEEPEST = 20  # steps of indentation: a hostile body may be nested a thousand deep


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """`colour` is unfold's, `tone` ours; `what` and `to_do` are sentences for staff."""

    colour: str
    tone: str
    what: str
    to_do: str


_NOTHING = "Nothing needs to be done."
_COMPARE = "Compare the payment with the M-PESA portal, then mark this as looked at."

MEANINGS: Mapping[str, Meaning] = {
    Verdict.RECEIVED: Meaning(
        colour="info",
        tone="info",
        what="It is kept, and nobody has read it yet.",
        to_do="The worker reads it by itself in a moment. If it stays like this, read it once more here.",
    ),
    Verdict.APPLIED: Meaning(
        colour="success",
        tone="ok",
        what="It was believed: it came to the payment's own secret address, with its id and its amount.",
        to_do=_NOTHING,
    ),
    Verdict.REPEATED: Meaning(
        colour="success",
        tone="ok",
        what="It says what the payment's history held already. Safaricom sends some callbacks twice.",
        to_do=_NOTHING,
    ),
    Verdict.HINT: Meaning(
        colour="info",
        tone="info",
        what="It settles nothing by itself: its address has no secret part, or it names no amount or no ending. "
        "Safaricom was asked instead.",
        to_do="Nothing needs to be done: what Safaricom answered stands on the payment's page.",
    ),
    Verdict.UNKNOWN_TOKEN: Meaning(
        colour="warning",
        tone="warn",
        what="The secret part of the address belongs to none of our payments, so it was not believed.",
        to_do="From another address, somebody tries to deceive us: mark it as looked at. If many come from "
        "Safaricom's, tell whoever runs the shop: they may belong to another copy of it.",
    ),
    Verdict.WRONG_ID: Meaning(
        colour="danger",
        tone="bad",
        what="It came to one payment's address and names the id of another, so it was not believed.",
        to_do=_COMPARE,
    ),
    Verdict.WRONG_AMOUNT: Meaning(
        colour="danger",
        tone="bad",
        what="It names another amount than was asked for, so it pays nothing by itself. Safaricom was asked.",
        to_do="Look the receipt up in the M-PESA portal. On the payment's page, settle by hand to accept the "
        "amount, or record its refund; then mark this as looked at.",
    ),
    Verdict.RECEIPT_TAKEN: Meaning(
        colour="danger",
        tone="bad",
        what="It names a receipt that belongs to another payment, so it was not believed. Safaricom was asked.",
        to_do="Compare both payments with the M-PESA portal, then mark this as looked at.",
    ),
    Verdict.UNREADABLE: Meaning(
        colour="danger",
        tone="bad",
        what="It is not a callback that we can read.",
        to_do="From another address, mark it as looked at. From Safaricom's, tell whoever runs the shop: once the "
        "fault is mended, read it once more.",
    ),
}


def sentence(delivery: CallbackDelivery) -> str:
    """When and from where it came, for which payment, and what it says."""
    for_whom = f" for order {delivery.attempt.account_reference}" if delivery.attempt else ""
    return f"It came on {moment(delivery.received_at)} from {source(delivery)}{for_whom}. {_says(delivery)}"


def source(delivery: CallbackDelivery) -> str:
    """Whose address it came from, and which."""
    whose = "Safaricom's address" if delivery.from_safaricom else "another address"
    return f"{whose} {delivery.source_address}" if delivery.source_address else "an address we don't know"


def history(delivery: CallbackDelivery) -> list[Entry]:
    """What happened to it, the oldest first."""
    waited = " The database was away, so it waited on disk." if delivery.spool_id else ""
    kind = ContentType.objects.get_for_model(CallbackDelivery)
    done = LogEntry.objects.filter(content_type=kind, object_id=str(delivery.pk)).select_related("user")
    told = [Entry(at=delivery.received_at, title=f"It came from {source(delivery)}.{waited}")]
    told += [
        Entry(at=each.action_time, title=each.get_change_message(), who=each.user.get_username())
        for each in done.order_by("action_time", "id")
    ]
    if delivery.reviewed_at:
        looked = Entry(
            at=delivery.reviewed_at, title="Marked as looked at.", tone="ok", who=delivery.reviewed_by
        )
        told.append(looked)
    return told


def body(delivery: CallbackDelivery) -> str:
    """What was sent, phone numbers blanked: indented where it is JSON, else as it came."""
    text = blank_phones(delivery.body)
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return indented(text)


def dump(delivery: CallbackDelivery) -> str:
    """What is no text, eight bytes a line (a phone's width): where, in hexadecimal, and as far as it can be read."""
    came = bytes(delivery.as_bytes or b"")
    lines = ((start, came[start : start + 8]) for start in range(0, len(came), 8))
    return "\n".join(
        f"{at:04x}  {line.hex(' ', -2):<19}  {''.join(map(_readable, line))}" for at, line in lines
    )


def _readable(byte: int) -> str:
    return chr(byte) if 0x20 <= byte < 0x7F else "."


def indented(text: str) -> str:
    """JSON over several lines. Every part of it stays as it was sent: no number is rounded, no name said twice lost."""
    depth, out = 0, ""
    parts = re.findall(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', text)
    for part, after in zip(parts, [*parts[1:], ""], strict=True):
        if part in "{[":
            depth += 1
            out += part if after in "}]" else part + _line(depth)
        elif part in "}]":
            depth -= 1
            out += part if out[-1] in "{[" else _line(depth) + part
        else:
            out += {",": "," + _line(depth), ":": ": "}.get(part, part)
    return out


def _line(depth: int) -> str:
    return "\n" + "  " * min(depth, DEEPEST)


def _says(delivery: CallbackDelivery) -> str:
    try:
        told = read_callback(delivery.body)
    except CallbackUnreadable:
        return "What it says can't be read."
    return f"It says: {_paid(told)}." if told.paid else f"It says: not paid ({lowered(told.result.meaning)})."


def _paid(told: StkCallback) -> str:
    amount = "paid, without an amount" if told.amount is None else f"paid, {kes(told.amount)}"
    return f"{amount}, receipt {blank_phones(told.receipt)}" if told.receipt else f"{amount}, no receipt"
