"""What staff do about a payment, short of settling it: ask, note, mark, record a refund. Each leaves an event with
the person's name. Whether a person may do it is the desk's question; whether it makes sense is answered here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from payments.models import DONE_VERDICTS, PROBLEM_VERDICTS, CallbackDelivery, MpesaTransaction
from payments.phones import blank_phones
from payments.services import budget, callbacks, ledger, reconcile
from payments.services.ledger import Change, Source
from payments.services.reconcile import Outcome
from payments.states import LIVE, State

Row = Mapping[str, Any]  # an attempt's columns by name


class NotPossible(ValueError):
    """It makes no sense for this payment as it stands; the message says why, and what to do instead."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What asking came to. `again_at`: nothing was asked, and when it can be."""

    outcome: Outcome
    again_at: datetime | None = None


def ask_now(attempt_id: int, *, by: str, clock: Callable[[], datetime]) -> Asked:
    """Asks Safaricom about one payment, within the budget that all share. Raises NotPossible."""
    row = MpesaTransaction.objects.values().get(id=attempt_id)
    _refuse(why_not_ask(row))
    outcome = reconcile.ask(reconcile.see(attempt_id), clock=clock)
    if outcome is Outcome.NOT_ASKED:
        return Asked(outcome=outcome, again_at=budget.free_at())
    if row["next_check_at"] is None:  # nobody was asking: one question is one question
        ended = MpesaTransaction.objects.filter(id=attempt_id, state__in=(State.FAILED, State.EXPIRED))
        ended.update(next_check_at=None)
    _write(attempt_id, "staff_asked", {"outcome": outcome.value}, by=by, now=clock())
    return Asked(outcome=outcome)


def write_note(attempt_id: int, *, text: str, by: str, now: datetime) -> None:
    """A word for whoever opens this payment next. Digits of phones are blanked."""
    _write(attempt_id, "note", {"text": blank_phones(text.strip())}, by=by, now=now)


def mark_looked_at(attempt_id: int, *, by: str, now: datetime) -> None:
    """Takes it off the list of what needs a person, where looking is all that was needed. Raises NotPossible."""
    _write(attempt_id, "looked_at", {}, by=by, now=now, fields={"looked_at": now}, unless=why_not_mark)


def record_refund(
    attempt_id: int, *, reference: str, amount_kes: int, reason: str, by: str, now: datetime
) -> None:
    """Notes that money was sent back in the M-PESA portal. Sends nothing itself. Raises NotPossible."""
    reference = reference.strip().upper()

    def unless(row: Row) -> str:
        too_much = amount_kes > (row["received_kes"] or row["amount_kes"])
        return why_not_refund(row) or (too_much and "More would be refunded than was received.") or ""

    facts = {"reference": reference, "amount": str(amount_kes), "reason": blank_phones(reason.strip())}
    fields = {"refunded_at": now, "refunded_kes": amount_kes, "refund_reference": reference}
    try:
        _write(attempt_id, "refund_recorded", facts, by=by, now=now, fields=fields, unless=unless)
    except IntegrityError as taken:
        raise NotPossible("This reference was recorded for another payment's refund already.") from taken


def mark_delivery_looked_at(delivery_id: int, *, by: str, now: datetime) -> None:
    """Takes a callback off the list of problems. Raises NotPossible."""
    row = CallbackDelivery.objects.values().get(id=delivery_id)
    _refuse(why_not_mark_delivery(row))
    fresh = CallbackDelivery.objects.filter(id=delivery_id, looked_at=None)
    fresh.update(looked_at=now, looked_at_by=by)


def read_delivery_again(delivery_id: int, *, by: str, now: datetime) -> CallbackDelivery.Verdict:
    """Reads a stored callback once more through the same code, after a parser was mended or a process died. What
    became of it stands in its payment's history with the person's name. Raises NotPossible."""
    wanted = CallbackDelivery.objects.filter(id=delivery_id)
    _refuse(why_not_read_again(wanted.values().get()))
    (delivery,) = callbacks.stored(wanted)
    verdict = callbacks.apply(delivery, now=now)
    attempt_id = wanted.values_list("attempt_id", flat=True).get()
    if attempt_id is not None:
        facts = {"delivery": str(delivery_id), "verdict": str(verdict.label)}
        _write(attempt_id, "delivery_read", facts, by=by, now=now)
    return verdict


# --- what makes sense; empty: it does -------------------------------------------------------------------


def why_not_ask(row: Row) -> str:
    if row["state"] == State.COMPLETED:
        return "It is paid. Safaricom's answer to a question holds no receipt, so there is nothing to learn."
    if row["checkout_request_id"] is None:
        return (
            "Safaricom never gave this request an id, so it can't be asked about. Its callback or the M-PESA "
            "statement will tell."
        )
    return ""


def why_not_mark(row: Row) -> str:
    if row["looked_at"] is not None:
        return "It is marked as looked at already."
    open_question = row["unpriced"] or row["amount_differs"] or row["came_late"]
    if not (row["state"] == State.COMPLETED and row["pays_order"] and open_question):
        return "There is nothing about it that looking at would settle."
    return ""


def why_not_mark_delivery(row: Row) -> str:
    """Of a delivery's row, as the next one."""
    if row["verdict"] not in PROBLEM_VERDICTS:
        return "It is no problem, so there is nothing to mark."
    if row["looked_at"] is not None:
        return f"{row['looked_at_by']} has looked at it already."
    return ""


def why_not_read_again(row: Row) -> str:
    if row["verdict"] in DONE_VERDICTS:
        return "It is applied already: reading it once more would change nothing."
    return ""


def why_not_refund(row: Row) -> str:
    if row["state"] != State.COMPLETED:
        return "No money has come with it, so there is none to send back."
    if row["refunded_at"] is not None:
        return "Its refund is recorded already."
    return ""


def why_not_settle(row: Row, *, now: datetime, patience: Any) -> str:
    """`patience`: how long a prompt may be on the phone (timedelta)."""
    if row["state"] == State.COMPLETED:
        in_doubt = row["amount_differs"] and not (
            row["pays_order"] or row["refund_due"] or row["refunded_at"]
        )
        if row["receipt"] is not None and not in_doubt:
            return "It is paid and its receipt is known: there is nothing to settle."
    elif row["state"] in LIVE and now - row["created_at"] < patience:
        return "The request may still be on the phone. Wait two minutes, then ask Safaricom first."
    return ""


def _write(
    attempt_id: int,
    kind: str,
    facts: Mapping[str, str],
    *,
    by: str,
    now: datetime,
    fields: Mapping[str, Any] | None = None,
    unless: Callable[[Row], str] = lambda _row: "",
) -> None:
    def decide(seen: Row) -> Change:
        _refuse(unless(seen))
        return Change(kind=kind, to=State(seen["state"]), fields=fields or {})

    ledger.write(attempt_id, decide, source=Source.STAFF, facts={**facts, "by": by}, now=now)


def _refuse(why: str) -> None:
    if why:
        raise NotPossible(why)
