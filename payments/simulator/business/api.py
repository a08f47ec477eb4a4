"""The other half's endpoints (daraja.md 6): what is checked, in which order, and what is answered. No sockets."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from payments.simulator import ids, replies
from payments.simulator.bank import Addresses, Bank
from payments.simulator.business import pull
from payments.simulator.business.by_hand import HandPayments, Refused
from payments.simulator.business.deeds import Deeds
from payments.simulator.business.orders import (
    BALANCE,
    REVERSAL,
    STATUS,
    ByHand,
    ForbiddenWordError,
    read_order,
    read_registration,
    read_simulated,
)
from payments.simulator.checks import MSISDN, SHORT_CODE_OF_QUERY, BadFieldError, is_callback_url, take
from payments.simulator.faults import FaultBoard
from payments.simulator.gate import Gate
from payments.simulator.incoming import Request
from payments.simulator.replies import RefusalError, Reply, json_reply
from payments.simulator.schedule import Schedule

DEEDS: Mapping[str, str] = {
    "/mpesa/transactionstatus/v1/query": STATUS,
    "/mpesa/reversal/v1/request": REVERSAL,
    "/mpesa/accountbalance/v1/query": BALANCE,
}
# what each says of a token that is no good (daraja.md 1): code and HTTP status
TOKENS: Mapping[str, tuple[str, int]] = {
    STATUS: ("400.003.01", 400),
    REVERSAL: (replies.INVALID_TOKEN, 404),
    BALANCE: (replies.TOKEN_ECHOED, 401),
}
PULL_REGISTER = "/pulltransactions/v1/register"
PULL_QUERY = "/pulltransactions/v1/query"
C2B = {
    f"/mpesa/c2b/v{version}/{call}": (version, call)
    for version in (1, 2)
    for call in ("registerurl", "simulate")
}
DEED_FAULTS = ("deed_drop", "deed_429", "deed_html", "deed_500")
PULL_FAULTS = ("pull_drop", "pull_429")


class BusinessApi:
    def __init__(
        self, *, bank: Bank, schedule: Schedule, faults: FaultBoard, deeds: Deeds, by_hand: HandPayments
    ) -> None:
        self._bank = bank
        self._schedule = schedule
        self._faults = faults
        self._deeds = deeds
        self._by_hand = by_hand
        self._gate = Gate(bank=bank, schedule=schedule, faults=faults)

    def knows(self, path: str) -> bool:
        return path in DEEDS or path in C2B or path in (PULL_REGISTER, PULL_QUERY)

    def answer(self, request: Request) -> Reply:
        try:
            return self._endpoint(request.path)(request)
        except BadFieldError as bad:
            code = "400.001" if request.path.startswith("/pulltransactions/") else replies.BAD_FIELD
            return self._gate.error(400, code, f"Bad Request - Invalid {bad.field}")
        except ForbiddenWordError as word:
            return self._gate.error(400, "400.003.02", str(word))
        except RefusalError as refusal:
            return refusal.reply

    def _endpoint(self, path: str) -> Callable[[Request], Reply]:
        if path in DEEDS:
            return self._order
        if path in C2B:
            return self._register if C2B[path][1] == "registerurl" else self._simulate
        return self._register_pull if path == PULL_REGISTER else self._pull

    # --- Transaction Status, Reversal, Account Balance ---

    def _order(self, request: Request) -> Reply:
        what = DEEDS[request.path]
        self._bank.count(what)
        fault = self._gate.canned(DEED_FAULTS, None)
        if fault is not None and fault[1] != "accepted":
            return fault[0]
        code, status = TOKENS[what]
        self._gate.check_token(request, code=code, status=status)
        order = read_order(what, self._gate.fields(request, first="Initiator"))
        deed = self._deeds.open(order)
        body = replies.deed_accepted(deed.originator_conversation_id, deed.conversation_id)
        reply = fault[0] if fault else json_reply(body)
        if self._faults.take("lost_deed_answer") is not None:
            reply = replies.DROPPED
        reply = replace(reply, delay=self._faults.number("slow_deed_answer") or 0.0)
        if self._faults.take("result_before_answer") is not None:
            _wait_for(self._deeds.settle(deed, order))
        elif self._deeds.instant:
            reply = replace(reply, after=lambda: self._deeds.settle(deed, order))
        return reply

    # --- Pull ---

    def _register_pull(self, request: Request) -> Reply:
        self._bank.count("pull")
        self._gate.check_token(request, code="401.001", status=401)
        fields = self._gate.fields(request, first="ShortCode")
        short_code = take(fields, "ShortCode", SHORT_CODE_OF_QUERY.fullmatch)
        take(fields, "RequestType", "Pull".__eq__)
        take(fields, "NominatedNumber", MSISDN.fullmatch)
        take(fields, "CallBackURL", is_callback_url)
        return json_reply(pull.registered(short_code, new=self._bank.register_pull(short_code)))

    def _pull(self, request: Request) -> Reply:
        self._bank.count("pull")
        if (fault := self._gate.canned(PULL_FAULTS, None)) is not None:
            return fault[0]
        methods = "GET" if self._faults.take("pull_by_get") is not None else "POST"
        self._gate.check_token(request, code="401.001", status=401, methods=methods)
        fields = self._gate.fields(request, first="ShortCode")
        short_code = take(fields, "ShortCode", SHORT_CODE_OF_QUERY.fullmatch)
        start = pull.moment_of(take(fields, "StartDate", pull.is_moment)) or 0.0
        end = pull.moment_of(take(fields, "EndDate", pull.is_moment)) or 0.0
        offset = int(take(fields, "OffSetValue", lambda text: text.isdecimal() and len(text) < 10))
        failing = self._faults.take("pull_1001")
        if failing is True or (failing == "later" and offset) or not self._bank.may_pull(short_code):
            return json_reply(pull.answer("1001", "Failed", []))
        rows = pull.rows(
            self._bank, short_code, start=start, end=end, offset=offset, now=self._schedule.now()
        )
        return json_reply(pull.answer("1000", "Success", rows) if rows else pull.answer("1001", "Failed", []))

    # --- C2B ---

    def _register(self, request: Request) -> Reply:
        self._bank.count("c2b")
        version, _ = C2B[request.path]
        self._gate.check_token(request, code="400.003.01", status=400)
        asked = read_registration(self._gate.fields(request, first="ShortCode"))
        addresses = Addresses(
            short_code=asked.account.short_code,
            version=version,
            confirmation_url=asked.confirmation_url,
            validation_url=asked.validation_url,
            goes_on=asked.goes_on,
        )
        if not self._bank.register_addresses(addresses):
            return self._gate.error(500, "500.003.1001", "Urls are already registered.")
        return json_reply(_c2b_taken("Success"))

    def _simulate(self, request: Request) -> Reply:
        self._bank.count("c2b")
        self._gate.check_token(request, code="400.003.01", status=400)
        paid = read_simulated(self._gate.fields(request, first="ShortCode"))
        reply = json_reply(_c2b_taken("Accept the service request successfully."))
        return replace(reply, after=lambda: self._pay(paid))

    def _pay(self, paid: ByHand) -> None:
        with contextlib.suppress(Refused):
            self._by_hand.pay(paid)


def _c2b_taken(words: str) -> dict[str, str]:
    return {
        "OriginatorCoversationID": ids.originator_conversation_id(3),  # sic
        "ResponseCode": "0",
        "ResponseDescription": words,
    }


def _wait_for(told: threading.Thread | None) -> None:
    if told is not None:
        told.join()
