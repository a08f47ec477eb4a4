"""The power goes at every point where a write becomes permanent, in a push and in a callback, and the buyer who saw
nothing happen clicks again. Whatever the point: one prompt, no receipt lost, nobody who paid is told "failed"."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.races import permanence
from tests.support.races.crowd import new_phone, wait_until
from tests.support.races.machines import (
    ROOT,
    Desk,
    Postgres,
    Rows,
    Shop,
    environment,
    free_port,
    manage,
    simulated_safaricom,
)
from tests.support.simulated import Simulated

pytestmark = pytest.mark.postgres

ENDINGS = {"pays": "pay", "cancels": "cancel"}
PAGES = ("the merchant's page", "our page")


class Mortal:
    """A machine of one process that dies where its plan says. It keeps its port; after each death it starts with
    nothing in its memory."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        port = free_port()
        self.shop = Shop(f"http://127.0.0.1:{port}")
        self._plan, self._boundaries = folder / "plan.json", folder / "boundaries.jsonl"
        env = env | {"CRASH_FOLDER": str(folder), "PORT": str(port)}
        env["MPESA_CALLBACK_URL"] = f"{self.shop.address}/api/payments/callback"
        with (folder / "machine.log").open("ab") as log:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "tests.support.races.nursery"],
                cwd=ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._pid: int | None = None

    def starts_anew(self) -> None:
        self.is_killed()
        self._plan.unlink(missing_ok=True)
        self._boundaries.unlink(missing_ok=True)
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write("\n")
        self._nursery.stdin.flush()
        self._pid = int(self._nursery.stdout.readline())
        wait_until(self.shop.is_up, "the machine serves")

    def is_killed(self) -> None:
        """With its whole group: the worker that died leaves granian's main process behind."""
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
        self._pid = None

    def close(self) -> None:
        self.is_killed()
        self._nursery.terminate()
        self._nursery.wait(timeout=10)

    def dies(self, endpoint: str, number: int, when: str) -> None:
        self._plan.write_text(json.dumps({"endpoint": endpoint, "number": number, "when": when}))

    def boundaries(self, endpoint: str) -> list[list[str]]:
        """What each boundary made permanent, in order."""
        passed = [json.loads(line) for line in self._boundaries.read_text().splitlines()]
        return [boundary["writes"] for boundary in passed if boundary["endpoint"] == endpoint]


@dataclass(kw_only=True)
class Ground:
    """What the cases are played on."""

    machine: Mortal
    rows: Rows
    desk: Desk
    safaricom: Simulated

    def fresh(self) -> None:
        """A machine that has served nobody yet, an empty shop, and a Safaricom that remembers nothing."""
        self.machine.starts_anew()
        self.safaricom.reset()
        self.rows.forget_all()
        self.rows.sell()

    def rang(self, phone: str) -> list[dict[str, Any]]:
        return [sent for sent in self.safaricom.state()["transactions"] if sent["phone"] == phone]


