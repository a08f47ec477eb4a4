"""A second person confirms or declines what one proposed, wherever the proposal is shown."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Model, Q
from django.http import Http404, HttpRequest

from payments import gateway, limits, lookups, manual
from payments.desk.addresses import address
from payments.desk.settlements import wording
from payments.desk.settlements.forms import DeclineForm
from payments.desk.settlements.rights import permission_of
from payments.manual import ActionRefused
from payments.models import HandSettlement

What = HandSettlement.What


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What desk/proposal.html takes. `safaricom`: what it said of the receipt, asked. `confirm` and `decline`
    are addresses; `pointless`: why it makes no sense any more."""

    settlement: HandSettlement
    wanted: str
    warning: str
    safaricom: str
    pointless: str
    may_decide: bool
    is_own: bool
    about: list[tuple[str, Model]]
    confirm: str
    decline: str


def waiting(request: HttpRequest, chosen: Q, *, at_most: int = 20) -> list[Waiting]:
    """What waits for a second person about this, the oldest first."""
    found = HandSettlement.objects.filter(chosen, decision=HandSettlement.Decision.WAITING)
    found = found.select_related("attempt", "order", "statement", "refund", "money", "line").order_by("id")
    return [_shown(request, proposal) for proposal in found[:at_most]]


def _shown(request: HttpRequest, proposal: HandSettlement) -> Waiting:
    may_decide = request.user.has_perm(permission_of(proposal))
    return Waiting(
        settlement=proposal,
        wanted=wording.wanted(proposal),
        warning=wording.warning(proposal),
        safaricom=lookups.said_of(proposal.receipt) if proposal.what == What.SETTLE else "",
        pointless=manual.why_pointless(proposal, now=gateway.now()),
        may_decide=may_decide,
        is_own=not limits.is_another_person(request.user.get_username(), proposal.proposed_by),
        about=about(proposal),
        confirm=address(proposal, "decide", proposal.pk, "confirm"),
        decline=address(proposal, "decide", proposal.pk, "decline"),
    )


def about(decision: HandSettlement) -> list[tuple[str, Model]]:
    """What it is about, each with its page."""
    named = (
        ("The payment", decision.attempt),
        ("The receipt", decision.money),
        ("The refund", decision.refund),
        ("The statement's line", decision.line),
        ("The order", decision.order),
        ("The statement", decision.statement),
    )
    return [(word, each) for word, each in named if each is not None]


def decide(
    request: HttpRequest,
    settlement: HandSettlement,
    verdict: str,
    *,
    confirmed: Callable[[HandSettlement], str] = wording.confirmed,
    declined: str = "Declined: nothing was done.",
) -> None:
    """Carries out the verdict of an address, and tells the person what came of it: in these words where it could be
    done. Raises Http404 for a verdict that is none."""
    try:
        messages.success(request, _decided(request, settlement, verdict, confirmed, declined))
    except ActionRefused as refused:
        messages.warning(request, str(refused))


def _decided(
    request: HttpRequest,
    settlement: HandSettlement,
    verdict: str,
    confirmed: Callable[[HandSettlement], str],
    declined: str,
) -> str:
    by, now = request.user.get_username(), gateway.now()
    if verdict == "confirm":
        return confirmed(manual.confirm_settlement(settlement.pk, by=by, now=now))
    if verdict != "decline":
        raise Http404("There is nothing at this address.")
    form = DeclineForm(request.POST)
    if not form.is_valid():
        raise ActionRefused("Say in a few words why it is declined.")
    manual.decline_settlement(settlement.pk, why=form.cleaned_data["why"], by=by, now=now)
    return declined
