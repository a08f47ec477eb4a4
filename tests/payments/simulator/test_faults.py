"""Each fault does what its sentence says."""

import time
from typing import Any

import pytest
import requests

from payments.simulator.faults import FAULTS, FaultBoard, parse_switch
from tests.support.payments.simulator import PAYS, PERSON, Client, Shop, StartClient, password


def codes(shop: Shop) -> list[Any]:
    return [callback["ResultCode"] for callback in shop.callbacks]


def test_a_lost_answer_is_a_payment_all_the_same(instant: Client, shop: Shop) -> None:
    instant.fault("lost_answer")
    with pytest.raises(requests.ConnectionError):
        instant.push()
    instant.idle()
    assert codes(shop) == [0]


def test_a_connection_dropped_before_is_no_payment(instant: Client) -> None:
    instant.fault("drop_before")
    with pytest.raises(requests.ConnectionError):
        instant.push()
    state = instant.control("GET", "state")
    assert (state["transactions"], state["counters"]["push"]) == ([], 1)


def test_a_slow_answer_comes_late_and_its_callback_after_it(instant: Client, shop: Shop) -> None:
    instant.fault("slow_answer", 0.4)
    began = time.monotonic()
    instant.pushed()
    assert time.monotonic() - began >= 0.4
    instant.idle()
    assert codes(shop) == [0]


def test_a_client_that_gives_up_on_a_slow_answer_is_charged_all_the_same(instant: Client, shop: Shop) -> None:
    instant.fault("slow_answer", 0.5)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{instant.base_url}/mpesa/stkpush/v1/processrequest",
            json=instant.push_body(),
            headers={"Authorization": f"Bearer {instant.token}"},
            timeout=0.2,
        )
    instant.idle()
    assert codes(shop) == [0]


@pytest.mark.parametrize("name", ["push_html_503", "push_502", "push_500"])
def test_a_spoilt_answer_rings_only_when_told_to(instant: Client, shop: Shop, name: str) -> None:
    instant.fault(name)
    assert instant.push().status_code >= 500
    instant.idle()
    assert codes(shop) == []
    instant.fault(name, "accepted")
    assert instant.push().status_code >= 500
    instant.idle()
    assert codes(shop) == [0]


def test_no_callback(instant: Client, shop: Shop) -> None:
    instant.fault("no_callback")
    asked = instant.pushed()
    instant.idle()
    assert shop.bodies == []
    assert instant.query(asked).json()["ResultCode"] == "0"


def test_a_late_callback_is_late_by_the_simulators_clock(instant: Client, shop: Shop) -> None:
    instant.fault("late_callback", 90)
    instant.pushed()
    instant.advance(88)
    assert shop.bodies == []
    instant.advance(3)
    assert codes(shop) == [0]


def test_duplicates_are_the_same_bytes(instant: Client, shop: Shop) -> None:
    instant.fault("duplicate_callback", 3)
    asked = instant.pushed()
    instant.idle()
    assert len(shop.bodies) == 3
    assert shop.bodies[0] == shop.bodies[1] == shop.bodies[2]
    kinds = sorted(d["kind"] for d in instant.transaction(asked)["deliveries"])
    assert kinds == ["duplicate", "duplicate", "final"]


@pytest.mark.parametrize("speed", ["instant", "real"])
def test_a_callback_can_outrun_the_answer(start: StartClient, shop: Shop, speed: str) -> None:
    client = start(speed=speed, faults=("callback_before_answer",))
    client.pushed()
    assert codes(shop) == [0]  # nothing was waited for


@pytest.mark.parametrize(("value", "order"), [(True, [0, 1032]), ("before", [1032, 0])])
def test_a_contrary_callback(instant: Client, shop: Shop, value: object, order: list[int]) -> None:
    instant.fault("contrary_callback", value)
    asked = instant.pushed()
    instant.idle()
    assert codes(shop) == order
    assert instant.query(asked).json()["ResultCode"] == "0"


def test_a_wrong_amount(instant: Client, shop: Shop) -> None:
    instant.fault("wrong_amount_callback", 1)
    instant.pushed(Amount=450)
    instant.idle()
    assert shop.items()["Amount"] == 1


def test_a_final_answer_is_sometimes_withheld(instant: Client) -> None:
    asked = instant.pushed()
    instant.idle()
    instant.fault("random_no_answer", 1, times=1)
    assert instant.query(asked).status_code == 500
    assert instant.query(asked).json()["ResultCode"] == "0"


def test_the_query_limiter_lets_one_through_in_twelve_seconds(instant: Client) -> None:
    instant.fault("query_limiter")
    asked = instant.pushed()
    statuses = [instant.query(asked).status_code for _ in range(3)]
    instant.advance(12)
    assert [*statuses, instant.query(asked).status_code] == [200, 429, 429, 200]


def test_a_query_can_be_dropped(instant: Client) -> None:
    asked = instant.pushed()
    instant.fault("query_drop")
    with pytest.raises(requests.ConnectionError):
        instant.query(asked)


def test_oauth_can_be_dropped(instant: Client) -> None:
    instant.fault("oauth_drop")
    with pytest.raises(requests.ConnectionError):
        instant.oauth()


@pytest.mark.parametrize("endpoint", ["oauth", "query"])
def test_other_answers_can_be_slow_too(instant: Client, endpoint: str) -> None:
    asked = instant.pushed()
    instant.fault(f"slow_{endpoint}", 0.3)
    began = time.monotonic()
    if endpoint == "oauth":
        instant.oauth()
    else:
        instant.query(asked)
    assert time.monotonic() - began >= 0.3


def test_the_skew_check_wants_nairobis_clock(instant: Client) -> None:
    instant.fault("skew_check")
    assert instant.push().json()["errorMessage"] == "Bad Request - Invalid Timestamp"
    now = instant.control("GET", "state")["now"]
    stamp = now[:19].translate(str.maketrans("", "", "-:T"))
    assert instant.push(Timestamp=stamp, Password=password("174379", stamp)).status_code == 200


def test_rule_17_knows_what_was_paid_two_minutes_ago(instant: Client, shop: Shop) -> None:
    instant.fault("rule_17")
    for amount, wait in ((450, 0), (450, 0), (451, 0), (450, 121)):
        instant.advance(wait)
        instant.pushed(Amount=amount)
        instant.idle()
    assert codes(shop) == [0, 17, 0, 0]


def test_a_fault_can_be_for_one_phone_and_for_some_times(instant: Client) -> None:
    instant.fault("push_429", phone=PAYS, times=2)
    statuses = [instant.push(phone).status_code for phone in (PERSON, PAYS, PAYS, PAYS)]
    assert statuses == [200, 429, 429, 200]
    assert instant.control("GET", "faults") == {"faults": []}


def test_one_phones_switch_goes_before_everyones(instant: Client, shop: Shop) -> None:
    instant.fault("wrong_amount_callback", 7)
    instant.fault("wrong_amount_callback", 8, phone=PAYS)
    instant.pushed(PAYS)
    instant.idle()
    assert shop.items()["Amount"] == 8


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_switched_on_and_off_by_its_name(name: str) -> None:
    board = FaultBoard([name])
    assert [s.fault for s in board.listed()] == [name]
    assert board.take(name) == FAULTS[name].value
    board.set(name, False)
    assert board.take(name) is None
    board.reset()
    assert board.take(name) is not None


@pytest.mark.parametrize(
    "text", ["nonsense", "slow_answer=soon", "slow_answer=-1", "no_callback=3", "push_502=maybe"]
)
def test_a_fault_that_is_not_one_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"there is no fault|takes"):
        parse_switch(text)
