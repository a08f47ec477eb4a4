"""Which kind of movement a line is. Names decide; two halves of one movement are seen together. No amounts are read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from .records import Kind, Line

_ACCOUNT = (
    r"(?:organi[sz]ation settlement|organi[sz]ation mmf|utility|merchant|working|charges paid|mmf) account"
)
# In this order: "Reversal of Pay merchant Charge" gives money back, "Reversal Charge" is a fee.
_NAMED = (
    (re.compile(r"\brevers(al|ed|e)s?\b(?!\s+charges?\b)"), Kind.REVERSAL),
    (re.compile(r"\bcharges?\b(?! paid account)"), Kind.CHARGE),
    (re.compile(r"\borgani[sz]ation settlement account\b"), Kind.SWEEP),
    (re.compile(rf"\b{_ACCOUNT} to {_ACCOUNT}\b"), Kind.SWEEP),
)
_TO_THE_BANK = re.compile(r"\b(withdrawal|transfer)\b.*\bbank\b")
_SAFARICOM = "SP"  # the other party of a fee, where its line has the payment's own reason type


@lru_cache(maxsize=1024)  # few names on many lines
def kind_of(reason_type: str, *, paid_in: bool) -> Kind:
    """Money that came in under any other name is a payment: better one question too many than a buyer missed."""
    reason = reason_type.casefold()
    for pattern, kind in _NAMED:
        if pattern.search(reason):
            return kind
    if not paid_in and _TO_THE_BANK.search(reason):
        return Kind.SWEEP
    return Kind.PAYMENT if paid_in else Kind.OTHER


def kind_of_line(reason_type: str, reason_in_details: str, other_party: str, *, paid_in: bool) -> Kind:
    """Of money that went out under a name that says nothing, Details say what it was."""
    kind = kind_of(reason_type, paid_in=paid_in)
    if kind is not Kind.OTHER:
        return kind
    if other_party == _SAFARICOM:
        return Kind.CHARGE
    return kind_of(reason_in_details, paid_in=paid_in)


def with_sweeps(lines: Iterable[Line]) -> list[Line]:
    """The same lines; those that are two halves of one movement between the shop's own accounts are sweeps."""
    lines = list(lines)
    ins = {line.receipt: line for line in lines if line.kind is Kind.PAYMENT and _is_nobodys(line)}
    outs = {line.receipt: line for line in lines if line.withdrawn and line.kind in (Kind.OTHER, Kind.SWEEP)}
    moved = {receipt for receipt in ins.keys() & outs.keys() if _are_halves(ins[receipt], outs[receipt])}
    if not moved:
        return lines
    halves = {id(half) for receipt in moved for half in (ins[receipt], outs[receipt])}
    return [replace(line, kind=Kind.SWEEP) if id(line) in halves else line for line in lines]


def _is_nobodys(line: Line) -> bool:
    """Neither a payer nor an account number: a customer's payment has one of the two."""
    return not line.account_no and not line.other_party


def _are_halves(came: Line, went: Line) -> bool:
    return came.paid_in == went.withdrawn and came.counts == went.counts
