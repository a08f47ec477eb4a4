"""What a shop that takes pushes calls: OAuth, push, query. Order of checks: daraja.md Appendix A. No sockets."""

import base64
import secrets
from dataclasses import replace

from payments.simulator import replies
from payments.simulator.accounts import ACCOUNTS, CONSUMER_KEY, CONSUMER_SECRET, Account
from payments.simulator.bank import Bank, Transaction
from payments.simulator.checks import (
    BadFieldError,
    PushOrder,
    QueryOrder,
    moment_of,
    phone_in,
    read_json,
    read_push,
    read_query,
)
from payments.simulator.endings import LOCKED, RefusedAtOnce, ending_of
from payments.simulator.exchange import Exchange
from payments.simulator.faults import FaultBoard
from payments.simulator.gate import Gate
from payments.simulator.incoming import Request
from payments.simulator.replies import RefusalError, Reply
from payments.simulator.schedule import Schedule, eat

OAUTH = "/oauth/v1/generate"
PUSH = "/mpesa/stkpush/v1/processrequest"
QUERY = "/mpesa/stkpushquery/v1/query"

PUSH_FAULTS = (
    "drop_before",
    "push_429",
    "push_html_403",
    "push_html_503",
    "push_502",
    "push_500",
    "push_empty_400",
    "push_no_product",
)
QUERY_FAULTS = ("query_drop", "query_429", "query_html")
OAUTH_FAULTS = ("oauth_drop", "oauth_empty_400", "oauth_html_403")

QUERY_APART_SECONDS = 12.0
"""5 in 60 s with a burst of 1 lets one through every 12 s."""


