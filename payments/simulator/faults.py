"""What can be made to go wrong, by name, and which of it is switched on. What a fault does is elsewhere."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

FaultValue = bool | float | str


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`value` is what a bare name means; a number there makes it a fault that takes a number.

    `words` are the words it takes besides on and off.
    """

    name: str
    sentence: str
    value: float | bool = True
    words: tuple[str, ...] = ()


def _fault(name: str, sentence: str, value: float | bool = True, words: tuple[str, ...] = ()) -> Fault:
    return Fault(name=name, sentence=sentence, value=value, words=words)


RINGS = ("accepted",)
"""`=accepted`: the answer is spoilt but the phone rings all the same."""

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        f.name: f
        for f in (
            _fault("lost_answer", "the push is accepted, then the connection drops without an answer"),
            _fault("slow_answer", "the push is accepted, its answer comes SECONDS later", 30.0),
            _fault("drop_before", "the connection drops and the push is not accepted"),
            _fault("push_429", "push: Apigee's spike arrest, 429"),
            _fault("push_html_403", "push: Incapsula's page, 403"),
            _fault(
                "push_html_503",
                "push: Incapsula's page, 503 (=accepted: the phone rings all the same)",
                True,
                RINGS,
            ),
            _fault(
                "push_502",
                "push: a gateway's page, 502 (=accepted: the phone rings all the same)",
                True,
                RINGS,
            ),
            _fault(
                "push_500",
                "push: 500.003.1001 Internal Server Error (=accepted: the phone rings all the same)",
                True,
                RINGS,
            ),
            _fault("push_empty_400", "push: 400 with an empty body"),
            _fault("push_no_product", "push: 401, the product is not on the app"),
            _fault("no_customer_message", "push: the answer has no CustomerMessage"),
            _fault("no_callback", "no callback is ever sent"),
            _fault("late_callback", "the callback comes SECONDS after the end", 120.0),
            _fault("duplicate_callback", "the callback is sent N times in all, at the same time", 2.0),
            _fault("callback_before_answer", "a listed ending's callback lands before the push is answered"),
            _fault("wrong_order", "the callback's items come in another order"),
            _fault(
                "contrary_callback",
                "a success is followed (=before: preceded) by a failure's callback",
                True,
                ("before",),
            ),
            _fault("missing_metadata", "a success without CallbackMetadata"),
            _fault("missing_amount", "a success without Amount"),
            _fault("missing_phone", "a success without PhoneNumber"),
            _fault("masked_phone", "PhoneNumber as 254708***149"),
            _fault("string_phone", "PhoneNumber as a string"),
            _fault("string_amount", "Amount as a string, 450.00"),
            _fault("string_codes", "the callback's ResultCode as a string"),
            _fault("wrong_amount_callback", "the callback names AMOUNT instead of the amount asked", 1.0),
            _fault("pending_500", "query in flight: 500 500.001.1001 (form B)"),
            _fault("pending_empty", "query in flight: 200 with an empty errorMessage (form C)"),
            _fault("pending_400", "query in flight: 400 Invalid CheckoutRequestID (form D)"),
            _fault("random_no_answer", "query after the end: 500.001.1001 with probability P", 0.2),
            _fault("query_429", "query: Apigee's spike arrest, 429"),
            _fault("query_html", "query: Incapsula's page, 403"),
            _fault("query_drop", "query: the connection drops"),
            _fault("query_other_id", "query: a success about another CheckoutRequestID"),
            _fault("query_limiter", "query: 5 in 60 s, burst 1, else 429"),
            _fault("slow_query", "query: the answer comes SECONDS later", 30.0),
            _fault("deed_drop", "status, reversal, balance: the connection drops and nothing is done"),
            _fault("deed_429", "status, reversal, balance: Apigee's spike arrest, 429"),
            _fault("deed_html", "status, reversal, balance: Incapsula's page, 403"),
            _fault(
                "deed_500",
                "status, reversal, balance: 500.003.1001 (=accepted: it is done all the same)",
                True,
                RINGS,
            ),
            _fault("lost_deed_answer", "it is accepted, then the connection drops without an answer"),
            _fault("slow_deed_answer", "it is accepted, its answer comes SECONDS later", 30.0),
            _fault("no_result", "no result is ever sent"),
            _fault("late_result", "the result comes SECONDS late", 120.0),
            _fault("duplicate_result", "the result is sent N times in all", 2.0),
            _fault("result_before_answer", "the result lands before the order is answered"),
            _fault("results_swapped", "a result waits until the next one was sent"),
            _fault("result_for_nobody", "a result whose ids nobody was given goes before"),
            _fault("queue_timeout", "a time-out notice instead of the result; it is done all the same"),
            _fault("bare_result", "a success without ResultParameters"),
            _fault("initiator_locked", "the initiator's credential is locked (8006)"),
            _fault("no_permission", "the initiator may not do it (21)"),
            _fault("already_reversed", "a reversal ends with R000001"),
            _fault("swept_out", "a reversal finds too little in the till (1)"),
            _fault(
                "pull_1001",
                "pull: 1001 whatever there is (=later: only after the first page)",
                True,
                ("later",),
            ),
            _fault("pull_429", "pull: Apigee's spike arrest, 429"),
            _fault("pull_drop", "pull: the connection drops"),
            _fault("pull_by_get", "pull: the query wants GET and refuses POST"),
            _fault("charges", "each payment costs the shop KES", 5.0),
            _fault("c2b_validation", "external validation is on: payments by hand are asked about first"),
            _fault("c2b_for_stk", "payments of a push are confirmed at the C2B address too"),
            _fault("no_confirmation", "no C2B confirmation is ever sent"),
            _fault("late_confirmation", "the C2B confirmation comes SECONDS late", 120.0),
            _fault("duplicate_confirmation", "the C2B confirmation is sent N times in all", 2.0),
            _fault("oauth_empty_400", "OAuth: 400 with an empty body"),
            _fault("oauth_html_403", "OAuth: Incapsula's page, 403"),
            _fault("oauth_drop", "OAuth: the connection drops"),
            _fault("slow_oauth", "OAuth: the answer comes SECONDS later", 30.0),
            _fault("expires_in_number", "OAuth: expires_in as a number"),
            _fault("keep_old_tokens", "OAuth: a new token leaves the older ones alive"),
            _fault("token_401", "an invalid token is answered with 401 instead of 404"),
            _fault("skew_check", "a Timestamp more than SECONDS from now in EAT is refused", 300.0),
            _fault("rule_17", "the same amount from a line that paid it less than 120 s ago ends with 17"),
        )
    }
)


