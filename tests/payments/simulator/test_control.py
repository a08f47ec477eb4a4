"""The control plane: what it shows, the clock, a person at the phone, and delivery."""

from typing import Any

import pytest
import requests

from payments.simulator.schedule import Schedule
from tests.support.payments.simulator import PAYS, PERSON, Client, Shop, StartClient


@pytest.mark.parametrize(
    ("action", "code"),
    [("pay", 0), ("cancel", 1032), ("ignore", 1037), ("wrong_pin", 2001), ("insufficient", 1)],
)
def test_a_person_answers_the_prompt(instant: Client, shop: Shop, action: str, code: int) -> None:
    asked = instant.pushed(PERSON)
    (prompt,) = instant.control("GET", f"prompts?phone={PERSON}")["prompts"]
    assert prompt["text"] == "Do you want to pay KSh 450 to DJ KRAPH Account no. DK7F3K9? Enter M-PESA PIN"
    instant.act(asked, action)
    assert shop.callbacks[0]["ResultCode"] == code
    again = instant.session.post(
        f"{instant.base_url}/control/prompts/{asked}", json={"action": "pay"}, timeout=5
    )
    assert again.status_code == 409
    shown = instant.control("GET", "prompts")
    assert (shown["phone"], shown["lines"], shown["prompts"]) == (PERSON, [PERSON], [])
    assert shown["messages"][0]["state"] == ("paid" if code == 0 else "failed")


def test_a_paid_message_names_the_receipt(instant: Client, shop: Shop) -> None:
    instant.pushed(PAYS, Amount=1500)
    instant.idle()
    (message,) = instant.control("GET", "prompts")["messages"]
    receipt = shop.items()["MpesaReceiptNumber"]
    assert message["text"].startswith(
        f"{receipt} Confirmed. Ksh1,500.00 sent to DJ KRAPH for account DK7F3K9 on "
    )


def test_the_callback_goes_to_the_exact_address_with_what_was_paid(instant: Client, shop: Shop) -> None:
    asked = instant.pushed(Amount="450")
    instant.idle()
    assert shop.paths == ["/cb/3f9c?x=1"]
    items = shop.items()
    assert (items["Amount"], items["PhoneNumber"], items["Balance"]) == (450, int(PAYS), None)
    transaction = instant.transaction(asked)
    assert (transaction["state"], transaction["receipt"]) == ("paid", items["MpesaReceiptNumber"])
    assert [(d["kind"], d["status"]) for d in transaction["deliveries"]] == [("final", 200)]


def test_a_callback_that_fails_is_not_sent_again(instant: Client, shop: Shop) -> None:
    shop.status = 500
    asked = instant.pushed()
    instant.advance(86400)
    assert len(shop.bodies) == 1
    assert [d["status"] for d in instant.transaction(asked)["deliveries"]] == [500]


def test_a_shop_that_is_not_there_is_written_down(instant: Client) -> None:
    asked = instant.pushed(CallBackURL="http://127.0.0.1:1/cb")
    instant.idle()
    (delivery,) = instant.transaction(asked)["deliveries"]
    assert (delivery["status"], delivery["trouble"]) == (None, "ConnectionRefusedError")


def test_redeliver_sends_the_same_again(instant: Client, shop: Shop) -> None:
    asked = instant.pushed()
    instant.idle()
    assert instant.control("POST", f"redeliver/{asked}")["status"] == 200
    assert shop.bodies[0] == shop.bodies[1]


def test_state_counts_what_was_asked(instant: Client) -> None:
    asked = instant.pushed()
    instant.query(asked)
    instant.query(asked)
    instant.idle()
    state = instant.control("GET", "state")
    assert {name: count for name, count in state["counters"].items() if count} == {
        "oauth": 1,
        "push": 1,
        "query": 2,
        "callback": 1,
    }
    assert state["now"].endswith("+03:00")