class DarajaApi:
    def __init__(self, *, bank: Bank, schedule: Schedule, faults: FaultBoard, exchange: Exchange) -> None:
        self._bank = bank
        self._schedule = schedule
        self._faults = faults
        self._exchange = exchange
        self._gate = Gate(bank=bank, schedule=schedule, faults=faults)

    def answer(self, request: Request) -> Reply:
        try:
            if request.path == OAUTH:
                return self._oauth(request)
            if request.path == PUSH:
                return self._push(request)
            if request.path == QUERY:
                return self._query(request)
            return self._gate.error(404, replies.NOT_FOUND, "Resource not found")
        except BadFieldError as bad:
            return self._gate.error(400, replies.BAD_FIELD, f"Bad Request - Invalid {bad.field}")
        except RefusalError as refusal:
            return refusal.reply

    # --- OAuth ---

    def _oauth(self, request: Request) -> Reply:
        self._bank.count("oauth")
        delay = self._faults.number("slow_oauth") or 0.0
        if (fault := self._gate.canned(OAUTH_FAULTS, None)) is not None:
            return fault[0]
        if request.method != "GET":
            return self._gate.error(405, replies.BAD_METHOD, f"{request.method} Method Not Allowed")
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return self._gate.error(400, "400.008.01", "Invalid Authentication passed")
        if request.query.get("grant_type") != "client_credentials":
            return self._gate.error(400, "400.008.02", "Invalid grant type passed")
        if credentials.strip() != base64.b64encode(f"{CONSUMER_KEY}:{CONSUMER_SECRET}".encode()).decode():
            return replies.EMPTY_400
        keep = self._faults.take("keep_old_tokens") is not None
        token = self._bank.issue_token(self._schedule.now(), keep_older=keep)
        as_number = self._faults.take("expires_in_number") is not None
        body = {"access_token": token, "expires_in": 3599 if as_number else "3599"}
        return replace(replies.json_reply(body), delay=delay)

    # --- push ---

    def _push(self, request: Request) -> Reply:
        self._bank.count("push")
        phone = phone_in(request.body)
        fault = self._gate.canned(PUSH_FAULTS, phone)
        if fault is not None and fault[1] != "accepted":
            return fault[0]
        self._gate.check_token(request)
        order = read_push(self._gate.fields(request, first="BusinessShortCode"))
        account = self._merchant(order)
        self._refuse_by_ending(order.phone)
        transaction = self._exchange.open(order, account)
        if transaction is None:
            return self._gate.error(500, replies.NO_INFORMATION, LOCKED)
        return self._accepted(transaction, fault[0] if fault else None)

    def _refuse_by_ending(self, phone: str) -> None:
        ending = ending_of(phone)
        if isinstance(ending, RefusedAtOnce):
            raise RefusalError(self._gate.error(ending.status, ending.error_code, ending.message))

    def _accepted(self, transaction: Transaction, spoilt: Reply | None) -> Reply:
        phone = transaction.order.phone
        body = replies.push_accepted(transaction.merchant_request_id, transaction.checkout_request_id)
        if self._faults.take("no_customer_message", phone) is not None:
            del body["CustomerMessage"]
        reply = spoilt or replies.json_reply(body)
        if self._faults.take("lost_answer", phone) is not None:
            reply = replies.DROPPED
        reply = replace(reply, delay=self._faults.number("slow_answer", phone) or 0.0)
        if self._faults.take("callback_before_answer", phone) is not None:
            told = self._exchange.settle(transaction)
            if told is not None:
                told.join()
        elif self._exchange.instant:
            reply = replace(reply, after=lambda: self._exchange.settle(transaction))
        return reply

    # --- query ---

    def _query(self, request: Request) -> Reply:
        self._bank.count("query")
        fields = read_json(request.body) or {}
        asked = fields.get("CheckoutRequestID")
        known = self._bank.find(asked) if isinstance(asked, str) else None
        phone = known.order.phone if known else None
        if (fault := self._gate.canned(QUERY_FAULTS, phone)) is not None:
            return fault[0]
        delay = self._faults.number("slow_query", phone) or 0.0
        self._gate.check_token(request)
        limited = self._faults.take("query_limiter", phone) is not None
        if limited and not self._bank.may_query(self._schedule.now(), QUERY_APART_SECONDS):
            return replies.SPIKE_ARREST
        order = read_query(self._gate.fields(request, first="BusinessShortCode"))
        self._merchant(order)
        if known is None or known.order.short_code != order.short_code:
            return self._gate.error(500, replies.NO_INFORMATION, "The transaction does not Exist")
        return replace(self._result(known), delay=delay)

    def _result(self, transaction: Transaction) -> Reply:
        phone, outcome = transaction.order.phone, transaction.outcome
        ids = (transaction.merchant_request_id, transaction.checkout_request_id)
        if self._faults.take("query_other_id", phone) is not None:
            other = f"ws_CO_{eat(transaction.accepted_at - 60):%d%m%Y%H%M%S}0708000000"
            return replies.query_result(ids[0], other, "0", "The service request is processed successfully.")
        if outcome is None:
            return self._in_flight(transaction)
        share = self._faults.number("random_no_answer", phone)
        if share is not None and secrets.randbelow(1_000_000) < share * 1_000_000:
            return self._gate.error(500, replies.NO_INFORMATION, "")
        return replies.query_result(*ids, outcome.code, outcome.in_query)

    def _in_flight(self, transaction: Transaction) -> Reply:
        """The four forms of daraja.md 3; A unless a fault chooses another."""
        phone = transaction.order.phone
        if self._faults.take("pending_500", phone) is not None:
            return self._gate.error(500, replies.NO_INFORMATION, "The transaction is being processed")
        if self._faults.take("pending_empty", phone) is not None:
            return self._gate.error(200, replies.NO_INFORMATION, "")
        if self._faults.take("pending_400", phone) is not None:
            return self._gate.error(400, replies.BAD_FIELD, "Bad Request - Invalid CheckoutRequestID")
        ids = (transaction.merchant_request_id, transaction.checkout_request_id)
        return replies.query_result(*ids, "4999", "The transaction is still under processing")

    # --- shared checks ---

    def _merchant(self, order: PushOrder | QueryOrder) -> Account:
        self._check_skew(order.timestamp)
        account = ACCOUNTS.get(order.short_code)
        if account is None:
            raise RefusalError(self._gate.error(500, replies.NO_INFORMATION, "Merchant does not exist"))
        if order.password != account.password(order.timestamp):
            raise RefusalError(self._gate.error(500, replies.NO_INFORMATION, "Wrong credentials"))
        return account

    def _check_skew(self, timestamp: str) -> None:
        """Only under its fault: Daraja doesn't enforce freshness (daraja.md 2.1)."""
        allowed = self._faults.number("skew_check")
        sent = moment_of(timestamp)
        if allowed is None or sent is None:
            return
        now = eat(self._schedule.now()).replace(tzinfo=sent.tzinfo)
        if abs((now - sent).total_seconds()) > allowed:
            raise BadFieldError("Timestamp")
