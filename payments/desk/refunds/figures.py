"""One refund as staff tell it: recorded, seen on the statement, or not seen for days. Reads only."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from payments.desk.lists import search
from payments.desk.words import Badge, Entry, kes_of, moment, span
from payments.facts import refund_is_unseen
from payments.models import HandSettlement, MpesaTransaction, Receipt, Refund

State = Refund.State


def badge(refund: Refund, *, now: datetime) -> Badge:
    match refund.state:
        case State.SEEN:
            return Badge("Seen on the statement", "ok")
        case State.FAILED:
            return Badge("It never left", "bad")
        case _ if refund_is_unseen(refund, now=now):
            return Badge(f"Not seen for {span(now - refund.recorded_at)}", "warn")
        case _:
            return Badge("Sent, not seen yet", "info")


def sentence(refund: Refund, *, now: datetime) -> str:
    """How far it is, as one says it to the customer who waits for it."""
    of = f" of receipt {refund.receipt}" if refund.receipt else ""
    order = f" for order {refund.attempt.account_reference}" if refund.attempt else ""
    recorded = (
        f"{refund.recorded_by} noted on {moment(refund.recorded_at)} that {kes_of(refund.amount_cents)}{of}{order} "
        f"was sent back in the M-PESA portal, reference {refund.reference}."
    )
    return f"{recorded} {_seen(refund, now=now)}"


def _seen(refund: Refund, *, now: datetime) -> str:
    match refund.state:
        case State.SEEN:
            left = refund.seen_as.happened_at if refund.seen_as else None
            return f"The M-PESA statement shows that it left{f' on {moment(left)}' if left else ''}."
        case State.FAILED:
            return "It never left: the money is still here."
        case _ if refund_is_unseen(refund, now=now):
            return f"No statement has shown it leave in {span(now - refund.recorded_at)}."
        case _:
            return "No statement has shown it leave yet."


def notices(refund: Refund, *, now: datetime) -> list[dict[str, str]]:
    if not refund_is_unseen(refund, now=now):
        return []
    return [
        {
            "what": "It should stand on a statement by now.",
            "to_do": "Upload the M-PESA statement of that day. If it isn't on it, look in the portal whether the "
            "reference is right, and whether the money was sent at all.",
        }
    ]


def history(refund: Refund) -> list[Entry]:
    """From recorded to seen, or taken back; the oldest first."""
    told = [
        Entry(
            at=refund.recorded_at,
            title=f"Recorded as sent: {kes_of(refund.amount_cents)}, reference {refund.reference}.",
            who=refund.recorded_by,
            words=refund.reason,
        )
    ]
    if refund.seen_as:
        left = f", leaving on {moment(refund.seen_as.happened_at)}" if refund.seen_as.happened_at else ""
        told.append(
            Entry(
                at=refund.seen_as.told_at,
                title=f"Seen on the M-PESA statement{left}, receipt {refund.seen_as}.",
                tone="ok",
                who="The M-PESA statement",
            )
        )
    return [*told, *_taken_back(refund)]


def _taken_back(refund: Refund) -> Iterator[Entry]:
    for undone in refund.decisions.filter(decision=HandSettlement.Decision.DONE).order_by("id"):
        second = f", confirmed by {undone.decided_by}" if undone.needs_second else ""
        yield Entry(
            at=undone.decided_at or undone.proposed_at,
            title="Taken back: it never left.",
            tone="warn",
            who=f"{undone.proposed_by}{second}",
            words=undone.reason,
        )


def found(refunds: QuerySet[Refund], term: str) -> QuerySet[Refund]:
    """By its reference, the receipt it is of, or what finds its payment. Each way is a look into an index."""
    spelt = term.strip().replace("\x00", "").upper()
    payments = search.found(MpesaTransaction.objects.all(), term).order_by("-id").values_list("id", flat=True)
    receipts = Receipt.objects.filter(code=spelt, voided_at=None).values_list("id", flat=True)
    ways = (
        Refund.objects.filter(reference=spelt),
        Refund.objects.filter(receipt__in=list(receipts[: search.AT_MOST])),
        Refund.objects.filter(attempt__in=list(payments[: search.AT_MOST])),
    )
    return refunds.filter(
        pk__in={pk for way in ways for pk in way.values_list("id", flat=True)[: search.AT_MOST]}
    )
