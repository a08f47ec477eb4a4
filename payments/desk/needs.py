"""Where each kind of work for a person is worked off at the desk, and who may see it. What needs a person is said in
attention/; nothing is counted here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch

from payments import attention
from payments.attention import COUNTED_UP_TO, count_payments_in_need
from payments.desk.addresses import list_of
from payments.models import MpesaTransaction

__all__ = ("ALL", "BY_KEY", "CALLBACKS", "COUNTED_UP_TO", "SETTLEMENTS", "Work", "count_payments_in_need")

CALLBACKS, SETTLEMENTS = "inbox", "proposal"

# the filters of a list that leave what waits; elsewhere it is the reason's own
CHOSEN: Mapping[str, Mapping[str, str]] = {
    SETTLEMENTS: {"decision__exact": "waiting"},
    CALLBACKS: {"problem": "1"},
    "belief": {"waits": "1"},
    "part_taken_back": {"needs": "part_taken_back"},
    "refund_unseen": {"state__exact": "sent"},
    "reversal_stuck": {"needs": "stuck"},
    "reversal_failed": {"needs": "failed"},
}


@dataclass(frozen=True, kw_only=True)
class Work:
    """One kind of it, with the list that shows all of it. `waiting`: rows that carry attention's names."""

    of: attention.Work

    @property
    def key(self) -> str:
        return self.of.key

    @property
    def label(self) -> str:
        return self.of.label

    @property
    def what(self) -> str:
        return self.of.what

    @property
    def to_do(self) -> str:
        return self.of.to_do

    @property
    def kind(self) -> type[Model]:
        return self.of.kind

    @property
    def waiting(self) -> "Callable[[], QuerySet[Model]]":
        return self.of.waiting

    @property
    def is_of_payments(self) -> bool:
        return self.kind is MpesaTransaction

    @property
    def address(self) -> str:
        """Empty where the desk has no list of them."""
        try:
            return list_of(self.kind, CHOSEN.get(self.key, {"needs": self.of.reason}))
        except NoReverseMatch:
            return ""

    def may_be_seen(self, request: HttpRequest) -> bool:
        """Whether this person may see the list."""
        meta = self.kind._meta
        return request.user.has_perm(f"{meta.app_label}.view_{meta.model_name}")


ALL: Sequence[Work] = tuple(Work(of=work) for work in attention.ALL)

BY_KEY: Mapping[str, Work] = {work.key: work for work in ALL}
