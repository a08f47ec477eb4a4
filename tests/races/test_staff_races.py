"""Staff in the same instant as each other and as Safaricom: on two machines, over real HTTP."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.races.clerks import Clerk, clerks
from tests.support.races.crowd import at_once, new_phone, wait_until
from tests.support.races.town import Town

pytestmark = pytest.mark.postgres


def decide_at_once(town: Town, deciding: list[Clerk], row: dict[str, Any]) -> None:
    """By turns they confirm and decline; all have seen it waiting before the first of them can write."""
    doings: list[Any] = [
        lambda clerk=clerk, verdict=verdict: clerk.does(
            f"settlement/{row['id']}/{verdict}", row["attempt_id"], why="I see it so."
        )
        for clerk, verdict in zip(deciding, ("confirm", "decline") * 2, strict=True)
    ]
    waits = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

    lock = "SELECT 1 FROM payments_mpesatransaction WHERE id = %s FOR UPDATE"
    with ThreadPoolExecutor(1) as pool:
        with town.rows.held(lock, row["attempt_id"]):
            deciding_now = pool.submit(at_once, doings)
            wait_until(lambda: town.rows.one(waits)["n"] == len(deciding), "all of them wait for the row")
        deciding_now.result()


def test_four_who_confirm_and_decline_at_once_decide_once(town: Town) -> None:
    proposer, *others = clerks(town, "njeri", "kamau", "akinyi", "barasa", "cherono")
    poll_ids = town.pushed([new_phone() for _ in range(6)], amount=6000)
    attempts = [town.rows.attempt_of(poll_id)["id"] for poll_id in poll_ids]
    town.rows.do(
        "UPDATE payments_mpesatransaction SET created_at = now() - interval '1 hour',"
        " next_check_at = now() + interval '1 hour'"
    )
    for n, attempt in enumerate(attempts):
        evidence = {
            "receipt": f"UKN4AB12C{n}",
            "amount_kes": 6000,
            "evidence": "sms",
            "reason": "Read to me.",
        }
        proposer.does("settle", attempt, **evidence)
    waiting = town.rows.all("SELECT * FROM payments_handsettlement")
    assert [row["decision"] for row in waiting] == ["waiting"] * 6
    for row in waiting:
        decide_at_once(town, others, row)
    for row in town.rows.all("SELECT * FROM payments_handsettlement"):
        events = town.rows.all(
            "SELECT kind, facts FROM payments_paymentevent WHERE attempt_id = %s"
            " AND kind IN ('confirmed', 'settlement_declined')",
            row["attempt_id"],
        )
        kinds = {"done": "confirmed", "declined": "settlement_declined"}
        assert [event["kind"] for event in events] == [kinds[row["decision"]]], row
        facts = events[0]["facts"]
        assert row["decided_by"] == facts.get("confirmed_by", facts["by"])
    town.desks[0].ledger_is_clean()


def test_a_callback_a_poll_and_two_clerks_who_ask_in_one_instant_are_one_transition(town: Town) -> None:
    phones = [new_phone() for _ in range(5)]
    poll_ids = town.pushed(phones)
    ids = [town.rows.attempt_of(poll_id)["id"] for poll_id in poll_ids]
    for phone, poll_id in zip(phones, poll_ids, strict=True):
        town.safaricom.fault("no_callback", phone=phone)
        town.safaricom._post(f"prompts/{poll_id}", {"action": "pay"})
    town.rows.make_due()
    doings: list[Any] = [lambda p=p: town.safaricom._post(f"redeliver/{p}") for p in poll_ids]
    doings += [lambda n=n, p=p: town.machine(n).status(p).json() for n, p in enumerate(poll_ids)]
    doings += [lambda c=c, i=i: c.does("ask", i) for c in clerks(town, "njeri", "kamau") for i in ids]
    at_once(doings)
    attempts = town.rows.attempts()
    assert {(a["state"], a["order_state"], a["confirmed"]) for a in attempts} == {("completed", "paid", 1)}
    assert {(a["pays_order"], a["refund_due"]) for a in attempts} == {(True, False)}
    assert {a["receipt"] for a in attempts} == {sent["receipt"] for sent in town.rang(*phones)}
    town.desks[0].ledger_is_clean()
