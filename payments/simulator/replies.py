"""Daraja's answers as bytes, in the shapes of daraja.md 1 to 3. Which one is given, and when, is elsewhere."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

JSON_TYPE = "application/json"
HTML_TYPE = "text/html"

INVALID_TOKEN = "404.001.03"  # noqa: S105 - an error code
TOKEN_ECHOED = "401.002.01"  # noqa: S105 - an error code
NOT_FOUND = "404.001.01"
NO_HEADER = "404.001.04"
BAD_METHOD = "405.001"
BAD_FIELD = "400.002.02"
BAD_PAYLOAD = "400.002.05"
NO_INFORMATION = "500.001.1001"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One HTTP answer. `after` runs once it is on the wire; `drop` closes the connection instead of answering.

    `delay` is in real seconds: it is the client's patience that is tried.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False
    after: Callable[[], object] | None = None


class RefusalError(Exception):
    """A request is answered with this instead of what it asked for."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def json_reply(body: object, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(body, ensure_ascii=False).encode())


def error(status: int, code: str, message: str, request_id: str) -> Reply:
    return json_reply({"requestId": request_id, "errorCode": code, "errorMessage": message}, status)


def push_accepted(merchant_request_id: str, checkout_request_id: str) -> dict[str, Any]:
    words = "Success. Request accepted for processing"
    return {
        "MerchantRequestID": merchant_request_id,
        "CheckoutRequestID": checkout_request_id,
        "ResponseCode": "0",
        "ResponseDescription": words,
        "CustomerMessage": words,
    }


def query_result(merchant_request_id: str, checkout_request_id: str, code: str, words: str) -> Reply:
    return json_reply(
        {
            "ResponseCode": "0",
            "ResponseDescription": "The service request has been accepted successsfully",
            "MerchantRequestID": merchant_request_id,
            "CheckoutRequestID": checkout_request_id,
            "ResultCode": code,
            "ResultDesc": words,
        }
    )


def deed_accepted(originator_conversation_id: str, conversation_id: str) -> dict[str, Any]:
    return {
        "OriginatorConversationID": originator_conversation_id,
        "ConversationID": conversation_id,
        "ResponseCode": "0",
        "ResponseDescription": "Accept the service request successfully.",
    }


DROPPED = Reply(drop=True)
EMPTY_400 = Reply(status=400, content_type="text/plain")
SPIKE_ARREST = json_reply(
    {
        "fault": {
            "faultstring": "Spike arrest violation. Allowed rate : MessageRate{messagesPerPeriod=5, "
            "periodInMicroseconds=60000000, maxBurstMessageCount=1.0}",
            "detail": {"errorcode": "policies.ratelimit.SpikeArrestViolation"},
        }
    },
    429,
)
NO_PRODUCT = json_reply(
    {
        "fault": {
            "faultstring": "Invalid API call as no apiproduct match found",
            "detail": {"errorcode": "keymanagement.service.InvalidAPICallAsNoApiProductMatchFound"},
        }
    },
    401,
)


def _page(status: int, text: str) -> Reply:
    return Reply(status=status, body=f"<html><body>{text}</body></html>".encode(), content_type=HTML_TYPE)


INCAPSULA = "<p>Request unsuccessful. Incapsula incident ID: 1065000330123456789-148573428390462216</p>"

CANNED: Mapping[str, Reply] = MappingProxyType(
    {
        "drop_before": DROPPED,
        "push_429": SPIKE_ARREST,
        "push_html_403": _page(HTTPStatus.FORBIDDEN, INCAPSULA),
        "push_html_503": _page(HTTPStatus.SERVICE_UNAVAILABLE, INCAPSULA),
        "push_502": _page(HTTPStatus.BAD_GATEWAY, "<center><h1>502 Bad Gateway</h1></center>"),
        "push_500": error(500, "500.003.1001", "Internal Server Error", "1c5b-4ba8-815c-ac45c57a3db01495926"),
        "push_empty_400": EMPTY_400,
        "push_no_product": NO_PRODUCT,
        "deed_drop": DROPPED,
        "deed_429": SPIKE_ARREST,
        "deed_500": error(500, "500.003.1001", "Internal Server Error", "1c5b-4ba8-815c-ac45c57a3db01495927"),
        "deed_html": _page(HTTPStatus.FORBIDDEN, INCAPSULA),
        "pull_drop": DROPPED,
        "pull_429": SPIKE_ARREST,
        "query_429": SPIKE_ARREST,
        "query_html": _page(HTTPStatus.FORBIDDEN, INCAPSULA),
        "query_drop": DROPPED,
        "oauth_empty_400": EMPTY_400,
        "oauth_html_403": _page(HTTPStatus.FORBIDDEN, INCAPSULA),
        "oauth_drop": DROPPED,
    }
)
"""The faults whose whole effect is one fixed answer."""
