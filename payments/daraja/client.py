"""Daraja over the network: each of its calls, and the token for all. Decides nothing about payments."""

from __future__ import annotations

import base64
import json
import logging
import math
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from time import monotonic

import requests
import urllib3.exceptions as urllib3_errors
from requests.auth import AuthBase

from .c2b import REGISTER_PATH as C2B_REGISTER_PATH
from .c2b import UrlsRegistered, c2b_registration_body, read_c2b_registration
from .errors import Busy, DarajaError, InvalidToken, OutcomeUnknown, TooLate, Unreachable
from .initiator import Initiator
from .messages import Merchant, PushRequest, push_body, query_body
from .orders import (
    BALANCE_PATH,
    REVERSAL_PATH,
    STATUS_PATH,
    Acknowledged,
    ResultAddresses,
    ReversalRequest,
    StatusRequest,
    balance_body,
    read_acknowledgement,
    reversal_body,
    status_body,
)
from .pull import QUERY_PATH as PULL_PATH
from .pull import REGISTER_PATH as PULL_REGISTER_PATH
from .pull import (
    PullPage,
    PullRegistered,
    pull_body,
    pull_registration_body,
    read_pull,
    read_pull_registration,
)
from .push_reply import PushAccepted, read_push
from .query_reply import QUERY_PAUSE, QueryAnswer, Verdict, read_query
from .replies import Reply, complaint_of
from .token import Token, TokenStore, read_token, utc_now
from .transport import new_session, read_text

logger = logging.getLogger(__name__)

OAUTH_PATH = "/oauth/v1/generate"
PUSH_PATH = "/mpesa/stkpush/v1/processrequest"
QUERY_PATH = "/mpesa/stkpushquery/v1/query"

Body = Mapping[str, str] | Mapping[str, str | int]

_LONGEST_PAUSE = 3600.0  # seconds of a Retry-After that are believed

# Failures before the request's first byte was sent. Everything else may have reached Daraja.
_NEVER_LEFT = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
    urllib3_errors.NewConnectionError,  # NameResolutionError is one
    urllib3_errors.ConnectTimeoutError,
    urllib3_errors.ProxyError,
    ssl.SSLCertVerificationError,
)


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Seconds. `connect` is for reaching Daraja; the others bound a whole answer, headers and body."""

    connect: float = 5.0
    read: float = 25.0
    query_read: float = 10.0
    # a token is awaited by everybody: with a second try after a dropped line, ten seconds in all
    oauth_connect: float = 3.0
    oauth_read: float = 6.0


class _Authorization(AuthBase):
    """Sets the header last, so that neither netrc nor a session's own header can replace it."""

    def __init__(self, header: str) -> None:
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


