"""An answer that is no acceptance: does it say that nothing was done? In doubt it does not. Pure."""

from __future__ import annotations

from .errors import Busy, InvalidToken, Misconfigured, OutcomeUnknown, Refused, SubscriberLocked
from .replies import Complaint, Reply, complaint_of, sentence

# One errorCode, many meanings: only these words are a "no". Its default is "unknown" (daraja.md, 2.3).
_OVERLOADED_CODE = "500.001.1001"
_NOT_OURS = ("merchant does not exist", "wrong credentials")
_LOCKED = "unable to lock subscriber"

# 4xx in which the request may have been taken all the same: timeouts, conflicts, a proxy that hung up.
_UNSURE_STATUSES = frozenset({408, 409, 425, 499})

# 4xx that only staff can mend: the buyer's phone and amount have no part in them.
_SETUP_CODES = frozenset({"404.001.01", "404.001.04", "405.001"})
_SETUP_WORDS = (
    "no apiproduct match",
    "not allowed to carry out transaction type",
    "invalid businessshortcode",
    "invalid password",
    "invalid timestamp",
    "invalid transactiontype",
    "invalid partyb",
    "invalid callbackurl",
    "invalid initiator",
    "invalid securitycredential",
    "invalid commandid",
    "invalid resulturl",
    "invalid queuetimeouturl",
)


def failure_of(reply: Reply) -> Refused | OutcomeUnknown:
    """The error that this answer is, to be raised."""
    complaint = complaint_of(reply)
    words = sentence(reply, complaint)
    if not complaint.of_token and (reply.status == 429 or (complaint.of_quota and reply.status >= 400)):
        return Busy(words, code=complaint.code, http_status=reply.status, retry_after=reply.retry_after)
    kind = InvalidToken if complaint.of_token else _kind(reply, complaint)
    return kind(words, code=complaint.code, http_status=reply.status)


def _kind(reply: Reply, complaint: Complaint) -> type[Refused | OutcomeUnknown]:
    words = complaint.words.lower()
    if complaint.code == _OVERLOADED_CODE:
        return _overloaded(words) if reply.status >= 400 else OutcomeUnknown
    if not 400 <= reply.status < 500 or reply.status in _UNSURE_STATUSES:
        return OutcomeUnknown
    if complaint.code in _SETUP_CODES or any(setup in words for setup in _SETUP_WORDS):
        return Misconfigured
    return Refused


def _overloaded(words: str) -> type[Refused | OutcomeUnknown]:
    if any(refusal in words for refusal in _NOT_OURS):
        return Misconfigured
    return SubscriberLocked if _LOCKED in words else OutcomeUnknown
