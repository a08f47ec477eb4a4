"""Settling by hand wherever it is done: the reason, the second person, the list of it. Decides nothing (manual/)."""

from payments.desk.settlements.deciding import Waiting, decide, second_person_needed, waiting
from payments.desk.settlements.forms import reason_field

__all__ = ("Waiting", "decide", "reason_field", "second_person_needed", "waiting")