@pytest.fixture(scope="module")
def ground(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("crashes")
    with simulated_safaricom() as safaricom:
        env = environment(postgres.address, safaricom.address, folder)
        manage(env, "migrate", "--noinput")
        rows, desk, machine = Rows(postgres.address), Desk(env, folder / "desk.log"), Mortal(env, folder)
        yield Ground(machine=machine, rows=rows, desk=desk, safaricom=safaricom)
        machine.close()
        desk.close()
        rows.close()


@dataclass(kw_only=True)
class Story:
    """One case as it is played: the buyer, the machine that dies, and all that the buyer was told."""

    ground: Ground
    page: str
    ending: str
    phone: str = field(default_factory=new_phone)
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    told: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ground.fresh()
        self.machine = self.ground.machine
        self.first, self.later = "CART1", "CART2"  # the merchant's page makes a new reference at each click
        if self.page == "our page":
            self.first = self.later = self.machine.shop.order()

    def must(self, is_so: Any, otherwise: str) -> None:
        if not is_so:
            self.wrong.append(otherwise)

    def clicks(self, reference: str, key: str = "") -> requests.Response:
        return self.machine.shop.push(self.phone, reference=reference, key=key)

    def clicks_and_sees_the_machine_die(self) -> None:
        try:
            answer = self.clicks(self.first, self.key)
        except requests.ConnectionError:
            return
        self.wrong.append(f"the machine did not die: {answer.status_code} {answer.text}")

    def clicks_again(self) -> None:
        """Once as a new click of the same page, once as the very request over again (a minute later, in the row's
        eyes: until then it would wait for the dead one's answer)."""
        answers = [self.clicks(self.later)]
        self.ground.rows.do(
            "UPDATE payments_idempotencykey SET created_at = created_at - interval '61 seconds'"
        )
        answers.append(self.clicks(self.first, self.key))
        for answer in answers:
            self.must(
                answer.status_code == 200, f"a second click was answered {answer.status_code} {answer.text}"
            )

    def polls(self) -> str:
        """Asks by every id that a page may know of the payment; all that it is told. A payment whose prompt never
        rang is told of only where there is no other."""
        attempts = self.ground.rows.attempts()
        rang = [attempt for attempt in attempts if attempt["checkout_request_id"]]
        ids = {attempt[name] for attempt in rang or attempts for name in ("public_id", "checkout_request_id")}
        told = {self.machine.shop.status(poll_id).json()["status"] for poll_id in ids - {None}}
        never_rang = {attempt["public_id"] for attempt in attempts if attempt not in rang}
        self.told += [self.machine.shop.status(poll_id).json()["status"] for poll_id in never_rang]
        self.told += sorted(told)
        return "+".join(sorted(told))

    def answers_the_phone(self) -> None:
        for prompt in self.ground.safaricom.prompts(self.phone):
            self.ground.safaricom.answer(prompt["checkout_request_id"], ENDINGS[self.ending])

    def desk_reconciles(self) -> None:
        """As if five seconds had passed since any callback that was stored and not read."""
        self.ground.rows.do(
            "UPDATE payments_callbackdelivery SET received_at = received_at - interval '6 seconds'"
        )
        self.ground.desk.run("reconcile_payments", "--older-than", "0")

    def six_minutes_pass(self) -> None:
        """For an attempt whose prompt never rang: after five, another may be sent. (The dead one's right to fetch the
        token ends after 20 seconds.)"""
        self.ground.rows.do(
            "UPDATE payments_mpesatransaction SET created_at = created_at - interval '6 minutes',"
            " next_check_at = now() - interval '1 second' WHERE state IN ('created', 'unknown')"
        )
        self.ground.rows.do(
            "UPDATE payments_darajatoken SET fetching_until = fetching_until - interval '6 minutes'"
        )

    def ends_well(self, *, receipt_may_be_lost: bool) -> str:
        """What must be so at the end, whatever died where. The attempt's state."""
        rang, attempts = self.ground.rang(self.phone), self.ground.rows.attempts()
        self.must(len(rang) == 1, f"the phone rang {len(rang)} times")
        final = self.polls()
        code, said = self.ground.desk.run("verify_ledger")
        self.must(code == 0, said)
        if self.ending == "cancels":
            self.must(final == "failed", f"the buyer is told {final} at last")
            self.must({a["order_state"] for a in attempts} == {"open"}, "an order was paid by nobody")
            return final
        self.must("failed" not in self.told, f"a buyer who paid was told {self.told}")
        self.must(final == "completed", f"the buyer is told {final} at last")
        paid = [a for a in attempts if a["state"] == "completed"]
        self.must(
            [(a["order_state"], a["confirmed"]) for a in paid] == [("paid", 1)],
            "not one payment of one order",
        )
        receipts = [a["receipt"] for a in paid]
        wanted = [sent["receipt"] for sent in rang]
        self.must(receipts == wanted or (receipt_may_be_lost and receipts == [None]), f"receipts {receipts}")
        return f"{final}, {'receipt' if receipts == wanted else 'receipt awaited'}"


def push_dies(story: Story, number: int, when: str) -> str:
    ground = story.ground
    story.machine.dies("push", number, when)
    story.clicks_and_sees_the_machine_die()
    story.machine.starts_anew()
    story.polls()
    story.clicks_again()
    notes = []
    if not ground.rang(story.phone):
        story.must(story.polls() == "pending", "a push that may have been sent is not pending")
        story.six_minutes_pass()
        story.clicks(story.later)
        notes.append("never rang; 6 min later it did")
    story.answers_the_phone()
    if story.ending == "pays":
        story.clicks(story.later)  # "did it work?": it must not ring again
    story.desk_reconciles()
    return ", ".join([story.ends_well(receipt_may_be_lost=False), *notes])


def callback_dies(story: Story, number: int, when: str) -> str:
    ground = story.ground
    story.clicks(story.first, story.key)
    story.machine.dies("callback", number, when)
    story.answers_the_phone()
    (sent,) = ground.rang(story.phone)
    story.must([delivery["status"] for delivery in sent["deliveries"]] == [None], "the machine did not die")
    story.machine.starts_anew()
    kept = bool(ground.rows.all("SELECT 1 FROM payments_callbackdelivery"))
    story.must(kept is not ((number, when) == (1, "before")), "it is not the inbox that is written first")
    if story.polls() == "pending":  # who is told of an end already does not click
        story.clicks_again()
    story.desk_reconciles()
    notes = [] if kept else ["inbox empty: asked"]
    return ", ".join([story.ends_well(receipt_may_be_lost=not kept), *notes])


def poll_dies(story: Story, number: int, when: str) -> str:
    """The callback never comes: the poll is overdue and asks."""
    poll_id = overdue(story)
    story.machine.dies("poll", number, when)
    try:
        story.machine.shop.status(poll_id)
        story.wrong.append("the machine did not die")
    except requests.ConnectionError:
        pass
    story.machine.starts_anew()
    if story.polls() == "pending":
        story.clicks_again()
    story.desk_reconciles()
    return story.ends_well(receipt_may_be_lost=True)


def overdue(story: Story) -> str:
    story.ground.safaricom.fault("no_callback")
    poll_id = story.clicks(story.first, story.key).json()["checkoutRequestId"]
    story.answers_the_phone()
    story.ground.rows.make_due()
    return str(poll_id)


CASES = {"push": push_dies, "callback": callback_dies, "poll": poll_dies}


def boundaries_of(endpoint: str, story: Story) -> list[list[str]]:
    """A dry run: nobody dies, everything is counted."""
    if endpoint == "poll":
        story.machine.shop.status(overdue(story))
    else:
        story.clicks(story.first, story.key)
        story.answers_the_phone()
    passed = story.machine.boundaries(endpoint)
    story.must(story.polls() == {"pays": "completed", "cancels": "failed"}[story.ending], "no end")
    assert story.wrong == []
    return passed


PLAYED = [
    ("push", PAGES[0]),
    ("push", PAGES[1]),
    ("callback", PAGES[0]),
    ("callback", PAGES[1]),
    ("poll", PAGES[1]),
]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("endpoint", "page"), PLAYED)
def test_a_crash_at_any_commit_rings_once_and_loses_nothing(
    endpoint: str, page: str, ending: str, ground: Ground, tell: Any
) -> None:
    boundaries = boundaries_of(endpoint, Story(ground=ground, page=page, ending=ending))
    assert boundaries
    wrong: list[str] = []
    tell(
        "SIGKILL before and after each write becomes permanent; then the machine is back and the buyer clicks again:"
    )
    for number, writes in enumerate(boundaries, start=1):
        for when in ("before", "after"):
            story = Story(ground=ground, page=page, ending=ending)
            end = CASES[endpoint](story, number, when)
            rang = len(ground.rang(story.phone))
            right = "" if not story.wrong else " WRONG"
            told = f"{ending}: {end}, rang {rang}×{right}"
            tell(f"  {endpoint:8} {number} {when:6}  {_short(writes):34}", told)
            wrong += [f"{endpoint} {page} {ending} {number} {when} {writes}: {what}" for what in story.wrong]
    assert wrong == []


def _short(writes: list[str]) -> str:
    """An order that the merchant's page names is made at its first use: left out, so that both pages' pushes stand on
    one line."""
    return permanence.short([write for write in writes if write not in ("insert order", "update order")])
