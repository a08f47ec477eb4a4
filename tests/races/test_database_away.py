"""PostgreSQL loses its power while Safaricom calls back: every callback waits on disk, and is applied once."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.races.crowd import at_once, new_phone, wait_until
from tests.support.races.machines import (
    Desk,
    Machine,
    Postgres,
    Rows,
    environment,
    manage,
    simulated_safaricom,
    worker,
)
from tests.support.simulated import Simulated

pytestmark = pytest.mark.postgres

CALLBACKS = 20
LONGEST = 5.0  # seconds that a callback may take: Safaricom waits no longer for sure
BACK_WITHIN = 60.0  # seconds after PostgreSQL is back: the pool of connections tries ever more seldom


@dataclass(kw_only=True)
class Village:
    """One machine, one worker, and a PostgreSQL that only this test uses."""

    env: dict[str, str]
    folder: Path
    postgres: Postgres
    rows: Rows
    machine: Machine
    desk: Desk
    safaricom: Simulated

    @property
    def spooled(self) -> list[Path]:
        return sorted((self.folder / "spool").glob("*"))

    @property
    def unread(self) -> list[dict[str, Any]]:
        return self.rows.all("SELECT id FROM payments_callbackdelivery WHERE verdict = 'received'")


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    postgres = Postgres()
    with simulated_safaricom() as safaricom:
        env = environment(postgres.address, safaricom.address, tmp_path)
        manage(env, "migrate", "--noinput")
        machine, desk = Machine(env, tmp_path / "machine.log"), Desk(env, tmp_path / "desk.log")
        machine.start().wait_until_up()
        rows = Rows(postgres.address)
        yield Village(
            env=env,
            folder=tmp_path,
            postgres=postgres,
            rows=rows,
            machine=machine,
            desk=desk,
            safaricom=safaricom,
        )
        rows.close()
        desk.close()
        machine.kill()
    postgres.end()


def timed(do: Any) -> tuple[float, Any]:
    began = time.monotonic()
    done = do()
    return time.monotonic() - began, done


def prompts_paid_in_silence(village: Village) -> list[str]:
    """The phones have paid; Safaricom's callbacks are yet to come."""
    village.safaricom.fault("no_callback")
    phones = [new_phone() for _ in range(CALLBACKS)]
    sent = at_once([lambda p=p: village.machine.push(p, reference=f"CART-{p}").json() for p in phones])
    poll_ids = [answer["checkoutRequestId"] for answer in sent]
    for poll_id in poll_ids:
        village.safaricom._post(f"prompts/{poll_id}", {"action": "pay"})
    return poll_ids


def callbacks_arrive(village: Village, poll_ids: list[str]) -> list[float]:
    """All at once; how long each took, in seconds."""
    told = at_once([lambda p=p: timed(lambda: village.safaricom._post(f"redeliver/{p}")) for p in poll_ids])
    assert [delivery for _, delivery in told if delivery["status"] != 200] == []
    return [seconds for seconds, _ in told]


def pages_hear_pending(village: Village, poll_ids: list[str]) -> float:
    """The longest that a page waited for it."""
    told = at_once([lambda p=p: timed(lambda: village.machine.status(p)) for p in poll_ids])
    assert {answer.status_code for _, answer in told} == {200}
    assert {(answer.json()["success"], answer.json()["status"]) for _, answer in told} == {(True, "pending")}
    return max(seconds for seconds, _ in told)


def pushes_are_refused_in_words(village: Village) -> None:
    before = village.safaricom.count("push")
    for answer in at_once(
        [lambda key=key: village.machine.push(new_phone(), key=key) for key in ("", "a-key")]
    ):
        assert 400 <= answer.status_code < 600
        told = answer.json()
        assert (told["success"], bool(told["message"]), bool(told["code"])) == (False, True, True)
    assert village.safaricom.count("push") == before


def assert_each_applied_once(village: Village) -> None:
    attempts = village.rows.attempts()
    receipts = {sent["receipt"] for sent in village.safaricom.state()["transactions"]}
    told = Counter((a["state"], a["order_state"], a["confirmed"], a["pays_order"]) for a in attempts)
    assert told == {("completed", "paid", 1, True): CALLBACKS}
    assert {attempt["receipt"] for attempt in attempts} == receipts
    verdicts = [row["verdict"] for row in village.rows.all("SELECT verdict FROM payments_callbackdelivery")]
    assert (
        len(verdicts) == CALLBACKS
    )  # each stored once; two who replay may both read one, the later to no effect
    assert set(verdicts) <= {"applied", "repeated"}
    village.desk.ledger_is_clean()


