"""Decisions about money wherever they are shown: the reason, the second person, the list of them. Decides nothing
(manual/)."""

from payments.desk.settlements.deciding import Waiting, decide, waiting
from payments.desk.settlements.forms import RefundForm, UndoForm, reason_field
from payments.desk.settlements.rights import DEEDS, permission_of
from payments.desk.settlements.wording import outcome, second_person_needed

__all__ = (
    "DEEDS",
    "RefundForm",
    "UndoForm",
    "Waiting",
    "decide",
    "outcome",
    "permission_of",
    "reason_field",
    "second_person_needed",
    "waiting",
)