class DarajaClient:
    """One shop's line to Daraja; its threads share it.

    `base_url` is the scheme and host (`https://api.safaricom.co.ke`). A `session` of one's own
    should come from `new_session()`: another one has no overall deadline.
    """

    def __init__(
        self,
        base_url: str,
        consumer_key: str,
        consumer_secret: str,
        merchant: Merchant,
        tokens: TokenStore,
        timeouts: Timeouts | None = None,
        session: requests.Session | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        credentials = base64.b64encode(f"{consumer_key}:{consumer_secret}".encode()).decode("ascii")
        self._basic = _Authorization(f"Basic {credentials}")
        self._merchant = merchant
        self._tokens = tokens
        self._timeouts = timeouts or Timeouts()
        self._session = session or new_session()
        self._clock = clock

    def push(self, request: PushRequest, *, may_leave: Callable[[], bool] = lambda: True) -> PushAccepted:
        """Ask the phone, once. Raises Refused (and its kinds), Unreachable or OutcomeUnknown.

        Only an answer that refuses the token, where nothing was asked, leads to a second send with a new one.
        `may_leave` is asked just before each send, when the token is there: False, and nothing is sent (TooLate).
        """
        token = self._token()
        try:
            return self._push(request, token, may_leave)
        except InvalidToken:
            logger.info("daraja refused the token of a push; sending once more with another")
        return self._push(request, self._token(stale=token.value), may_leave)

    def query(self, checkout_request_id: str) -> QueryAnswer:
        """What became of a push. Never raises: trouble of any kind is NO_ANSWER, with `asked` False."""
        try:
            token = self._token()
            try:
                return self._query(checkout_request_id, token)
            except InvalidToken:
                logger.info("daraja refused the token of a query; sending once more with another")
            return self._query(checkout_request_id, self._token(stale=token.value))
        except DarajaError as error:
            return QueryAnswer(
                verdict=Verdict.NO_ANSWER, code=error.code, description=error.message, pause=_pause(error)
            )

    def ask_status(
        self, asked: StatusRequest, *, initiator: Initiator, told_at: ResultAddresses
    ) -> Acknowledged:
        """Has a transaction looked up; what is known of it is posted. Raises Refused, Unreachable or OutcomeUnknown,
        after each of which one may ask again: nothing moves."""
        body = status_body(asked, self._merchant.short_code, initiator, told_at)
        return self._order("status", STATUS_PATH, body)

    def ask_balance(self, *, initiator: Initiator, told_at: ResultAddresses) -> Acknowledged:
        """As ask_status."""
        body = balance_body(self._merchant.short_code, initiator, told_at)
        return self._order("balance", BALANCE_PATH, body)

    def reverse(
        self,
        asked: ReversalRequest,
        *,
        initiator: Initiator,
        told_at: ResultAddresses,
        may_leave: Callable[[], bool] = lambda: True,
    ) -> Acknowledged:
        """Has money sent back, once. Raises Refused (and its kinds), Unreachable, or OutcomeUnknown: it may be gone.

        `may_leave` is asked just before each send, as of a push.
        """
        body = reversal_body(asked, self._merchant.short_code, initiator, told_at)
        return self._order("reversal", REVERSAL_PATH, body, may_leave)

    def pull(self, *, start: datetime, end: datetime, offset: int) -> PullPage:
        """A page of rows. Raises Refused, Unreachable or OutcomeUnknown."""
        body = pull_body(self._merchant.short_code, start=start, end=end, offset=offset)
        return read_pull(self._with_token("pull", PULL_PATH, body))

    def register_pull(self, *, nominated_number: str, callback_url: str) -> PullRegistered:
        body = pull_registration_body(
            self._merchant.short_code, nominated_number=nominated_number, callback_url=callback_url
        )
        return read_pull_registration(self._with_token("pull", PULL_REGISTER_PATH, body))

    def register_c2b(
        self, *, confirmation_url: str, validation_url: str, goes_on: bool = True
    ) -> UrlsRegistered:
        body = c2b_registration_body(
            self._merchant.short_code,
            confirmation_url=confirmation_url,
            validation_url=validation_url,
            goes_on=goes_on,
        )
        return read_c2b_registration(self._with_token("c2b", C2B_REGISTER_PATH, body))

    def authenticate(self) -> None:
        """Sees to it that there is a live token. Raises Misconfigured, Busy or Unreachable."""
        self._token()

    def their_time(self) -> datetime | None:
        """What Daraja's own clock says, to the second: any answer of it is dated. None: there was none."""
        try:
            answer = self._session.request(
                "GET",
                f"{self._base_url}/",
                timeout=(self._timeouts.connect, self._timeouts.query_read),
                allow_redirects=False,
                stream=True,
            )
            answer.close()
            return parsedate_to_datetime(answer.headers["Date"])
        except (OSError, urllib3_errors.HTTPError, KeyError, ValueError, TypeError):
            return None

    def _push(self, request: PushRequest, token: Token, may_leave: Callable[[], bool]) -> PushAccepted:
        body = push_body(request, self._merchant, self._clock())
        if not may_leave():
            raise TooLate("Not asked: the request was held up for too long.", code="not_asked")
        return read_push(self._post("push", PUSH_PATH, body, token, self._timeouts.read))

    def _query(self, checkout_request_id: str, token: Token) -> QueryAnswer:
        body = query_body(checkout_request_id, self._merchant, self._clock())
        return read_query(
            self._post("query", QUERY_PATH, body, token, self._timeouts.query_read), checkout_request_id
        )

    def _order(
        self, call: str, path: str, body: Mapping[str, str], may_leave: Callable[[], bool] = lambda: True
    ) -> Acknowledged:
        return read_acknowledgement(self._with_token(call, path, body, may_leave))

    def _with_token(
        self, call: str, path: str, body: Mapping[str, str], may_leave: Callable[[], bool] = lambda: True
    ) -> Reply:
        """The answer. Only one that refuses the token, where nothing was done, leads to a second send."""
        token = self._token()
        reply = self._sent(call, path, body, token, may_leave)
        if complaint_of(reply).of_token:
            logger.info("daraja refused the token of a call; sending once more with another")
            reply = self._sent(call, path, body, self._token(stale=token.value), may_leave)
        return reply

    def _sent(
        self, call: str, path: str, body: Mapping[str, str], token: Token, may_leave: Callable[[], bool]
    ) -> Reply:
        if not may_leave():
            raise TooLate("Not sent: the order was held up for too long.", code="not_asked")
        return self._post(call, path, body, token, self._timeouts.read)

    def _post(
        self,
        call: str,
        path: str,
        body: Mapping[str, str] | Mapping[str, str | int],
        token: Token,
        read: float,
    ) -> Reply:
        return self._exchange(
            call, "POST", path, json.dumps(body).encode(), _Authorization(f"Bearer {token.value}"), read
        )

    def _token(self, stale: str | None = None) -> Token:
        return self._tokens.get(self._fetch_token, stale=stale)

    def _fetch_token(self) -> Token:
        """A new token from Daraja. A failure here is never OutcomeUnknown: no push was sent yet."""
        for attempt in (1, 2):
            began = monotonic()
            try:
                reply = self._exchange(
                    "oauth", "GET", OAUTH_PATH, None, self._basic, self._timeouts.oauth_read
                )
            except (Unreachable, OutcomeUnknown):
                if attempt == 2 or monotonic() - began > self._timeouts.oauth_connect / 3:
                    break  # a dropped line is worth a second try; a slow Daraja keeps everyone waiting
            else:
                return read_token(reply, self._clock())
        raise Unreachable("Daraja gave no token: it could not be reached.")

    def _exchange(
        self, call: str, method: str, path: str, body: bytes | None, authorization: AuthBase, read: float
    ) -> Reply:
        """One request, one answer, or Unreachable / OutcomeUnknown."""
        began = monotonic()
        try:
            reply = self._send(method, path, body, authorization, read)
        except (OSError, urllib3_errors.HTTPError) as error:  # requests' own errors are OSErrors
            failure = sort_failure(error)
            _log(call, type(failure).__name__, began)
        else:
            _log(call, reply.status, began)
            return reply
        # Raised out here, so that no requests exception (it holds the request, and so the phone) hangs on it.
        raise failure

    def _send(
        self, method: str, path: str, body: bytes | None, authorization: AuthBase, read: float
    ) -> Reply:
        is_oauth = path == OAUTH_PATH
        connect = self._timeouts.oauth_connect if is_oauth else self._timeouts.connect
        response = self._session.request(
            method,
            self._base_url + path,
            params={"grant_type": "client_credentials"} if is_oauth else None,
            data=body,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"}
            | ({"Content-Type": "application/json"} if body is not None else {}),
            auth=authorization,
            timeout=(connect, read),
            allow_redirects=False,
            stream=True,
        )
        retry_after = read_retry_after(response.headers.get("Retry-After"), self._clock())
        return Reply(status=response.status_code, text=read_text(response), retry_after=retry_after)


def sort_failure(error: Exception) -> Unreachable | OutcomeUnknown:
    """Did the request leave us? In doubt it did. The answer keeps nothing of `error` but its kind."""
    if any(isinstance(link, _NEVER_LEFT) for link in _chain(error)):
        return Unreachable("Daraja could not be reached: the request was not sent.")
    if isinstance(error, requests.exceptions.Timeout):
        return OutcomeUnknown("Daraja did not answer in time.")
    return OutcomeUnknown("The connection to Daraja broke before a usable answer came.")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps: requests puts urllib3's in args, urllib3 the socket's in `reason`."""
    waiting: list[object] = [error]
    for _ in range(20):
        link = waiting.pop() if waiting else None
        if isinstance(link, BaseException):
            yield link
            waiting += [link.__cause__, getattr(link, "reason", None), *link.args]
        elif not waiting:
            return


def read_retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds to wait, out of "120" or an HTTP date; None where the header says nothing usable."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if math.isfinite(seconds) else None


def _pause(error: DarajaError) -> float | None:
    return (error.retry_after or QUERY_PAUSE) if isinstance(error, Busy) else None


def _log(call: str, outcome: int | str, began: float) -> None:
    logger.info(
        "daraja call done",
        extra={
            "daraja_call": call,
            "daraja_outcome": outcome,
            "milliseconds": round((monotonic() - began) * 1000),
        },
    )
