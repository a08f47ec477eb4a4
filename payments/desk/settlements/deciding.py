"""A second person confirms or declines what one proposed: on a payment's page, and on that of a statement's line."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Model
from django.http import Http404, HttpRequest
from django.utils import timezone

from payments import manual
from payments.desk.addresses import address
from payments.desk.settlements.forms import DeclineForm
from payments.desk.words import kes
from payments.manual import ActionRefused
from payments.models import HandSettlement


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What desk/waiting.html takes. `confirm` and `decline` are addresses."""

    settlement: HandSettlement
    may_decide: bool
    is_own: bool
    confirm: str
    decline: str


def waiting(
    request: HttpRequest, settlement: HandSettlement | None, *, of: Model, permission: str
) -> Waiting | None:
    """`of`: the payment or the line on whose page it is decided."""
    if settlement is None:
        return None
    return Waiting(
        settlement=settlement,
        may_decide=request.user.has_perm(permission),
        is_own=settlement.proposed_by == request.user.get_username(),
        confirm=address(of, "settlement", of.pk, settlement.pk, "confirm"),
        decline=address(of, "settlement", of.pk, settlement.pk, "decline"),
    )


def second_person_needed(settlement: HandSettlement) -> str:
    return f"{kes(settlement.amount_kes)} is above the limit for one person: a second one must confirm it."


def decide(
    request: HttpRequest,
    settlement: HandSettlement,
    verdict: str,
    *,
    confirmed: Callable[[HandSettlement], str],
    declined: str,
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
    by, now = request.user.get_username(), timezone.now()
    if verdict == "confirm":
        return confirmed(manual.confirm_settlement(settlement.pk, by=by, now=now))
    if verdict != "decline":
        raise Http404("There is nothing at this address.")
    form = DeclineForm(request.POST)
    if not form.is_valid():
        raise ActionRefused("Say in a few words why it is declined.")
    manual.decline_settlement(settlement.pk, why=form.cleaned_data["why"], by=by, now=now)
    return declined
