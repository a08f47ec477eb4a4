"""One order to send money back as staff tell it: how far it is, what happened, what to do. Reads only."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q, QuerySet

from payments.desk.lists import search
from payments.desk.words import Badge, Entry, kes, moment, span
from payments.facts import reversal_is_stuck
from payments.models import MpesaTransaction, Receipt, Reversal

Is = Reversal.State
TONES = {
    Is.DUE: "info",
    Is.SENDING: "info",
    Is.ASKED: "info",
    Is.UNKNOWN: "warn",
    Is.DONE: "ok",
    Is.REFUSED: "bad",
}
TO_DO = {
    "swept": "Wait until more has come in, or move money back, then send it back anew. Else use the M-PESA portal.",
    "before": "Upload the M-PESA statement: it shows who sent it back, and when.",
    "set-up": "Tell whoever runs the shop: nothing can be sent back before it is mended. Else use the M-PESA portal.",
    "else": "Send it back anew, or in the M-PESA portal and record the refund. Then mark this as looked at.",
}
KINDS_OF_FAILURE = {
    "1": "swept", "R000001": "before", "18": "set-up", "20": "set-up", "21": "set-up", "22": "set-up",
    "2001": "set-up", "8006": "set-up", "2028": "set-up",
}  # fmt: skip


def badge(row: Reversal, *, now: datetime) -> Badge:
    if reversal_is_stuck(row, now=now) and row.sent_at is not None:
        return Badge(f"No word for {span(now - row.sent_at)}", "warn")
    return Badge(row.get_state_display(), TONES[Is(row.state)])


def sentence(row: Reversal) -> str:
    """As one says it to the customer who waits for it."""
    second = f", and {row.confirmed_by} confirmed it" if row.confirmed_by else ""
    decided = (
        f"{row.decided_by} decided on {moment(row.decided_at)}{second} that {kes(row.amount_kes)} of receipt "
        f"{row.receipt} go back to the customer."
    )
    return f"{decided} {_how_far(row)}"


def _how_far(row: Reversal) -> str:
    match row.state:
        case Is.DUE:
            return "It is sent to Safaricom in a moment."
        case Is.SENDING:
            return "It is on its way to Safaricom."
        case Is.ASKED:
            return "Safaricom took the order, and has not said yet that the money went."
        case Is.UNKNOWN:
            return (
                "Safaricom gave no answer, so nobody knows yet whether the money went. It is not sent twice."
            )
        case Is.DONE:
            when = f" on {moment(row.went_as.happened_at)}" if row.went_as and row.went_as.happened_at else ""
            return f"The money went back{when}, receipt {row.went_as}."
        case _:
            return f"It did not go back, the money is still here: {row.words}"


def notices(row: Reversal, *, now: datetime) -> list[dict[str, str]]:
    if reversal_is_stuck(row, now=now):
        what = "Safaricom has not said for an hour whether the money went."
        to_do = (
            "Upload the M-PESA statement of that day: where it shows the reversal, this ends by itself. Where the "
            "portal shows that it never left, say so here. Don't send it back another way before that."
        )
        return [{"what": what, "to_do": to_do}]
    if row.state == Is.REFUSED and row.reviewed_at is None and row.code not in ("never_went", "not_sent"):
        return [
            {"what": "The money did not go back.", "to_do": TO_DO[KINDS_OF_FAILURE.get(row.code, "else")]}
        ]
    return []


def history(row: Reversal) -> list[Entry]:
    return list(_entries(row))


def _entries(row: Reversal) -> Iterator[Entry]:
    second = f", confirmed by {row.confirmed_by}" if row.confirmed_by else ""
    title = f"Decided: {kes(row.amount_kes)} go back."
    yield Entry(at=row.decided_at, title=title, who=f"{row.decided_by}{second}", words=row.reason)
    if row.sent_at is not None:
        taken = row.originator_conversation_id
        told = f"Safaricom took it: {taken}." if taken else "Safaricom's answer did not come."
        yield Entry(at=row.sent_at, title="Sent to Safaricom, once.", who="Our order", words=told)
    if row.looks:
        yield Entry(
            at=row.ended_at or row.sent_at or row.decided_at,
            title=f"Safaricom was asked {row.looks} times what came of it.",
            who="The worker",
        )
    if row.state == Is.DONE and row.ended_at is not None:
        yield Entry(
            at=row.ended_at, title=f"It went back, receipt {row.went_as}.", tone="ok", who="Safaricom"
        )
    if row.state == Is.REFUSED and row.ended_at is not None:
        who = "Staff" if row.code == "never_went" else f"Safaricom, code {row.code}"
        title = "It did not go back."
        yield Entry(at=row.ended_at, title=title, tone="bad", who=who, words=row.words)
    if row.reviewed_at is not None:
        yield Entry(at=row.reviewed_at, title="Marked as looked at.", tone="ok", who=row.reviewed_by)


def of_receipt(receipt: Receipt) -> QuerySet[Reversal]:
    return Reversal.objects.filter(receipt=receipt).select_related("receipt", "went_as").order_by("id")


def of_payment(attempt: MpesaTransaction) -> QuerySet[Reversal]:
    return (
        Reversal.objects.filter(receipt__attempt=attempt).select_related("receipt", "went_as").order_by("id")
    )


def found(rows: QuerySet[Reversal], term: str) -> QuerySet[Reversal]:
    """By the receipt that goes back, by the one as which it left, or by what finds its payment."""
    spelt = term.strip().replace("\x00", "").upper()
    payments = search.found(MpesaTransaction.objects.all(), term).order_by("-id").values_list("id", flat=True)
    codes = Receipt.objects.filter(code=spelt).values_list("id", flat=True)
    ids = list(codes[: search.AT_MOST])
    of = Q(receipt__in=ids) | Q(went_as__in=ids) | Q(receipt__attempt__in=list(payments[: search.AT_MOST]))
    return rows.filter(of)
