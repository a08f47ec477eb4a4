"""Everything that can happen in the same instant: on several machines, processes and workers, over real HTTP."""

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import ROOT
from tests.support.races.crowd import at_once, new_phone, wait_until
from tests.support.races.machines import environment, simulated_safaricom, worker
from tests.support.races.town import Town

pytestmark = pytest.mark.postgres

CLICKS = 50


def answers(town: Town, clicks: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """All of these clicks in the same instant, by turns on both machines."""
    doings = [lambda n=n, click=click: town.machine(n).push(**click) for n, click in enumerate(clicks)]
    return [(answer.status_code, answer.json()) for answer in at_once(doings)]


def one_payment(town: Town, told: list[tuple[int, dict[str, Any]]]) -> None:
    """Everybody was answered "sent", about the same payment."""
    assert [(http, answer) for http, answer in told if http != 200 or not answer["success"]] == []
    named = {town.rows.attempt_of(answer["checkoutRequestId"])["id"] for _, answer in told}
    assert len(named) == len(town.rows.attempts()) == 1


# --- clicks ---------------------------------------------------------------------------------------------


def test_fifty_identical_clicks_ring_one_phone_once(town: Town) -> None:
    phone = new_phone()
    one_payment(town, answers(town, [{"phone": phone}] * CLICKS))
    assert len(town.rang(phone)) == 1
    town.desks[0].ledger_is_clean()


def test_fifty_clicks_under_fifty_references_ring_one_phone_once(town: Town) -> None:
    phone = new_phone()
    one_payment(town, answers(town, [{"phone": phone, "reference": f"CART{n}"} for n in range(CLICKS)]))
    assert len(town.rang(phone)) == 1


def test_fifty_requests_under_one_idempotency_key_get_one_answer(town: Town) -> None:
    phone = new_phone()
    told = answers(town, [{"phone": phone, "key": "one-click"}] * CLICKS)
    one_payment(town, told)
    assert len({answer["checkoutRequestId"] for _, answer in told}) == 1
    assert len(town.rang(phone)) == 1


def test_fifty_phones_that_pay_one_order_ring_one_of_them(town: Town) -> None:
    phones = [new_phone() for _ in range(CLICKS)]
    code = town.machine(0).order()
    told = answers(town, [{"phone": phone, "reference": code} for phone in phones])
    assert Counter(http for http, _ in told) == {200: 1, 409: CLICKS - 1}
    assert {answer.get("code") for _, answer in told} == {None, "prompt_open"}
    assert len(town.rang(*phones)) == 1


def test_fifty_phones_that_pay_one_reference_of_the_merchants_page_ring_one_of_them(town: Town) -> None:
    phones = [new_phone() for _ in range(CLICKS)]
    told = answers(town, [{"phone": phone, "reference": "CART1"} for phone in phones])
    assert Counter(http for http, _ in told) == {200: 1, 409: CLICKS - 1}
    assert len(town.rang(*phones)) == 1


# --- news of one payment through all doors --------------------------------------------------------------


def paid_in_silence(town: Town, phones: list[str]) -> list[str]:
    """Prompts that were paid while no callback came; what the pages poll with."""
    poll_ids = town.pushed(phones)
    for phone, poll_id in zip(phones, poll_ids, strict=True):
        town.safaricom.fault("no_callback", phone=phone)
        town.safaricom._post(f"prompts/{poll_id}", {"action": "pay"})
    return poll_ids


def assert_each_paid_once(town: Town, phones: list[str], *, with_receipt: bool = True) -> None:
    attempts, receipts = town.rows.attempts(), {sent["receipt"] for sent in town.rang(*phones)}
    assert len(attempts) == len(phones)
    for attempt in attempts:
        assert (attempt["state"], attempt["order_state"], attempt["confirmed"]) == ("completed", "paid", 1)
        assert (attempt["pays_order"], attempt["refund_due"]) == (True, False)
    if with_receipt:
        assert {attempt["receipt"] for attempt in attempts} == receipts
    town.desks[0].ledger_is_clean()


def test_callback_query_and_reconcile_in_one_instant_pay_each_order_once(town: Town) -> None:
    phones = [new_phone() for _ in range(20)]
    poll_ids = paid_in_silence(town, phones)
    town.rows.make_due()
    doings: list[Any] = [lambda p=p: town.safaricom._post(f"redeliver/{p}") for p in poll_ids]
    doings += [lambda n=n, p=p: town.machine(n).status(p).json() for n, p in enumerate(poll_ids)]
    doings += [lambda desk=desk: desk.run("reconcile_payments", "--older-than", "0") for desk in town.desks]
    told = at_once(doings)
    assert {delivery["status"] for delivery in told[:20]} == {200}
    assert {answer["status"] for answer in told[20:40]} <= {"pending", "completed"}
    verdicts = Counter(
        row["verdict"] for row in town.rows.all("SELECT verdict FROM payments_callbackdelivery")
    )
    assert verdicts == {"applied": 20}, verdicts  # each brought the receipt at least
    assert_each_paid_once(town, phones)


def test_a_success_that_is_delivered_ten_times_at_once_is_one_transition(town: Town) -> None:
    phones = [new_phone() for _ in range(5)]
    poll_ids = town.pushed(phones)
    for phone in phones:
        town.safaricom.fault("duplicate_callback", 10, phone=phone)
    at_once([lambda p=p: town.safaricom._post(f"prompts/{p}", {"action": "pay"}) for p in poll_ids])
    town.safaricom.settle()
    verdicts = Counter(
        row["verdict"] for row in town.rows.all("SELECT verdict FROM payments_callbackdelivery")
    )
    assert verdicts == {"applied": 5, "repeated": 45}
    assert_each_paid_once(town, phones)


def test_two_successes_on_one_order_in_one_instant_are_one_payment_and_one_refund_due(town: Town) -> None:
    """Wanjiru's prompt is idle and Daraja knows nothing of it; her husband's phone is asked; both have paid."""
    pairs = [(new_phone(), new_phone()) for _ in range(5)]
    poll_ids: list[str] = []
    for hers, his in pairs:
        code = town.machine(0).order()
        first = town.machine(0).push(hers, reference=code).json()["checkoutRequestId"]
        town.safaricom.fault("random_no_answer", 1, phone=hers)
        town.safaricom.fault("no_callback", phone=hers)
        town.safaricom._post(f"prompts/{first}", {"action": "pay"})
        town.rows.do(
            "UPDATE payments_mpesatransaction SET created_at = created_at - interval '3 minutes'"
            " WHERE checkout_request_id = %s",
            first,
        )
        second = town.machine(1).push(his, reference=code).json()["checkoutRequestId"]
        town.safaricom.fault("no_callback", phone=his)
        town.safaricom._post(f"prompts/{second}", {"action": "pay"})
        poll_ids += [first, second]
    at_once([lambda p=p: town.safaricom._post(f"redeliver/{p}") for p in poll_ids])
    attempts = town.rows.attempts()
    assert len(attempts) == 10
    assert {(a["state"], a["order_state"], a["confirmed"]) for a in attempts} == {("completed", "paid", 1)}
    for order in {attempt["order_id"] for attempt in attempts}:
        roles = [(a["pays_order"], a["refund_due"]) for a in attempts if a["order_id"] == order]
        assert sorted(roles) == [(False, True), (True, False)]
    assert None not in {attempt["receipt"] for attempt in attempts}
    town.desks[0].ledger_is_clean()


# --- questions ------------------------------------------------------------------------------------------


def test_two_workers_ask_about_each_payment_once(town: Town) -> None:
    phones = [new_phone() for _ in range(20)]
    paid_in_silence(town, phones)
    asked_before = town.safaricom.count("query")
    with worker(town.env, town.folder / "worker1.log"), worker(town.env, town.folder / "worker2.log"):
        town.rows.make_due()
        wait_until(lambda: {a["state"] for a in town.rows.attempts()} == {"completed"}, "all are paid")
    assert {attempt["checks"] for attempt in town.rows.attempts()} == {1}
    assert town.safaricom.count("query") - asked_before == 20
    assert_each_paid_once(town, phones, with_receipt=False)


def test_overdue_polls_of_many_tabs_ask_about_each_payment_once(town: Town) -> None:
    poll_ids = town.pushed([new_phone() for _ in range(8)])  # nobody answers: Daraja says "still processing"
    for turn in range(1, 6):
        asked_before = town.safaricom.count("query")
        town.rows.make_due()
        tabs = [(n, poll_id) for poll_id in poll_ids for n in range(6)]
        told = at_once([lambda n=n, p=p: town.machine(n).status(p).json() for n, p in tabs])
        assert {(answer["success"], answer["status"]) for answer in told} == {(True, "pending")}
        town.rows.do("UPDATE payments_mpesatransaction SET checks = checks + 1 WHERE checks < %s", turn)
        assert [attempt["checks"] for attempt in town.rows.attempts()] == [turn] * 8
        assert 0 < town.safaricom.count("query") - asked_before <= 8


def test_two_workers_never_ask_more_than_the_budget(town: Town, tell: Any) -> None:
    town.pushed([new_phone() for _ in range(30)])
    town.rows.do("UPDATE payments_mpesatransaction SET next_check_at = now() + interval '1 hour'")
    asked_before = town.safaricom.count("query")
    env = town.env | {"MPESA_QUERY_BUDGET_PER_MINUTE": "60"}
    with worker(env, town.folder / "budget1.log"), worker(env, town.folder / "budget2.log"):
        began = time.monotonic()
        town.rows.make_due()
        most = 0.0
        while (passed := time.monotonic() - began) < 9:
            asked = town.safaricom.count("query") - asked_before
            passed = time.monotonic() - began
            assert asked <= passed + 1, f"{asked} questions in {passed:.1f} s"
            most = max(most, asked)
            time.sleep(0.05)
    assert most >= 4  # they do ask
    tell(f"budget of 60 a minute, two workers: {most:.0f} questions in {passed:.1f} s")


def test_twenty_processes_that_push_for_the_first_time_ask_for_one_token(town: Town, tmp_path: Path) -> None:
    phones = [new_phone() for _ in range(20)]
    with simulated_safaricom() as fresh:
        fresh.fault("slow_oauth", 0.5)
        env = environment(town.env["DATABASE_URL"], fresh.address, tmp_path)
        env["MPESA_CALLBACK_URL"] = f"{town.machine(0).address}/api/payments/callback"
        command = [sys.executable, "-m", "tests.support.races.first_pushes", *phones]
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        poll_ids = [json.loads(line) for line in done.stdout.splitlines()]
        counters = fresh.state()["counters"]
    assert len({poll_id for poll_id in poll_ids if poll_id.startswith("ws_CO_")}) == 20
    assert (counters["oauth"], counters["push"]) == (1, 20)
