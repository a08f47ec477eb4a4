"""Reading what came of an order, as Safaricom posts it: any bytes in, an OrderResult or ResultUnreadable out. Pure.

A result is unsigned: a claim, until its address's secret and its ids have been compared (daraja.md, 6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum

from .plain import as_text, id_text, scrub, scrub_code
from .replies import member, read_json
from .values import amount_of, moment_of, receipt_of

LARGEST_BODY = 64 * 1024  # bytes


class ResultUnreadable(ValueError):
    """The body is no result. Its text is a sentence for staff and quotes nothing of the body."""


class Done(Enum):
    """Did it happen? A code without a row is UNKNOWN: never an ending."""

    YES = "yes"
    NO = "no"
    ALREADY = "already"  # a reversal: the money went back before, by somebody else's order
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Ending:
    done: Done
    words: str


_CONFIG = "Safaricom refused our initiator. Check his name, password, role and the certificate."

ENDINGS: Mapping[str, Ending] = {
    "0": Ending(done=Done.YES, words="Done."),
    "1": Ending(done=Done.NO, words="The till holds too little: its money was swept to the bank."),
    "8": Ending(done=Done.NO, words="The receiver's balance would be too high."),
    "11": Ending(done=Done.NO, words="The receiver's account is in a state that takes no money."),
    "18": Ending(done=Done.NO, words=_CONFIG),
    "20": Ending(done=Done.NO, words=_CONFIG),
    "21": Ending(done=Done.NO, words="Our initiator lacks the role for this. Ask Safaricom for it."),
    "22": Ending(done=Done.NO, words=_CONFIG),
    "24": Ending(done=Done.NO, words="Safaricom misses something in the order."),
    "25": Ending(done=Done.NO, words="Safaricom found something invalid in the order."),
    "29": Ending(done=Done.NO, words="Safaricom does not know this order."),
    "2001": Ending(done=Done.NO, words=_CONFIG),
    "2006": Ending(done=Done.NO, words="A rule of the account forbids it."),
    "2028": Ending(done=Done.NO, words="The short code has not got this product."),
    "2033": Ending(done=Done.NO, words="Safaricom knows no such transaction."),
    "8006": Ending(
        done=Done.NO, words="Our initiator is locked. Set his password anew in the M-PESA portal."
    ),
    "R000001": Ending(done=Done.ALREADY, words="The payment was reversed before."),
    "R000002": Ending(done=Done.NO, words="Safaricom can't reverse this receipt."),
}
UNKNOWN = Ending(done=Done.UNKNOWN, words="Safaricom gave a code that we don't know. It is looked up.")


@dataclass(frozen=True, kw_only=True)
class OrderResult:
    """`transaction_id`: of a reversal its new receipt. `values`: the parameters by Key; one without a Value, or named
    twice with two, is left out."""

    code: str
    description: str
    originator_conversation_id: str
    conversation_id: str
    transaction_id: str | None
    values: Mapping[str, str] = field(repr=False)

    @property
    def ending(self) -> Ending:
        return ENDINGS.get(self.code, UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class FoundTransaction:
    """What Transaction Status knows of one. `completed`: the money moved. Amounts in KES, times aware (EAT).

    Parties are "short code - name" or "phone - name": personal, not in the repr.
    """

    receipt: str | None
    status: str
    amount: Decimal | None
    finished_at: datetime | None
    started_at: datetime | None
    reason: str
    debit_party: str = field(repr=False)
    credit_party: str = field(repr=False)

    @property
    def completed(self) -> bool:
        return self.status.casefold() == "completed"

    @property
    def ended(self) -> bool:
        """Whether it is certain that it will move nothing, or has."""
        return self.status.casefold() in ("completed", "cancelled", "declined", "expired")

    def came_to(self, short_code: str) -> bool:
        return self.credit_party.split("-")[0].strip() == short_code

    def left(self, short_code: str) -> bool:
        return self.debit_party.split("-")[0].strip() == short_code


@dataclass(frozen=True, kw_only=True)
class ReversalDone:
    """`receipt`: the reversal's own. `original`: what went back."""

    receipt: str | None
    original: str | None
    amount: Decimal | None
    completed_at: datetime | None


def read_result(body: bytes | str) -> OrderResult:
    """Raises ResultUnreadable. A time-out notice has the same form."""
    if len(body) > LARGEST_BODY:
        raise ResultUnreadable("The body is too long for a result.")
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    told = member(read_json(text.removeprefix("\ufeff")), "Result")
    if not isinstance(told, Mapping):
        raise ResultUnreadable("The body is not JSON with Result in it.")
    code = as_text(told.get("ResultCode"))
    originator = id_text(told.get("OriginatorConversationID"))
    if not code or originator is None:
        raise ResultUnreadable("The result has no usable ResultCode and OriginatorConversationID.")
    return OrderResult(
        code=scrub_code(code),
        description=scrub(as_text(told.get("ResultDesc")) or ""),
        originator_conversation_id=originator,
        conversation_id=id_text(told.get("ConversationID")) or "",
        transaction_id=receipt_of(told.get("TransactionID")),
        values=_values(told.get("ResultParameters")),
    )


def found_transaction(result: OrderResult) -> FoundTransaction | None:
    """None where the result holds none."""
    values = result.values
    if result.ending.done is not Done.YES or "TransactionStatus" not in values:
        return None
    return FoundTransaction(
        receipt=receipt_of(values.get("ReceiptNo")),
        status=values["TransactionStatus"],
        amount=amount_of(values.get("Amount")),
        finished_at=moment_of(values.get("FinalisedTime")),
        started_at=moment_of(values.get("InitiatedTime")),
        reason=values.get("ReasonType", ""),
        debit_party=values.get("DebitPartyName", ""),
        credit_party=values.get("CreditPartyName", ""),
    )


def reversal_done(result: OrderResult) -> ReversalDone | None:
    """None where it wasn't. A success without parameters still names the reversal's receipt."""
    if result.ending.done is not Done.YES:
        return None
    return ReversalDone(
        receipt=result.transaction_id,
        original=receipt_of(result.values.get("OriginalTransactionID")),
        amount=amount_of(result.values.get("Amount")),
        completed_at=moment_of(result.values.get("TransCompletedTime")),
    )


def balances(result: OrderResult) -> dict[str, Decimal]:
    """KES by the account's name ("Utility Account"); what can't be read is left out. Charges are negative."""
    found: dict[str, Decimal] = {}
    for account in result.values.get("AccountBalance", "").split("&"):
        name, *cells = [cell.strip() for cell in account.split("|")]
        if len(cells) < 2 or cells[0] != "KES":
            continue
        amount = amount_of(cells[1].removeprefix("-"))
        if amount is not None:
            found[name] = -amount if cells[1].startswith("-") else amount
    return found


def _values(parameters: object) -> dict[str, str]:
    found: dict[str, str | None] = {}
    for key, value in _pairs(parameters):
        if (
            key == "DebitPartyName" and key in found
        ):  # Daraja's own sample names the other party so (daraja.md 6.1)
            found.setdefault("CreditPartyName", value)
        else:
            found[key] = value if found.get(key, value) == value else None
    return {key: value for key, value in found.items() if value is not None}


def _pairs(parameters: object) -> Iterator[tuple[str, str]]:
    listed = member(parameters, "ResultParameter") if isinstance(parameters, Mapping) else parameters
    for each in listed if isinstance(listed, list) else [listed]:
        key, value = member(each, "Key"), as_text(member(each, "Value"))
        if isinstance(key, str) and value is not None:
            yield key.strip(), value
