"""How a decision about money is taken, whatever its kind: carried out at once where its person may decide it alone,
else left waiting for a second one. Every kind passes through here; what each does to the money is its own module's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from payments import ledger, limits
from payments.ledger import Change, EventKind, Source
from payments.limits import AboveLimit, Voice
from payments.manual.actions import ActionRefused
from payments.models import HandSettlement
from payments.phones import blank_phones
from payments.states import State

Decision, What, Evidence = HandSettlement.Decision, HandSettlement.What, HandSettlement.Evidence

People = dict[str, str]  # who, as events name them: `by`, and `confirmed_by` where two decided
Kept = Callable[[], None]
WAITS = "It waits for a second person already: decide that first."


@dataclass(frozen=True, kw_only=True)
class Way:
    """How one kind of decision is done.

    `refusal`: empty where it makes sense as things stand now; asked when it is proposed and again when it is confirmed.
    `carry_out` moves the money and calls `Kept` last in the same transaction; raises ActionRefused.
    """

    refusal: Callable[[HandSettlement, datetime], str]
    carry_out: Callable[[HandSettlement, People, Kept, datetime], None]


def decide(wanted: HandSettlement, way: Way, *, by: str, now: datetime) -> HandSettlement:
    """Carries it out, or leaves it waiting. Raises ActionRefused."""
    wanted.proposed_by, wanted.proposed_at = by, now
    wanted.reason = blank_phones(wanted.reason.strip())[:300]
    refuse(way.refusal(wanted, now) or _refusal_as_another_waits(wanted))
    if limits.voice_of(by, kes=wanted.counts_kes, now=now) is Voice.ALONE:
        try:
            return _alone(wanted, way, by=by, now=now)
        except AboveLimit:  # another decision of this person's was quicker
            pass
    return _propose(wanted)


def confirm(proposal: HandSettlement, way: Way, *, by: str, now: datetime) -> HandSettlement:
    """A second person has seen the evidence too: it is carried out as if it were decided now. Raises ActionRefused."""
    voice = limits.voice_of(by, kes=proposal.counts_kes, now=now, proposed_by=proposal.proposed_by)
    if voice is Voice.NONE:
        raise ActionRefused(
            "A second person must confirm it: you proposed it yourself, or with another account of your e-mail address."
        )
    refuse(way.refusal(proposal, now))
    way.carry_out(
        proposal, _two(proposal, by), lambda: _decided(proposal, Decision.DONE, by=by, now=now), now
    )
    return proposal


def people_of(decided: HandSettlement) -> People:
    """Who decided it."""
    alone = {"by": decided.proposed_by}
    return _two(decided, decided.decided_by) if decided.needs_second else alone


def decline(proposal: HandSettlement, *, why: str, by: str, now: datetime) -> HandSettlement:
    """Somebody (also who proposed it) takes it back or disagrees: nothing is done. Raises ActionRefused."""
    return _leave(proposal, Decision.DECLINED, why=why, by=by, source=Source.STAFF, now=now)


def close(proposal: HandSettlement, *, why: str, now: datetime) -> HandSettlement:
    """It makes no sense any more: nobody has to decide it. Raises ActionRefused."""
    return _leave(proposal, Decision.CLOSED, why=why, by="", source=Source.CLOCK, now=now)


def _two(proposal: HandSettlement, second: str) -> People:
    return {"by": proposal.proposed_by, "confirmed_by": second}


def refuse(why: str) -> None:
    if why:
        raise ActionRefused(why)


def _alone(wanted: HandSettlement, way: Way, *, by: str, now: datetime) -> HandSettlement:
    """Raises AboveLimit, and nothing of it was done."""
    wanted.needs_second = False
    wanted.decision, wanted.decided_by, wanted.decided_at = Decision.DONE, by, now

    def kept() -> None:
        wanted.pk = None  # it may be the second try
        limits.hold(by, kes=wanted.counts_kes, now=now)
        wanted.save(force_insert=True)

    about = wanted.attempt_id
    try:
        way.carry_out(wanted, {"by": by}, kept, now)
    except AboveLimit:
        wanted.attempt_id = about  # an attempt of its own went with the rest
        raise
    return wanted


def _propose(wanted: HandSettlement) -> HandSettlement:
    wanted.pk, wanted.needs_second = None, True
    wanted.decision, wanted.decided_by, wanted.decided_at = Decision.WAITING, "", None
    facts = {
        "what": wanted.get_what_display(),
        "receipt": wanted.receipt,
        "amount": str(wanted.amount_kes),
        "evidence": wanted.get_evidence_display(),
        "reason": wanted.reason,
        "by": wanted.proposed_by,
    }
    try:
        _note(
            wanted,
            EventKind.SETTLEMENT_PROPOSED,
            facts,
            lambda: wanted.save(force_insert=True),
            now=wanted.proposed_at,
        )
    except IntegrityError as second:
        raise ActionRefused(WAITS) from second
    return wanted


def _refusal_as_another_waits(wanted: HandSettlement) -> str:
    """One thing at a time about one payment, one refund, and one line of a statement."""
    waiting = HandSettlement.objects.filter(decision=Decision.WAITING)
    if wanted.attempt_id is not None and waiting.filter(attempt_id=wanted.attempt_id).exists():
        return WAITS
    if wanted.line_id is not None and waiting.filter(line_id=wanted.line_id).exists():
        return WAITS
    if wanted.refund_id is not None and waiting.filter(refund_id=wanted.refund_id).exists():
        return WAITS
    return ""


def _leave(
    proposal: HandSettlement,
    decision: HandSettlement.Decision,
    *,
    why: str,
    by: str,
    source: Source,
    now: datetime,
) -> HandSettlement:
    proposal.declined_because = blank_phones(why.strip())[:300]
    facts = {
        "what": proposal.get_what_display(),
        "receipt": proposal.receipt,
        "reason": proposal.declined_because,
    }
    if by:
        facts["by"] = by
    _note(
        proposal,
        EventKind.SETTLEMENT_DECLINED,
        facts,
        lambda: _decided(proposal, decision, by=by, now=now),
        source=source,
        now=now,
    )
    return proposal


def _note(
    proposal: HandSettlement,
    kind: EventKind,
    facts: dict[str, str],
    in_same_transaction: Kept,
    *,
    source: Source = Source.STAFF,
    now: datetime,
) -> None:
    """Where it is about a payment, that remembers it."""
    if proposal.attempt_id is None:
        with transaction.atomic(durable=True):
            in_same_transaction()
        return
    ledger.apply_change(
        proposal.attempt_id,
        lambda row: Change(kind=kind, to=State(row.state)),
        source=source,
        facts=facts,
        now=now,
        in_same_transaction=in_same_transaction,
    )


def _decided(proposal: HandSettlement, decision: HandSettlement.Decision, *, by: str, now: datetime) -> None:
    """Inside the ledger's transaction: one of two who decide at once is refused, and all of his is undone."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A proposal is decided together with its money.")
    still_waiting = HandSettlement.objects.filter(id=proposal.pk, decision=Decision.WAITING)
    decided = {
        "decision": decision,
        "decided_by": by,
        "decided_at": now,
        "attempt_id": proposal.attempt_id,
        "declined_because": proposal.declined_because,
    }
    if not still_waiting.update(**decided):
        raise ActionRefused("Somebody else decided it in this moment.")
    proposal.decision, proposal.decided_by, proposal.decided_at = decision, by, now
