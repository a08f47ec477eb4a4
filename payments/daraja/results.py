"""Every result code Daraja is known to give a push, as a closed table (daraja.md, 5). One row, one code.

A code is text: some are not numbers, and one read as 0 would mark unpaid orders paid. A code without a row
is never an ending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from .plain import as_text, scrub_code

CHECKING = "We are checking your payment. Do not pay again yet."
UNAVAILABLE = "Payment is unavailable; we are on it."
_CANCELLED = "You cancelled the request."
_EXPIRED = "The request expired. Try again."
_WRONG_PIN = "Wrong M-PESA PIN."
_BUSY = "M-PESA is busy. Please wait."
_UNREACHED = "We could not reach your phone."


class Retry(Enum):
    """Whether the buyer may be sent a new push: at once, after a while, or not as things stand."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a result code means.

    `final`: it may close the attempt. `paid`: the money moved.
    `follow_up`: evidence is thin, so close softly (or stay open) and keep asking for 24 hours.
    `check_earlier`: final for this push, but an earlier one to the same line may be live: query that one.
    `buyer` and `staff` are whole sentences.
    """

    code: str
    meaning: str
    final: bool
    paid: bool = False
    retry: Retry
    follow_up: bool = False
    check_earlier: bool = False
    buyer: str
    staff: str


_CONFIG_WORDS = "The shop's own set-up was refused. Correct it before anyone can pay."
_WAIT_WORDS = "M-PESA is overloaded and the outcome is open. The attempt is asked about again by itself."
_NOT_STK = "This code belongs to another M-PESA API. The payment stays open; read the raw answer."


def _final(code: str, meaning: str, retry: Retry, buyer: str, staff: str, **flags: bool) -> Result:
    return Result(code=code, meaning=meaning, final=True, retry=retry, buyer=buyer, staff=staff, **flags)


def _open(
    code: str,
    meaning: str,
    retry: Retry = Retry.NEVER,
    buyer: str = CHECKING,
    staff: str = _NOT_STK,
    **flags: bool,
) -> Result:
    return Result(code=code, meaning=meaning, final=False, retry=retry, buyer=buyer, staff=staff, **flags)


_PAID = _final(
    "0", "Paid", Retry.NEVER, "Payment received.",
    "Paid. If the receipt is missing, take it from the statement.",
    paid=True,
)  # fmt: skip

# The buyer, the phone and the account.
_BUYERS = (
    _final("1", "Insufficient funds", Retry.NOW, "Not enough M-PESA balance. Top up and try again.",
           "The balance (and Fuliza) did not cover it. The buyer may try again after a top-up."),
    _final("2", "Below the minimum amount", Retry.NEVER, "The amount is too small for M-PESA.",
           "The least M-PESA takes is KES 1. Check the order's price."),
    _final("3", "Above the maximum amount", Retry.NEVER,
           "The amount is above the M-PESA limit of KES 250,000.",
           "One payment may be KES 250,000 at most. Split the order."),
    _final("4", "Daily limit reached", Retry.LATER, "You have reached your M-PESA daily limit.",
           "The buyer's daily limit (KES 500,000) would be passed. Tomorrow, or a smaller amount."),
    _final("11", "Payer's account in an invalid state", Retry.NEVER,
           "Your M-PESA line cannot make this payment. Call 100.",
           "The payer's M-PESA account is not active. Only Safaricom (100) can help the buyer."),
    _final("17", "Same amount to the same customer within two minutes", Retry.LATER,
           "Please wait two minutes before trying again.",
           "Refused as a repetition. Check the earlier attempt first: it may have been paid.",
           check_earlier=True),
    _final("1001", "Line busy with another M-PESA request", Retry.LATER,
           "Finish or close the other M-PESA request on your phone, then try again.",
           "Another prompt was open on this line. Check the earlier attempt before a new one.",
           check_earlier=True),
    _final("1019", "Expired before it was processed", Retry.NOW, _EXPIRED,
           "The request ran out of time. The buyer may try again."),
    _final("1025", "The prompt could not be sent", Retry.LATER, "We could not reach your phone. Try again.",
           "A passing fault, or a prompt over 182 characters. If it repeats, shorten the reference."),
    _final("1031", "Cancelled by the user", Retry.NOW, _CANCELLED,
           "Cancelled on the phone, by a code known from hearsay only: it is watched for a day.", follow_up=True),
    _final("1032", "Cancelled by the user", Retry.NOW, _CANCELLED,
           "Cancelled on the phone, or the prompt closed by itself. The buyer may try again."),
    _final("1037", "No answer from the phone", Retry.LATER,
           "We got no answer from your phone. Check it is on, then try again.",
           "Phone off, out of cover, old SIM (*234#), or no PIN typed. Money may have moved: watched 24 h.",
           follow_up=True),
    _final("2001", "Wrong PIN", Retry.NOW, _WRONG_PIN,
           "The buyer typed a wrong M-PESA PIN and may try again."),
    _final("2006", "Account rule forbids it", Retry.NEVER, "This account cannot make the payment.",
           "The status or a rule of the payer's account forbids the payment."),
    _final("2026", "Session expired", Retry.NOW, _EXPIRED,
           "The phone's session ran out. The buyer may try again."),
    _final("2040", "Not registered for M-PESA", Retry.NEVER, "This number is not registered for M-PESA.",
           "The line has no M-PESA account of a kind that can pay. Another number is needed."),
    _final("8006", "PIN locked", Retry.NEVER, "Your M-PESA PIN is locked. Call 100 or 200.",
           "Too many wrong PINs. Only Safaricom can unlock it."),
    _final("E3008", "Bad debt contract", Retry.NEVER, "M-PESA refused this payment. Call 100.",
           "Safaricom holds a bad debt against the line. The buyer must settle that with Safaricom."),
    _final("TP40087", "Wrong PIN (older code)", Retry.NOW, _WRONG_PIN,
           "The buyer typed a wrong M-PESA PIN and may try again."),
)  # fmt: skip

# The shop: no buyer can mend these.
_SHOPS = (
    _final("8", "Receiver's balance would be too high", Retry.NEVER,
           "We cannot receive this payment now. Please use another way.",
           "The shop's account is full. Move money out of it, then payments work again."),
    _final("18", "Initiator credential refused", Retry.NEVER, UNAVAILABLE, _CONFIG_WORDS),
    _final("20", "Initiator unknown", Retry.NEVER, UNAVAILABLE, _CONFIG_WORDS),
    _final("21", "Initiator lacks permission", Retry.NEVER, UNAVAILABLE, _CONFIG_WORDS),
    _final("22", "Initiator lacks permission", Retry.NEVER, UNAVAILABLE, _CONFIG_WORDS),
    _final("24", "Missing parameter", Retry.NEVER, UNAVAILABLE, _CONFIG_WORDS),
    _final("25", "Invalid parameter", Retry.NEVER, UNAVAILABLE, _CONFIG_WORDS),
    _final("29", "Invalid command", Retry.NEVER, UNAVAILABLE, _CONFIG_WORDS),
    _final("1101", "Prompt text length refused", Retry.NEVER, UNAVAILABLE,
           "The prompt's text has a length M-PESA refuses. Shorten reference and description."),
    _final("1102", "Prompt text length refused", Retry.NEVER, UNAVAILABLE,
           "The prompt's text has a length M-PESA refuses. Shorten reference and description."),
    _final("2007", "External validation failed", Retry.NEVER, "Payment was refused.",
           "The shortcode's C2B validation address refused it or did not answer. Check that address."),
    _final("2008", "Authentication failed", Retry.NEVER, "Payment was refused.",
           "The shortcode's C2B validation could not be authenticated. Check that address."),
    _final("2028", "Not permitted by product assignment", Retry.NEVER, UNAVAILABLE,
           "Transaction type and receiving number don't match. Check paybill or till, and the till number."),
    _final("SFC_IC0003", "Receiver invalid", Retry.NEVER, UNAVAILABLE,
           "M-PESA doesn't know the receiving number. Check paybill or till, and the till number."),
)  # fmt: skip

# No ending: the payment stays open whatever else is said.
_NOT_FINAL = (
    _open("4999", "Still processing", buyer="Waiting for you to enter your PIN.",
          staff="The prompt is on the phone. Wait: it is no failure."),
    _open("26", "Overloaded", Retry.LATER, _BUSY, _WAIT_WORDS),
    _open("100000001", "Overloaded", Retry.LATER, _BUSY, _WAIT_WORDS),
    _open("100000002", "Traffic blocked", Retry.LATER, _BUSY, _WAIT_WORDS),
    _open("100000011", "Throttled", Retry.LATER, _BUSY, _WAIT_WORDS),
    _open("1036", "The phone's network did not confirm the prompt", Retry.LATER, _UNREACHED,
          "SMSC ACK timeout: the prompt may or may not have arrived. It is asked about for 24 hours.",
          follow_up=True),
    _open("9999", "The prompt could not be sent, or a general fault", Retry.LATER,
          CHECKING,  # "try again" only once Daraja, asked again, has not said "paid"
          "No proof either way. Ask Daraja again before a new push; it is asked about for 24 hours.",
          follow_up=True),
    _open("15", "Duplicate originator id"),
    _open("2029", "Unresolved reason type"),
    _open("2033", "Receipt not found"),
    _open("R000001", "Reversal: already reversed"),
    _open("R000002", "Reversal: original id invalid"),
    _open("500.001.1001", "No information",
          staff="Daraja had no answer to give. It is asked again by itself."),
)  # fmt: skip

UNKNOWN = _open(
    "", "Unknown code",
    staff="Daraja gave a code that is not in our table. The payment stays open: check the M-PESA statement.",
)  # fmt: skip

RESULTS: Mapping[str, Result] = MappingProxyType(
    {row.code: row for row in (_PAID, *_BUYERS, *_SHOPS, *_NOT_FINAL)}
)


def lookup(code: object) -> Result:
    """The row of `code`, compared as text; a copy of UNKNOWN bearing the code where there is no row."""
    text = as_text(code) or ""
    return RESULTS.get(text) or replace(UNKNOWN, code=scrub_code(text))