def test_callbacks_while_postgresql_is_away_are_kept_and_applied_once(village: Village, tell: Any) -> None:
    poll_ids = prompts_paid_in_silence(village)
    with worker(village.env, village.folder / "worker.log"):
        village.postgres.stop()
        took = callbacks_arrive(village, poll_ids)
        assert len(village.spooled) == CALLBACKS
        assert max(took) < LONGEST
        polled = pages_hear_pending(village, poll_ids)
        pushes_are_refused_in_words(village)
        village.postgres.start()
        village.rows.reconnect()
        replayed = wait_until(
            lambda: not village.spooled and not village.unread,
            "the worker replays the spool",
            within=BACK_WITHIN,
        )
        assert_each_applied_once(village)
    back = wait_until(
        lambda: {village.machine.status(p).json()["status"] for p in poll_ids} == {"completed"},
        "pages are told of it",
        within=BACK_WITHIN,
    )
    pushed = wait_until(
        lambda: village.machine.push(new_phone(), reference="CART1").status_code == 200,
        "pushes go through",
        within=BACK_WITHIN,
    )
    tell(
        f"PostgreSQL away: {CALLBACKS} callbacks kept in {min(took):.1f} to {max(took):.1f} s each, polls answered"
        f" in {polled:.1f} s at most; back: spool replayed after {replayed:.1f} s, pages served {back:.1f} s later,"
        f" pushes {pushed:.1f} s later"
    )


def warm(village: Village) -> list[str]:
    """Some 80 polls from 16 pages at once: every process has as many connections as it may."""
    village.safaricom.fault("no_callback")
    phones = [new_phone() for _ in range(16)]
    sent = at_once([lambda p=p: village.machine.push(p, reference=f"CART-{p}").json() for p in phones])
    poll_ids = [answer["checkoutRequestId"] for answer in sent]
    for _ in range(5):
        pages_hear_pending(village, poll_ids)
    return poll_ids


def test_after_a_restart_of_postgresql_the_first_who_come_are_served(village: Village, tell: Any) -> None:
    poll_ids = warm(village)
    for poll_id in poll_ids[:2]:
        village.safaricom._post(f"prompts/{poll_id}", {"action": "pay"})
    village.postgres.stop()
    village.postgres.start()
    village.rows.reconnect()
    time.sleep(1)
    newcomers = [new_phone() for _ in range(4)]
    asked = [
        *(lambda p=p: village.machine.push(p, reference=f"CART-{p}") for p in newcomers),
        *(lambda p=p: village.machine.status(p) for p in poll_ids[2:5]),
        lambda: requests.get(f"{village.machine.address}/", timeout=60),
        lambda: requests.get(f"{village.machine.address}/health/ready", timeout=60),
    ]
    told = at_once([lambda each=each: timed(each) for each in asked])
    assert {answer.status_code for _, answer in told} == {200}
    assert [answer.json()["prompt"] for _, answer in told[:4]] == ["sent"] * 4
    for poll_id in poll_ids[:2]:
        assert village.safaricom._post(f"redeliver/{poll_id}")["status"] == 200
        assert village.machine.status(poll_id).json()["status"] == "completed"
    assert village.spooled == []
    tell(
        f"PostgreSQL restarted: the first {len(told)} were served in {max(s for s, _ in told):.1f} s at most"
    )


