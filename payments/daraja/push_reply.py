"""Reading the answer to a push: accepted, or an error that says whether the phone was asked. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from .plain import as_text, id_text, scrub
from .refusals import failure_of
from .replies import Reply, member, read_json


@dataclass(frozen=True, kw_only=True)
class PushAccepted:
    """Daraja took the push and is about to ask the phone. It is not a payment.

    `checkout_request_id` ends in the payer's number: personal, so not in the repr.
    """

    merchant_request_id: str
    checkout_request_id: str = field(repr=False)
    message: str


def read_push(reply: Reply) -> PushAccepted:
    """The acceptance; raises Refused (or the kind of it that fits) or OutcomeUnknown."""
    accepted = _acceptance(reply)
    if accepted is None:
        raise failure_of(reply)
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
