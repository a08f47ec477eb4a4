"""What waits for a second person, whatever its kind: confirm it, decline it, and close what became pointless."""

from collections.abc import Mapping
from datetime import datetime

from payments.manual import (
    claiming,
    correcting,
    deciding,
    placing,
    refunding,
    sending_back,
    settling,
    voiding,
)
from payments.manual.actions import ActionRefused
from payments.manual.deciding import Decision, Way, What
from payments.models import HandSettlement

WAYS: Mapping[HandSettlement.What, Way] = {
    What.SETTLE: settling.WAY,
    What.CLAIM: placing.PLACE,
    What.KEEP: placing.KEEP,
    What.REFUND: refunding.WAY,
    What.SEND_BACK: sending_back.SEND,
    What.NEVER_WENT: sending_back.NEVER_WENT,
    What.UNDO: correcting.UNDO,
    What.UNDO_REFUND: correcting.UNDO_REFUND,
    What.VOID_LINE: voiding.LINE,
    What.VOID_FILE: voiding.FILE,
}


def confirm_settlement(settlement_id: int, *, by: str, now: datetime) -> HandSettlement:
    """A second person has seen the evidence too: it is done. What makes no sense any more is closed instead. Raises
    ActionRefused."""
    proposal = _waiting(settlement_id)
    if why := why_pointless(proposal, now=now):
        raise _closed(proposal, why, now=now)
    try:
        return deciding.confirm(proposal, _way_of(proposal), by=by, now=now)
    except ActionRefused:
        proposal = _waiting(settlement_id)
        if why := why_pointless(proposal, now=now):  # since a moment ago
            raise _closed(proposal, why, now=now) from None
        raise


def _closed(proposal: HandSettlement, why: str, *, now: datetime) -> ActionRefused:
    deciding.close(proposal, why=why, now=now)
    return ActionRefused(f"It is closed, nothing was done. {why}")


def decline_settlement(settlement_id: int, *, why: str, by: str, now: datetime) -> HandSettlement:
    """Somebody (also who proposed it) takes it back or disagrees: nothing is done. Raises ActionRefused."""
    return deciding.decline(_waiting(settlement_id), why=why, by=by, now=now)


def why_pointless(proposal: HandSettlement, *, now: datetime) -> str:
    """Why it makes no sense any more as things stand now. Empty: it does."""
    return _way_of(proposal).refusal(proposal, now)


def close_pointless(*, now: datetime) -> int:
    """Closes what waits and makes no sense any more, with its reason: how many."""
    closed = 0
    for proposal in HandSettlement.objects.filter(decision=Decision.WAITING, what__in=WAYS).order_by("id"):
        if not (why := why_pointless(proposal, now=now)):
            continue
        try:
            deciding.close(proposal, why=why, now=now)
        except ActionRefused:  # somebody decided it in this moment
            continue
        closed += 1
    return closed


def _way_of(proposal: HandSettlement) -> Way:
    if proposal.what == What.SETTLE and proposal.line_id is not None:
        return claiming.WAY
    if proposal.what == What.REFUND and proposal.money_id is not None:
        return refunding.BESIDE
    return WAYS[What(proposal.what)]


def _waiting(settlement_id: int) -> HandSettlement:
    proposal = HandSettlement.objects.filter(id=settlement_id, decision=Decision.WAITING).first()
    if proposal is None:
        raise ActionRefused("It is decided already.")
    return proposal