@dataclass(kw_only=True)
class Switch:
    """A fault that is on, for one phone or (None) for all; `times` None: until it is switched off."""

    fault: str
    value: FaultValue
    phone: str | None
    times: int | None


class FaultBoard:
    """The switches. Safe from any thread."""

    def __init__(self, at_start: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._at_start = tuple(parse_switch(text) for text in at_start)
        self._switches: dict[tuple[str, str | None], Switch] = {}
        self.reset()

    def set(self, name: str, value: object, *, phone: str | None = None, times: int | None = None) -> None:
        """Raises ValueError, with a sentence, for a fault or a value there isn't. False switches off."""
        read = read_value(name, value)
        if times is not None and times < 1:
            raise ValueError("times must be 1 or more")
        with self._lock:
            self._switches.pop((name, phone), None)
            if read is not False:
                self._switches[name, phone] = Switch(fault=name, value=read, phone=phone, times=times)

    def take(self, name: str, phone: str | None = None) -> FaultValue | None:
        """Its value when it is on for this phone; uses up one of its `times`."""
        with self._lock:
            key = (name, phone) if (name, phone) in self._switches else (name, None)
            switch = self._switches.get(key)
            if switch is None:
                return None
            if switch.times is not None:
                switch.times -= 1
                if switch.times == 0:
                    del self._switches[key]
            return switch.value

    def number(self, name: str, phone: str | None = None) -> float | None:
        value = self.take(name, phone)
        return None if value is None else float(value)

    def clear(self) -> None:
        with self._lock:
            self._switches.clear()

    def reset(self) -> None:
        """Back to what the command line said."""
        self.clear()
        for name, value in self._at_start:
            self.set(name, value)

    def listed(self) -> list[Switch]:
        with self._lock:
            return [Switch(**vars(switch)) for switch in self._switches.values()]


def parse_switch(text: str) -> tuple[str, FaultValue]:
    """`slow_answer=2` → ("slow_answer", 2.0). Raises ValueError with a sentence."""
    name, equals, value = text.partition("=")
    return name, read_value(name, value if equals else True)


def read_value(name: str, value: object) -> FaultValue:
    """A fault's value as it is kept. Raises ValueError with a sentence."""
    fault = FAULTS.get(name)
    if fault is None:
        raise ValueError(f"there is no fault {name!r}; they are: {', '.join(FAULTS)}")
    if value is False or value in ("off", "false"):
        return False
    if value is True or value in ("on", "true"):
        return fault.value
    if isinstance(value, str) and value in fault.words:
        return value
    if fault.value is True or not isinstance(value, (int, float, str)):
        raise ValueError(f"{name} takes {', '.join(('on', 'off', *fault.words))}, not {value!r}")
    return _number(name, value)


def _number(name: str, value: float | str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"{name} takes a number, not {value!r}") from None
    if not 0 <= number <= 1_000_000:
        raise ValueError(f"{name} takes a number from 0 to 1,000,000, not {value!r}")
    return number
