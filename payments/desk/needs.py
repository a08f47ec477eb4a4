"""Everything that waits for a person: what it is, what to do, the query that finds it and the list where it is worked
off. Reads only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from payments.desk.addresses import list_of
from payments.facts import REASONS, Reason
from payments.models import PROBLEM_VERDICTS, CallbackDelivery, HandSettlement, MpesaTransaction

COUNTED_UP_TO = 1000  # beyond it, "many" says as much
CALLBACKS, SETTLEMENTS = "callbacks", "settlements"


@dataclass(frozen=True, kw_only=True)
class Work:
    """One kind of it. `key` is a reason's (facts/attention.py), CALLBACKS or SETTLEMENTS; the texts are for staff.

    `waiting` finds all of it by a small index. `since` names the column that says since when, `payment` is what leads
    to its payment, empty where it is one. The list of `kind` shows all of it under the filters `chosen`."""

    key: str
    label: str
    what: str
    to_do: str
    waiting: Callable[[], "QuerySet[Any, Any]"]
    since: str
    kind: type[Model]
    chosen: Mapping[str, str]
    payment: str = ""

    @property
    def address(self) -> str:
        return list_of(self.kind, self.chosen)

    def may_be_seen(self, request: HttpRequest) -> bool:
        """Whether this person may see the list."""
        meta = self.kind._meta
        return request.user.has_perm(f"{meta.app_label}.view_{meta.model_name}")


def _of_reason(reason: Reason) -> Work:
    return Work(
        key=reason.key,
        label=reason.label,
        what=reason.what,
        to_do=reason.to_do,
        waiting=lambda: MpesaTransaction.objects.filter(reason.applies),
        since="created_at",
        kind=MpesaTransaction,
        chosen={"needs": reason.key},
    )


ALL: Sequence[Work] = (
    *map(_of_reason, REASONS),
    Work(
        key=SETTLEMENTS,
        label="Waits for a second person",
        what="A payment was settled by hand above the limit for one person.",
        to_do="Look at the evidence, then confirm or decline it on the payment's page.",
        waiting=lambda: HandSettlement.objects.filter(decision=HandSettlement.Decision.WAITING),
        since="proposed_at",
        kind=HandSettlement,
        chosen={"decision__exact": HandSettlement.Decision.WAITING.value},
        payment="attempt__",
    ),
    Work(
        key=CALLBACKS,
        label="Callback problems",
        what="A callback came that was not believed or could not be read.",
        to_do="Look at it and at its payment, then mark it as looked at.",
        waiting=lambda: CallbackDelivery.objects.filter(verdict__in=PROBLEM_VERDICTS, reviewed_at=None),
        since="received_at",
        kind=CallbackDelivery,
        chosen={"problem": "1"},
        payment="attempt__",
    ),
)

BY_KEY: Mapping[str, Work] = {work.key: work for work in ALL}


def count_payments_in_need() -> dict[str, int]:
    """How many payments need a person, by the key of each reason."""
    return {reason.key: MpesaTransaction.objects.filter(reason.applies).count() for reason in REASONS}