def test_reset_forgets_everything_but_what_the_command_line_said(start: StartClient, shop: Shop) -> None:
    client = start(speed="instant", faults=("no_callback",))
    client.pushed(PERSON)
    client.fault("lost_answer")
    client.advance(30)
    client.control("POST", "reset")
    state = client.control("GET", "state")
    assert (state["transactions"], state["prompts"], set(state["counters"].values())) == ([], [], {0})
    assert [f["fault"] for f in state["faults"]] == ["no_callback"]
    assert client.push().status_code == 404  # the token is gone too
    client.advance(120)
    assert shop.bodies == []


def test_wait_idle_waits_for_a_callback_under_way(instant: Client, shop: Shop) -> None:
    shop.seconds = 0.3
    asked = instant.pushed()
    instant.idle()
    assert [d["status"] for d in instant.transaction(asked)["deliveries"]] == [200]


def test_wait_idle_says_when_it_gave_up(instant: Client, shop: Shop) -> None:
    shop.seconds = 0.5
    instant.pushed()
    answer = requests.get(f"{instant.base_url}/control/wait-idle?timeout=0.05", timeout=5)
    assert (answer.status_code, answer.json()) == (504, {"idle": False})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "clock", {"advance": -1}, 400),
        ("POST", "clock", {"advance": "1"}, 400),
        ("POST", "clock", [], 400),
        ("POST", "faults", {"fault": "nonsense"}, 400),
        ("POST", "faults", {"fault": "lost_answer", "phone": "0700"}, 400),
        ("POST", "faults", {"fault": "lost_answer", "times": 0}, 400),
        ("POST", "faults", {"fault": "lost_answer", "time": 1}, 400),
        ("POST", "prompts/nobody", {"action": "pay"}, 404),
        ("POST", "redeliver/nobody", {}, 404),
        ("GET", "nonsense", None, 404),
        ("GET", "wait-idle?timeout=x", None, 400),
    ],
)
def test_a_control_request_that_means_nothing_says_so(
    instant: Client, method: str, path: str, body: Any, status: int
) -> None:
    answer = requests.request(method, f"{instant.base_url}/control/{path}", json=body, timeout=5)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_an_unknown_action_says_which_there_are(instant: Client) -> None:
    asked = instant.pushed(PERSON)
    answer = requests.post(f"{instant.base_url}/control/prompts/{asked}", json={"action": "run"}, timeout=5)
    assert (answer.status_code, "wrong_pin" in answer.json()["error"]) == (400, True)
    assert requests.post(f"{instant.base_url}/control/redeliver/{asked}", timeout=5).status_code == 409


def test_another_sites_page_may_not_use_the_control_plane(instant: Client) -> None:
    address = f"{instant.base_url}/control/state"
    assert (
        requests.get(address, headers={"Origin": "https://elsewhere.example"}, timeout=5).status_code == 403
    )
    assert requests.get(address, headers={"Origin": instant.base_url}, timeout=5).status_code == 200


def test_the_agenda_fires_in_order_and_each_action_sees_its_own_moment() -> None:
    schedule = Schedule()
    schedule.start()
    began = schedule.now()
    seen: list[float] = []
    for due in (30, 10, 20):
        schedule.at(began + due, seen.append)
    schedule.at(began + 15, lambda due: schedule.at(due + 1, seen.append))
    assert schedule.advance(25)
    assert seen == [began + 10, began + 16, began + 20]
    schedule.reset()
    assert schedule.advance(100)
    assert len(seen) == 3
    schedule.stop()


def test_an_action_that_fails_does_not_stop_the_agenda(caplog: pytest.LogCaptureFixture) -> None:
    schedule = Schedule()
    schedule.start()
    seen: list[float] = []
    schedule.at(schedule.now() + 1, lambda _due: 1 / 0)
    schedule.at(schedule.now() + 2, seen.append)
    assert schedule.advance(5)
    assert len(seen) == 1
    assert "failed" in caplog.text
    schedule.stop()
