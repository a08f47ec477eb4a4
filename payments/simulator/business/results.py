"""What an order led to, as Daraja posts it to the ResultURL (daraja.md 6). Only bodies; sending them is elsewhere."""

import json
from typing import Any

from payments.simulator import ids
from payments.simulator.accounts import ACCOUNTS
from payments.simulator.bank import Bank, Deed
from payments.simulator.business.orders import BALANCE, REVERSAL
from payments.simulator.schedule import eat
from payments.simulator.till import Kind, Move

DONE = "The service request is processed successfully."
QUEUE_TIMEOUT_WORDS = "The transaction timed out in the queue."
TIMEOUT_ADDRESS = "https://internalsandbox.safaricom.co.ke/mpesa/{}results/v1/submit"
REASONS = {Kind.PAYMENT: "Pay Utility", Kind.REVERSAL: "Pay Utility Reversal", Kind.TO_BANK: "Transfer"}

Parameters = list[dict[str, Any]]


def result(deed: Deed, parameters: Parameters | None, *, as_text: bool) -> bytes:
    """`as_text`: codes as strings, as in the balance's sample."""
    code = deed.code or "0"
    done = code == "0"
    told: dict[str, Any] = {
        "ResultType": "0" if as_text else 0,
        "ResultCode": code if as_text or not code.isdigit() else int(code),
        "ResultDesc": deed.words,
        "OriginatorConversationID": deed.originator_conversation_id,
        "ConversationID": deed.conversation_id,
        "TransactionID": deed.receipt or f"{ids.receipt(eat(deed.accepted_at))[:3]}0000000",
    }
    if done and parameters is not None:
        told["ResultParameters"] = {"ResultParameter": parameters}
    item: dict[str, Any] = {"Key": "QueueTimeoutURL", "Value": TIMEOUT_ADDRESS.format(deed.what)}
    told["ReferenceData"] = {
        "ReferenceItem": item if not done or deed.what == REVERSAL else {"Key": "Occasion"}
    }
    return json.dumps({"Result": told}, separators=(",", ":")).encode()


def queue_timeout(deed: Deed) -> bytes:
    """A notice, not a failure."""
    told = {
        "ResultType": 1,
        "ResultCode": 1,
        "ResultDesc": QUEUE_TIMEOUT_WORDS,
        "OriginatorConversationID": deed.originator_conversation_id,
        "ConversationID": deed.conversation_id,
        "TransactionID": f"{ids.receipt(eat(deed.accepted_at))[:3]}0000000",
    }
    return json.dumps({"Result": told}, separators=(",", ":")).encode()


def for_nobody(deed: Deed) -> bytes:
    """The same body under ids that nobody was given."""
    stranger = Deed(
        **{
            **vars(deed),
            "originator_conversation_id": ids.originator_conversation_id(0),
            "conversation_id": ids.conversation_id(eat(deed.accepted_at)),
            "deliveries": [],
        }
    )
    return result(stranger, [], as_text=stranger.what == BALANCE)


def _pairs(**values: object) -> Parameters:
    """A key without a value stands alone, as Daraja has it."""
    return [{"Key": key} | ({} if value is None else {"Value": value}) for key, value in values.items()]


def of_status(bank: Bank, deed: Deed, about: Move | Deed) -> Parameters:
    """`about`: what moved, or an order that moved nothing (yet)."""
    if isinstance(about, Deed):
        return _pairs(
            OriginatorConversationID=about.originator_conversation_id,
            InitiatedTime=stamp(about.accepted_at),
            ReasonType=REASONS[Kind.REVERSAL],
            TransactionStatus="Initiated" if about.code is None else "Declined",
            FinalisedTime=stamp(about.ended_at) if about.ended_at else None,
            Amount=about.fields.get("Amount"),
            ConversationID=about.conversation_id,
            ReceiptNo=about.receipt or None,
        )
    account = ACCOUNTS[about.short_code]
    payer, shop = f"{about.phone} - John Doe", f"{account.short_code} - {account.name}"
    came = about.kind is Kind.PAYMENT
    return _pairs(
        DebitPartyName=payer if came else shop,
        CreditPartyName=shop if came else payer,
        OriginatorConversationID=_order_behind(bank, about) or ids.originator_conversation_id(1),
        InitiatedTime=stamp(about.started_at),
        DebitAccountType="MMF Account For Customer" if came else "Utility Account",
        DebitPartyCharges=None,
        TransactionReason=None,
        ReasonType=REASONS[about.kind],
        TransactionStatus="Completed",
        FinalisedTime=stamp(about.at),
        Amount=str(abs(about.change)),
        ConversationID=deed.conversation_id,
        ReceiptNo=about.receipt,
    )


def _order_behind(bank: Bank, move: Move) -> str:
    return next(
        (
            each.originator_conversation_id
            for each in bank.deeds()
            if move.receipt and each.receipt == move.receipt
        ),
        "",
    )


def of_reversal(bank: Bank, move: Move) -> Parameters:
    account = ACCOUNTS[move.short_code]
    held, _, _ = bank.balances(move.short_code)
    return _pairs(
        DebitAccountBalance=f"Utility Account|KES|{held}.00|{held}.00|0.00|0.00",
        Amount=-move.change,
        TransCompletedTime=int(stamp(move.at)),
        OriginalTransactionID=move.original,
        Charge=0,
        CreditPartyPublicName=f"{move.phone} - John Doe",
        DebitPartyPublicName=f"{account.short_code} - {account.name}",
    )


def of_balance(bank: Bank, short_code: str, at: float) -> Parameters:
    held, bank_got, charged = bank.balances(short_code)
    name = "Utility Account" if ACCOUNTS[short_code].is_paybill else "Merchant Account"
    accounts = (
        ("Working Account", 0),
        ("Float Account", 0),
        (name, held),
        ("Charges Paid Account", -charged),
        ("Organization Settlement Account", bank_got),
    )
    return _pairs(
        AccountBalance="&".join(f"{each}|KES|{kes}.00|{kes}.00|0.00|0.00" for each, kes in accounts),
        BOCompletedTime=int(stamp(at)),
    )


def stamp(at: float) -> str:
    return f"{eat(at):%Y%m%d%H%M%S}"
