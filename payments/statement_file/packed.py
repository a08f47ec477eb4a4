"""What the newer export packs into Details: the kind of movement, the payer, the account number. Reads one text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ACCOUNT = re.compile(r" Acc\.(?: |$)", re.IGNORECASE)
_SENDER = re.compile(r" (?:from|by) (?=\S+ - )", re.IGNORECASE)
_CHANNEL = re.compile(r" via \w+ by .*", re.IGNORECASE)
_RECEIPT = re.compile(r"\b(?=[A-Z0-9]*\d)[A-Z][A-Z0-9]{9}\b", re.ASCII)
_OF_A_RECEIPT = re.compile(rf"(?:\b(?:of|for) )?{_RECEIPT.pattern}", re.ASCII)
LONGEST_REASON = 80


@dataclass(frozen=True, kw_only=True)
class Packed:
    """The parts; "" where there is none. `reason` says what the older export has under Reason Type."""

    reason: str
    other_party: str
    account_no: str


def unpack(details: str) -> Packed:
    """`Pay Bill from 2547****111 - NAME Acc. DK34679ACD`.

    A bank's payment has `by` for `from`, and says behind the account number who keyed it in (`via WEB by …`).
    """
    before, account_no = details, ""
    if account := _ACCOUNT.search(details):
        before, account_no = details[: account.start()], details[account.end() :]
        account_no = _CHANNEL.sub("", account_no).strip(" ")
    sender = _SENDER.search(before)
    return Packed(
        reason=_OF_A_RECEIPT.sub("", _movement(details)).strip(" ")[:LONGEST_REASON],
        other_party=before[sender.end() :].strip(" ") if sender else "",
        account_no=account_no,
    )


def _movement(details: str) -> str:
    """What stands before payer and account number."""
    before = _ACCOUNT.split(details, maxsplit=1)[0]
    return _SENDER.split(before, maxsplit=1)[0]


def receipt_in(details: str, *, not_this: str) -> str:
    """The one other receipt that a text names, as a reversal's does; "" where it names none, or several."""
    named = {found for found in _RECEIPT.findall(_movement(details).upper()) if found != not_this}
    return named.pop() if len(named) == 1 else ""
