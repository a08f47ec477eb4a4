"""Reading the answer to a query: paid, not paid, processing, or no answer. Pure; only a bad token raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from .errors import InvalidToken
from .plain import as_text, id_text, scrub, scrub_code
from .replies import Complaint, Reply, complaint_of, read_json, sentence
from .results import Result, lookup

STILL_PROCESSING = "4999"
QUERY_PAUSE = 60.0  # seconds after a "too many" that names none: the window of Daraja's own limit, 5 in 60 s

_PROCESSING_WORDS = "being processed"
_GATEWAY_STATUSES = frozenset({502, 503, 504})
_BUSY_CODE = "500.003.02"  # "System is busy" or "Spike Arrest Violation"
_MAINTENANCE_CODE = "500.002.1001"
_NOT_TAKEN_WORDS = ("merchant does not exist", "wrong credentials")
_TAKEN_REFUSAL = "invalid checkoutrequestid"  # HTTP 400: unknown to Daraja, or asked too early


class Verdict(Enum):
    """What one query tells of a payment."""

    PAID = "paid"
    NOT_PAID = "not_paid"
    PROCESSING = "processing"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, kw_only=True)
class QueryAnswer:
    """One query's answer.

    `result` is the table's row where a ResultCode came; `code` the ResultCode or errorCode, or "".
    `pause`: seconds for which no query should be sent at all (None: no such wish).
    `asked`: Daraja itself looked; False where a gateway, a limit or the network answered in its place.
    """

    verdict: Verdict
    result: Result | None = None
    code: str = ""
    description: str = ""
    pause: float | None = None
    asked: bool = False


def read_query(reply: Reply, asked_id: str) -> QueryAnswer:
    """What Daraja says of the push `asked_id`. Raises InvalidToken only."""
    complaint = complaint_of(reply)
    if complaint.of_token:
        raise InvalidToken(sentence(reply, complaint), code=complaint.code, http_status=reply.status)
    if reply.status == 429 or complaint.of_quota or complaint.code == _BUSY_CODE:
        return _no_answer(
            sentence(reply, complaint), code=complaint.code, pause=reply.retry_after or QUERY_PAUSE
        )
    data = read_json(reply.text)
    if reply.status == 200 and isinstance(data, Mapping) and complaint == Complaint():
        return _read_outcome(data, asked_id)
    return _read_complaint(reply, complaint)


def _read_outcome(data: Mapping[str, object], asked_id: str) -> QueryAnswer:
    """HTTP 200 without an errorCode. ResponseCode speaks of the query, ResultCode of the payment."""
    raw_code, answered_id = data.get("ResultCode"), data.get("CheckoutRequestID")
    if as_text(raw_code) is None:
        return _no_answer("The answer names no result.", asked="ResponseCode" in data)
    result = lookup(raw_code)
    if answered_id is not None and id_text(answered_id) != asked_id:
        return _no_answer("The answer is about another payment.", code=result.code, asked=True)
    if result.code == STILL_PROCESSING:
        return QueryAnswer(
            verdict=Verdict.PROCESSING,
            result=result,
            code=result.code,
            description=_words(data, result),
            asked=True,
        )
    if answered_id is None:
        return _no_answer("The answer doesn't say which payment it is about.", code=result.code, asked=True)
    if as_text(data.get("ResponseCode")) != "0":
        return _no_answer("Daraja did not accept the query.", code=result.code, asked=True)
    return QueryAnswer(
        verdict=_verdict(result),
        result=result,
        code=result.code,
        description=_words(data, result),
        asked=True,
    )


def _verdict(result: Result) -> Verdict:
    if not result.final:
        return Verdict.NO_ANSWER
    return Verdict.PAID if result.paid else Verdict.NOT_PAID


def _words(data: Mapping[str, object], result: Result) -> str:
    return scrub(as_text(data.get("ResultDesc")) or "") or result.meaning


def _read_complaint(reply: Reply, complaint: Complaint) -> QueryAnswer:
    """An errorCode, a gateway's page or rubbish: none of them is an outcome."""
    if complaint.code and _PROCESSING_WORDS in complaint.words.lower():
        return QueryAnswer(
            verdict=Verdict.PROCESSING,
            code=scrub_code(complaint.code),
            description=scrub(complaint.words),
            asked=True,
        )
    return _no_answer(
        sentence(reply, complaint), code=scrub_code(complaint.code), asked=_was_taken(reply, complaint)
    )


def _was_taken(reply: Reply, complaint: Complaint) -> bool:
    """Whether Daraja's broker took the question. In doubt no: a "yes" lets the buyer be asked again."""
    data = read_json(reply.text)
    words = complaint.words.lower()
    if not isinstance(data, Mapping) or "errorCode" not in data or reply.status in _GATEWAY_STATUSES:
        return False
    if 400 <= reply.status < 500:
        return _TAKEN_REFUSAL in words
    return complaint.code != _MAINTENANCE_CODE and not any(refusal in words for refusal in _NOT_TAKEN_WORDS)


def _no_answer(words: str, *, code: str = "", pause: float | None = None, asked: bool = False) -> QueryAnswer:
    return QueryAnswer(
        verdict=Verdict.NO_ANSWER,
        result=None,
        code=code,
        description=scrub(words),
        pause=pause,
        asked=asked,
    )
