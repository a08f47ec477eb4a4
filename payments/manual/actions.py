"""What staff do about a payment, short of settling it: ask, note, mark, record a refund. Each leaves an event with
the person's name. Whether a person may do it is the desk's question; whether it makes sense is answered here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payments import callbacks, enquiries, ledger
from payments.enquiries import Lane, Outcome
from payments.facts import (
    amount_in_doubt,
    has_open_question,
    is_on_phone,
    is_paid,
)
from payments.ledger import Change, EventKind, Snapshot, Source
from payments.models import DONE_VERDICTS, PROBLEM_VERDICTS, CallbackDelivery, MpesaTransaction
from payments.phones import blank_phones
from payments.states import State

Row = Snapshot | MpesaTransaction  # an attempt, as it was read


class ActionRefused(ValueError):
    """It makes no sense for this payment as it stands; the message says why, and what to do instead."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What asking came to. `again_at`: nothing was asked, and when it can be."""

    outcome: Outcome
    again_at: datetime | None = None


def ask_now(
    attempt_id: int, *, by: str, clock: Callable[[], datetime], waiting_since: datetime | None = None
) -> Asked:
    """Asks Safaricom about one payment, within the budget that all share; of somebody who waits since then, an answer
    that came to the worker meanwhile is the answer. Raises ActionRefused."""
    now = clock()
    heard = waiting_since and enquiries.heard_since(attempt_id, since=waiting_since, now=now)
    if heard is Outcome.NOT_ASKED:
        return Asked(outcome=heard)
    if heard:
        _write(attempt_id, EventKind.STAFF_ASKED, {"outcome": heard.value}, by=by, now=now)
        return Asked(outcome=heard)
    row = MpesaTransaction.objects.get(id=attempt_id)
    _refuse(refusal_to_ask(row))
    outcome = enquiries.ask_about(enquiries.read_due(attempt_id), clock=clock, lane=Lane.STAFF)
    if outcome is Outcome.NOT_ASKED:
        return Asked(outcome=outcome, again_at=enquiries.next_turn_at(now=clock()))
    if row.next_check_at is None:  # nobody was asking: one question is one question
        ledger.stop_checks_of_ended(attempt_id)
    _write(attempt_id, EventKind.STAFF_ASKED, {"outcome": outcome.value}, by=by, now=clock())
    return Asked(outcome=outcome)


def write_note(attempt_id: int, *, text: str, by: str, now: datetime) -> None:
    """A word for whoever opens this payment next. Digits of phones are blanked."""
    _write(attempt_id, EventKind.NOTE, {"text": blank_phones(text.strip())}, by=by, now=now)


def mark_reviewed(attempt_id: int, *, by: str, now: datetime) -> None:
    """Takes it off the list of what needs a person, where looking is all that was needed. Raises ActionRefused."""
    _write(
        attempt_id,
        EventKind.REVIEWED,
        {},
        by=by,
        now=now,
        fields={"reviewed_at": now},
        unless=refusal_to_mark,
    )


def mark_delivery_reviewed(delivery_id: int, *, by: str, now: datetime) -> None:
    """Takes a callback off the list of problems. Raises ActionRefused."""
    delivery = CallbackDelivery.objects.get(id=delivery_id)
    _refuse(refusal_to_mark_delivery(delivery))
    fresh = CallbackDelivery.objects.filter(id=delivery_id, reviewed_at=None)
    fresh.update(reviewed_at=now, reviewed_by=by)


def read_delivery_again(delivery_id: int, *, by: str, now: datetime) -> CallbackDelivery.Verdict:
    """Reads a stored callback once more through the same code, after a parser was mended or a process died. What
    became of it stands in its payment's history with the person's name. Raises ActionRefused."""
    wanted = CallbackDelivery.objects.filter(id=delivery_id)
    _refuse(refusal_to_read_again(wanted.get()))
    (delivery,) = callbacks.stored_deliveries(wanted)
    verdict = callbacks.apply_delivery(delivery, now=now)
    attempt_id = wanted.values_list("attempt_id", flat=True).get()
    if attempt_id is not None:
        facts = {"delivery": str(delivery_id), "verdict": str(verdict.label)}
        _write(attempt_id, EventKind.DELIVERY_READ, facts, by=by, now=now)
    return verdict


# --- what makes sense; empty: it does -------------------------------------------------------------------


def refusal_to_ask(row: Row) -> str:
    if is_paid(row):
        return "It is paid. Safaricom's answer to a question holds no receipt, so there is nothing to learn."
    if row.checkout_request_id is None:
        return (
            "Safaricom never gave this request an id, so it can't be asked about. Its callback or the M-PESA "
            "statement will tell."
        )
    return ""


def refusal_to_mark(row: Row) -> str:
    if row.reviewed_at is not None:
        return "It is marked as looked at already."
    if not has_open_question(row):
        return "There is nothing about it that looking at would settle."
    return ""


def refusal_to_mark_delivery(delivery: CallbackDelivery) -> str:
    if delivery.verdict not in PROBLEM_VERDICTS:
        return "It is no problem, so there is nothing to mark."
    if delivery.reviewed_at is not None:
        return f"{delivery.reviewed_by} has looked at it already."
    return ""


def refusal_to_read_again(delivery: CallbackDelivery) -> str:
    if delivery.verdict in DONE_VERDICTS:
        return "It is applied already: reading it once more would change nothing."
    return ""


def refusal_to_settle(row: Row, *, now: datetime) -> str:
    if is_paid(row):
        if row.receipt is not None and not amount_in_doubt(row):
            return "It is paid and its receipt is known: there is nothing to settle."
    elif is_on_phone(row, now=now):
        return "The request may still be on the phone. Wait two minutes, then ask Safaricom first."
    return ""


def _write(
    attempt_id: int,
    kind: EventKind,
    facts: Mapping[str, str],
    *,
    by: str,
    now: datetime,
    fields: Mapping[str, Any] | None = None,
    unless: Callable[[Row], str] = lambda _row: "",
) -> None:
    def decide_on(row: Snapshot) -> Change:
        _refuse(unless(row))
        return Change(kind=kind, to=State(row.state), fields=fields or {})

    ledger.apply_change(attempt_id, decide_on, source=Source.STAFF, facts={**facts, "by": by}, now=now)


def _refuse(why: str) -> None:
    if why:
        raise ActionRefused(why)
