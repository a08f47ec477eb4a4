"""What an initiator asks of Safaricom: to look a transaction up, to send one back, to tell the balance; and what it
answers at once. What came of it is posted later (result.py). Pure: no clock, no network, no settings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .initiator import Initiator
from .plain import as_text, id_text
from .refusals import failure_of
from .replies import Reply, member, read_json
from .values import receipt_of

STATUS_PATH = "/mpesa/transactionstatus/v1/query"
REVERSAL_PATH = "/mpesa/reversal/v1/request"
BALANCE_PATH = "/mpesa/accountbalance/v1/query"

SHORT_CODE, REVERSED_SHORT_CODE = "4", "11"  # IdentifierType; that of a reversal is never another
REMARKS_CHARACTERS = 100


@dataclass(frozen=True, kw_only=True)
class ResultAddresses:
    """Where Safaricom posts what came of an order, and where that it waited too long, which is no failure. They hold
    the order's secret: not in the repr."""

    result_url: str = field(repr=False)
    timeout_url: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """Safaricom took the order. Whether anything came of it, its result says."""

    originator_conversation_id: str
    conversation_id: str


@dataclass(frozen=True, kw_only=True)
class StatusRequest:
    """Of a transaction by its receipt, or of an order of ours by the id that its acknowledgement gave."""

    receipt: str = ""
    originator_conversation_id: str = ""

    def __post_init__(self) -> None:
        if bool(self.receipt) == bool(self.originator_conversation_id):
            raise ValueError("A transaction is looked up by its receipt, or by its order's id.")


@dataclass(frozen=True, kw_only=True)
class ReversalRequest:
    """`amount` in whole shillings, all of the payment or less. `remarks` 2 to 100 characters."""

    receipt: str
    amount: int
    remarks: str

    def __post_init__(self) -> None:
        if receipt_of(self.receipt) is None:
            raise ValueError("A reversal names the receipt that goes back.")
        if isinstance(self.amount, bool) or not isinstance(self.amount, int) or self.amount < 1:
            raise ValueError("The amount must be a whole number of shillings.")


def status_body(
    asked: StatusRequest, short_code: str, initiator: Initiator, told_at: ResultAddresses
) -> dict[str, str]:
    """The JSON of `POST /mpesa/transactionstatus/v1/query` (daraja.md, 6.1)."""
    return {
        **_by(initiator, "TransactionStatusQuery"),
        "TransactionID": asked.receipt,
        "OriginalConversationID": asked.originator_conversation_id,
        "PartyA": short_code,
        "IdentifierType": SHORT_CODE,
        **_told(told_at, "Transaction status"),
        "Occasion": "",
    }


def reversal_body(
    asked: ReversalRequest, short_code: str, initiator: Initiator, told_at: ResultAddresses
) -> dict[str, str]:
    """The JSON of `POST /mpesa/reversal/v1/request` (daraja.md, 6.3), with its own spelling of "receiver"."""
    return {
        **_by(initiator, "TransactionReversal"),
        "TransactionID": asked.receipt,
        "Amount": str(asked.amount),
        "ReceiverParty": short_code,
        "RecieverIdentifierType": REVERSED_SHORT_CODE,
        **_told(told_at, asked.remarks),
        "Occasion": "",
    }


def balance_body(short_code: str, initiator: Initiator, told_at: ResultAddresses) -> dict[str, str]:
    """The JSON of `POST /mpesa/accountbalance/v1/query` (daraja.md, 6.5)."""
    return {
        **_by(initiator, "AccountBalance"),
        "PartyA": short_code,
        "IdentifierType": SHORT_CODE,
        **_told(told_at, "Account balance"),
    }


def _by(initiator: Initiator, command: str) -> dict[str, str]:
    return {
        "Initiator": initiator.name,
        "SecurityCredential": initiator.security_credential(),
        "CommandID": command,
    }


def _told(at: ResultAddresses, remarks: str) -> dict[str, str]:
    plain = " ".join(re.sub(r"[^A-Za-z0-9 .-]", " ", remarks).split())[:REMARKS_CHARACTERS].strip()
    return {
        "ResultURL": at.result_url,
        "QueueTimeOutURL": at.timeout_url,
        "Remarks": plain if len(plain) > 1 else "Refund",
    }


def read_acknowledgement(reply: Reply) -> Acknowledged:
    """Raises Refused (or its kind) where nothing will be done, OutcomeUnknown where nobody can say."""
    data = read_json(reply.text) if reply.status == 200 else None
    originator = id_text(member(data, "OriginatorConversationID"))
    if as_text(member(data, "ResponseCode")) != "0" or originator is None:
        raise failure_of(reply)
    return Acknowledged(
        originator_conversation_id=originator, conversation_id=id_text(member(data, "ConversationID")) or ""
    )
