"""Tells people, by mail and webhook, what needs them and what is wrong with the shop: once, and again after a day.
Finds nothing out itself (attention/ and the desk's home do) and decides nothing about money."""

from payments.alerts.rounds import Round, take_round, tell_now
from payments.alerts.telling import is_wanted

__all__ = ("Round", "is_wanted", "take_round", "tell_now")