@pytest.mark.parametrize("key", ["", "a-key"])
def test_postgresql_that_goes_while_the_phone_is_asked_leaves_the_buyer_pending(
    key: str, village: Village
) -> None:
    """Safaricom took the push and the shop can't note it: the page may hear anything but "failed"."""
    phone = new_phone()
    village.safaricom.fault("slow_answer", 2)
    with ThreadPoolExecutor(1) as page:
        clicked = page.submit(village.machine.push, phone, key=key)
        wait_until(lambda: village.safaricom.prompts(phone), "the phone rings")
        village.postgres.stop()
        answer = clicked.result()
    (prompt,) = village.safaricom.prompts(phone)
    village.safaricom.answer(prompt["checkout_request_id"], "pay")
    village.postgres.start()
    village.rows.reconnect()
    village.desk.run("reconcile_payments", "--older-than", "0")
    (attempt,) = village.rows.attempts()
    assert (attempt["state"], attempt["order_state"]) == ("completed", "paid")
    assert attempt["receipt"]
    village.desk.ledger_is_clean()
    told = answer.json()
    assert (answer.status_code, told["success"]) == (200, True), told
    assert told["checkoutRequestId"] == attempt["public_id"]


def test_an_acceptance_that_could_not_be_noted_is_noted_later_and_asked_about(village: Village) -> None:
    """Neither callback nor answer reached the database: Daraja's id waited on disk."""
    phone = new_phone()
    village.safaricom.fault("no_callback")
    village.safaricom.fault("slow_answer", 2)
    with ThreadPoolExecutor(1) as page:
        clicked = page.submit(village.machine.push, phone)
        wait_until(lambda: village.safaricom.prompts(phone), "the phone rings")
        village.postgres.stop()
        assert clicked.result().json()["prompt"] == "sent"
    (prompt,) = village.safaricom.prompts(phone)
    village.safaricom.answer(prompt["checkout_request_id"], "pay")
    village.postgres.start()
    village.rows.reconnect()
    assert len(village.spooled) == 1
    village.desk.run("reconcile_payments", "--older-than", "0")
    (attempt,) = village.rows.attempts()
    assert (attempt["checkout_request_id"], attempt["state"]) == (
        prompt["checkout_request_id"],
        "completed",
    )
    assert village.spooled == []


READ_ONLY = ("ALTER SYSTEM SET default_transaction_read_only = on", "ALTER SYSTEM RESET ALL")
TABLE_MISSING = (
    "ALTER TABLE payments_callbackdelivery RENAME TO elsewhere",
    "ALTER TABLE elsewhere RENAME TO payments_callbackdelivery",
)


@pytest.mark.parametrize("trouble", [READ_ONLY, TABLE_MISSING], ids=["read-only", "table missing"])
def test_a_callback_that_the_database_refuses_is_taken_and_applied_once_it_can_be(
    trouble: tuple[str, str], village: Village
) -> None:
    begins, ends = trouble
    (poll_id, *_) = prompts_paid_in_silence(village)
    with worker(village.env, village.folder / "worker.log"):
        village.rows.do(begins)
        village.rows.do("SELECT pg_reload_conf()")
        time.sleep(0.5)
        assert village.safaricom._post(f"redeliver/{poll_id}")["status"] == 200
        assert len(village.spooled) == 1
        pages_hear_pending(village, [poll_id])
        village.rows.do("SET default_transaction_read_only = off")
        village.rows.do(ends)
        village.rows.do("SELECT pg_reload_conf()")
        wait_until(lambda: not village.spooled and not village.unread, "the worker replays the spool")
    (attempt,) = [each for each in village.rows.attempts() if each["checkout_request_id"] == poll_id]
    assert (attempt["state"], attempt["confirmed"], bool(attempt["receipt"])) == ("completed", 1, True)
    assert [row["verdict"] for row in village.rows.all("SELECT verdict FROM payments_callbackdelivery")] == [
        "applied"
    ]


def test_a_spool_that_no_worker_saw_is_replayed_by_hand(village: Village) -> None:
    """By two people at once, each delivery is stored once."""
    poll_ids = prompts_paid_in_silence(village)
    village.postgres.stop()
    callbacks_arrive(village, poll_ids)
    village.postgres.start()
    village.rows.reconnect()
    desks = [village.desk, Desk(village.env, village.folder / "desk.log")]
    for desk in desks:  # both have a connection: they begin in the same instant
        wait_until(lambda desk=desk: desk.run("verify_ledger")[0] == 0, "the database answers")
    told = at_once([lambda desk=desk: desk.run("reconcile_payments", "--older-than", "0") for desk in desks])
    desks[1].close()
    assert [said for code, said in told if code != 0] == []
    assert village.spooled == []
    assert_each_applied_once(village)
