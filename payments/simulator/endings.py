"""How a push ends, by the last two digits of the phone: two tables. How an ending is carried out is elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PAID = "0"
CANCELLED = "1032"
NO_ANSWER = "1037"
WRONG_PIN = "2001"
INSUFFICIENT = "1"
TOO_LONG_A_PROMPT = "1025"
WRONG_PAIRING = "2028"
SAME_AMOUNT_TOO_SOON = "17"

PROMPT_SECONDS = 60.0
"""How long an unanswered prompt stays on the phone."""

TEST_LINE = "254708374149"
"""Safaricom's public test number: the prompt is never answered (daraja.md 2.6)."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A ResultCode with its prose: callback and query word the same outcome differently (daraja.md 4)."""

    code: str
    in_callback: str
    in_query: str


def _outcome(code: str, in_callback: str, in_query: str | None = None) -> Outcome:
    return Outcome(code=code, in_callback=in_callback, in_query=in_query or in_callback)


# Prose of 0, 1032, 1037, 1036 and E3008 is recorded; of the others only the codes are, the words are ours.
OUTCOMES: Mapping[str, Outcome] = MappingProxyType(
    {
        o.code: o
        for o in (
            _outcome(PAID, "The service request is processed successfully."),
            _outcome(INSUFFICIENT, "The balance is insufficient for the transaction."),
            _outcome("2", "Declined due to limit rule: less than the minimum transaction amount."),
            _outcome("3", "Declined due to limit rule: greater than the maximum transaction amount."),
            _outcome("4", "Declined due to limit rule: would exceed the daily transfer limit."),
            _outcome("8", "Declined due to limit rule: would exceed the maximum balance."),
            _outcome("11", "The DebitParty is in an invalid state."),
            _outcome(SAME_AMOUNT_TOO_SOON, "Rule limited."),
            _outcome("26", "System busy. The service request is rejected. Please try again later."),
            _outcome("1001", "Unable to lock subscriber, a transaction is already in process."),
            _outcome("1019", "Transaction has expired."),
            _outcome(TOO_LONG_A_PROMPT, "An error occurred while sending a push request."),
            _outcome("1031", "Request cancelled by user", "Request Cancelled by user."),
            _outcome(CANCELLED, "Request cancelled by user", "Request Cancelled by user."),
            _outcome("1036", "SMSC ACK timeout."),
            _outcome(NO_ANSWER, "No response from user.", "DS timeout user cannot be reached."),
            _outcome(WRONG_PIN, "The initiator information is invalid."),
            _outcome(WRONG_PAIRING, "The request is not permitted according to product assignment."),
            _outcome(
                "2040", "Credit Party customer type (Unregistered or Registered Customer) can't be supported."
            ),
            _outcome("7777", "Something nobody has listed."),
            _outcome("8006", "The security credential is locked."),
            _outcome("9999", "An error occurred while sending a push request."),
            _outcome("E3008", "Error, the user has a bad debt contract."),
            _outcome("SFC_IC0003", "The operator does not exist."),
        )
    }
)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The prompt ends with `code` after `seconds`; `pays_later` seconds after that the money comes all the same."""

    digits: str
    sentence: str
    code: str
    seconds: float
    pays_later: float | None = None


@dataclass(frozen=True, kw_only=True)
class RefusedAtOnce:
    """The push itself is refused: no prompt, no callback."""

    digits: str
    sentence: str
    status: int
    error_code: str
    message: str


def _ends(digits: str, code: str, seconds: float, sentence: str, pays_later: float | None = None) -> Ending:
    return Ending(digits=digits, sentence=sentence, code=code, seconds=seconds, pays_later=pays_later)


def _refused(digits: str, status: int, error_code: str, message: str) -> RefusedAtOnce:
    sentence = f"push refused: {status} {error_code} “{message}”"
    return RefusedAtOnce(
        digits=digits, sentence=sentence, status=status, error_code=error_code, message=message
    )


LOCKED = "Unable to lock subscriber, a transaction is already in process for the current subscriber"

ENDINGS: Mapping[str, Ending | RefusedAtOnce] = MappingProxyType(
    {
        e.digits: e
        for e in (
            _ends("00", PAID, 8.5, "pays by itself"),
            _ends("01", INSUFFICIENT, 8.8, "not enough money (1)"),
            _ends("02", "2", 3.2, "below the minimum (2)"),
            _ends("03", "3", 3.2, "above the limit of one transaction (3)"),
            _ends("04", "4", 8.8, "above the daily limit (4)"),
            _ends("06", "8006", 8.8, "the PIN is locked (8006)"),
            _ends("08", "8", 8.8, "the merchant's account is full (8)"),
            _ends("10", "1001", 3.2, "another session is open on the line (1001)"),
            _ends("11", "11", 3.2, "the payer's account is in an invalid state (11)"),
            _ends("17", SAME_AMOUNT_TOO_SOON, 3.2, "same amount again too soon (17)"),
            _ends("19", "1019", 26, "expired before it was processed (1019)"),
            _ends("20", WRONG_PIN, 8.8, "wrong PIN (2001)"),
            _ends("25", TOO_LONG_A_PROMPT, 3.2, "the prompt could not be sent (1025)"),
            _ends("26", "26", 3.2, "overload (26), which is not final"),
            _ends("28", WRONG_PAIRING, 3.2, "type and receiver don't go together (2028)"),
            _ends("30", "E3008", 8.8, "bad debt contract (E3008: a code that is no number)"),
            _ends("31", "1031", 10, "cancelled, the older code (1031)"),
            _ends("32", CANCELLED, 10, "cancelled on the phone (1032)"),
            _ends("33", "SFC_IC0003", 3.2, "receiver does not exist (SFC_IC0003)"),
            _ends("36", "1036", 26, "SMSC timeout (1036)"),
            _ends("37", NO_ANSWER, 3.2, "the phone is off (1037, quickly)"),
            _ends("38", NO_ANSWER, 26, "nobody answers (1037)"),
            _ends("40", "2040", 3.2, "not registered for M-PESA (2040)"),
            _ends("49", "7777", 8.8, "a code nobody has listed (7777)"),
            _ends(
                "80", NO_ANSWER, 26, "nobody answers (1037), and 60 s later the money comes all the same", 60
            ),
            _refused("90", 500, "500.001.1001", LOCKED),
            _refused("91", 500, "500.003.02", "System is busy. Please try again in few minutes."),
            _refused("92", 400, "400.002.02", "Bad Request - Invalid PhoneNumber"),
            _refused("93", 500, "500.003.03", "Quota Violation"),
            _refused(
                "94", 500, "500.002.1001", "Service is currently under maintenance. Please try again later"
            ),
            _ends("99", "9999", 8.8, "error while sending the prompt (9999)"),
        )
    }
)

ON_THE_TEST_LINE = _ends("", NO_ANSWER, 26, "nobody answers (1037)")


def ending_of(msisdn: str) -> Ending | RefusedAtOnce | None:
    """None: a number that isn't listed, so a person answers at the phone page or the prompt times out."""
    if msisdn == TEST_LINE:
        return ON_THE_TEST_LINE
    return ENDINGS.get(msisdn[-2:])
