"""What may be asked of the other half: each call's fields, read or refused by name (daraja.md 6). Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payments.simulator.accounts import Account, account_at
from payments.simulator.checks import (
    MSISDN,
    SHORT_CODE_OF_QUERY,
    BadFieldError,
    is_amount,
    is_base64,
    is_callback_url,
    take,
    text_of,
)

STATUS, REVERSAL, BALANCE = "status", "reversal", "balance"
COMMANDS: Mapping[str, str] = {
    STATUS: "TransactionStatusQuery",
    REVERSAL: "TransactionReversal",
    BALANCE: "AccountBalance",
}
PARTY: Mapping[str, str] = {STATUS: "PartyA", REVERSAL: "ReceiverParty", BALANCE: "PartyA"}
TYPE_OF_PARTY: Mapping[str, str] = {
    STATUS: "IdentifierType",
    REVERSAL: "RecieverIdentifierType",  # sic
    BALANCE: "IdentifierType",
}
TYPES: Mapping[str, tuple[str, ...]] = {STATUS: ("1", "2", "4"), REVERSAL: ("11",), BALANCE: ("2", "4")}
RECEIPT = re.compile(r"[A-Z0-9]{8,14}", re.ASCII)
REMARKS = range(2, 101)  # characters


@dataclass(frozen=True, kw_only=True)
class Order:
    """One order of an initiator, its fields in order; nothing is said yet about whether he may."""

    what: str
    initiator: str
    credential: str
    account: Account
    result_url: str
    timeout_url: str
    transaction_id: str = ""
    conversation_id: str = ""
    amount: int = 0


def read_order(what: str, fields: Mapping[str, Any]) -> Order:
    """Raises BadFieldError for the first field that won't do. Unknown keys are ignored."""
    initiator = take(fields, "Initiator", str.strip)
    credential = take(fields, "SecurityCredential", _is_credential)
    take(fields, "CommandID", COMMANDS[what].__eq__)
    transaction_id, conversation_id, amount = "", "", 0
    if what == STATUS:
        transaction_id = (text_of(fields.get("TransactionID")) or "").strip()
        conversation_id = (text_of(fields.get("OriginalConversationID")) or "").strip()
        if not conversation_id and not RECEIPT.fullmatch(transaction_id):
            raise BadFieldError("TransactionID")
    if what == REVERSAL:
        transaction_id = take(fields, "TransactionID", RECEIPT.fullmatch)
        amount = int(take(fields, "Amount", is_amount))
    account = account_at(take(fields, PARTY[what], SHORT_CODE_OF_QUERY.fullmatch))
    if account is None:
        raise BadFieldError(PARTY[what])
    take(fields, TYPE_OF_PARTY[what], TYPES[what].__contains__)
    result_url = take(fields, "ResultURL", is_callback_url)
    timeout_url = take(fields, "QueueTimeOutURL", is_callback_url)
    take(fields, "Remarks", lambda text: len(text) in REMARKS)
    return Order(
        what=what,
        initiator=initiator,
        credential=credential,
        account=account,
        result_url=result_url,
        timeout_url=timeout_url,
        transaction_id=transaction_id,
        conversation_id=conversation_id,
        amount=amount,
    )


def _is_credential(text: str) -> bool:
    return is_base64(text) and len(text) in range(64, 1025)


# --- C2B ---

FORBIDDEN = ("MPESA", "SAFARICOM", "EXEC", "EXE", "CMD", "SQL", "QUERY")  # in an address for C2B (2.5)


@dataclass(frozen=True, kw_only=True)
class Registration:
    account: Account
    goes_on: bool
    confirmation_url: str
    validation_url: str


class ForbiddenWordError(ValueError):
    def __init__(self, field: str, word: str) -> None:
        super().__init__(f"Bad Request - Invalid {field} - URL has the word {word}")


def read_registration(fields: Mapping[str, Any]) -> Registration:
    """Raises BadFieldError, or ForbiddenWordError for an address with one of the words."""
    account = account_at(take(fields, "ShortCode", SHORT_CODE_OF_QUERY.fullmatch))
    if account is None:
        raise BadFieldError("ShortCode")
    kind = take(fields, "ResponseType", ("Completed", "Cancelled").__contains__)
    urls = {name: take(fields, name, is_callback_url) for name in ("ConfirmationURL", "ValidationURL")}
    for name, url in urls.items():
        word = next((word for word in FORBIDDEN if word in url.upper()), None)
        if word is not None:
            raise ForbiddenWordError(name, word)
    return Registration(
        account=account,
        goes_on=kind == "Completed",
        confirmation_url=urls["ConfirmationURL"],
        validation_url=urls["ValidationURL"],
    )


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """A payment that somebody makes at the phone's own menu: number, account, amount."""

    account: Account
    phone: str
    amount: int
    reference: str


def read_simulated(fields: Mapping[str, Any]) -> ByHand:
    """The sandbox's own call for one. Raises BadFieldError."""
    account = account_at(take(fields, "ShortCode", SHORT_CODE_OF_QUERY.fullmatch))
    if account is None:
        raise BadFieldError("ShortCode")
    command = take(fields, "CommandID", ("CustomerPayBillOnline", "CustomerBuyGoodsOnline").__contains__)
    paybill = command == "CustomerPayBillOnline"
    return ByHand(
        account=account,
        amount=int(take(fields, "Amount", is_amount)),
        phone=take(fields, "Msisdn", MSISDN.fullmatch),
        reference=take(fields, "BillRefNumber", str.strip) if paybill else "",
    )
