"""Reading the answer to a push: accepted, or an error that says whether the phone was asked. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from .errors import Busy, InvalidToken, Misconfigured, OutcomeUnknown, PushRefused, SubscriberLocked
from .plain import as_text, id_text, scrub
from .replies import Complaint, Reply, complaint_of, member, read_json, sentence

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
)


@dataclass(frozen=True, kw_only=True)
class PushAccepted:
    """Daraja took the push and is about to ask the phone. It is not a payment.

    `checkout_request_id` ends in the payer's number: personal, so not in the repr.
    """

    merchant_request_id: str
    checkout_request_id: str = field(repr=False)
    message: str


def read_push(reply: Reply) -> PushAccepted:
    """The acceptance; raises PushRefused (or the kind of it that fits) or OutcomeUnknown."""
    accepted = _acceptance(reply)
    if accepted is None:
        raise _failure(reply)
    return accepted


def _acceptance(reply: Reply) -> PushAccepted | None:
    data = read_json(reply.text) if reply.status == 200 else None
    if as_text(member(data, "ResponseCode")) != "0":
        return None
    checkout_request_id = id_text(member(data, "CheckoutRequestID"))
    merchant_request_id = member(data, "MerchantRequestID")
    if checkout_request_id is None or (
        merchant_request_id is not None and id_text(merchant_request_id) is None
    ):
        return None
    words = as_text(member(data, "CustomerMessage")) or as_text(member(data, "ResponseDescription"))
    return PushAccepted(
        merchant_request_id=id_text(merchant_request_id) or "",
        checkout_request_id=checkout_request_id,
        message=scrub(words or ""),
    )


def _failure(reply: Reply) -> PushRefused | OutcomeUnknown:
    complaint = complaint_of(reply)
    words = sentence(reply, complaint)
    if not complaint.of_token and (reply.status == 429 or (complaint.of_quota and reply.status >= 400)):
        return Busy(words, code=complaint.code, http_status=reply.status, retry_after=reply.retry_after)
    kind = InvalidToken if complaint.of_token else _kind(reply, complaint)
    return kind(words, code=complaint.code, http_status=reply.status)


def _kind(reply: Reply, complaint: Complaint) -> type[PushRefused | OutcomeUnknown]:
    words = complaint.words.lower()
    if complaint.code == _OVERLOADED_CODE:
        return _overloaded(words) if reply.status >= 400 else OutcomeUnknown
    if not 400 <= reply.status < 500 or reply.status in _UNSURE_STATUSES:
        return OutcomeUnknown
    if complaint.code in _SETUP_CODES or any(setup in words for setup in _SETUP_WORDS):
        return Misconfigured
    return PushRefused


def _overloaded(words: str) -> type[PushRefused | OutcomeUnknown]:
    if any(refusal in words for refusal in _NOT_OURS):
        return Misconfigured
    return SubscriberLocked if _LOCKED in words else OutcomeUnknown
