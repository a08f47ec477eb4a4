"""Safaricom hangs and very many press pay: polls, callbacks and health go on as if nothing was."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.races.crowd import new_phone, wait_until
from tests.support.races.machines import Machine, Postgres, environment, manage, simulated_safaricom
from tests.support.simulated import Simulated

pytestmark = pytest.mark.postgres

PUSHES = 215
HANGS = 20.0  # seconds that Safaricom takes for its answer
AT_MOST = 2.0  # seconds that anybody else may wait


@pytest.fixture
def safaricom() -> Iterator[Simulated]:
    with simulated_safaricom() as simulated:
        yield simulated


@pytest.fixture
def machine(tmp_path: Path, safaricom: Simulated) -> Iterator[Machine]:
    """Two processes of 32 threads, as elsewhere, that know it."""
    postgres = Postgres()
    env = environment(postgres.address, safaricom.address, tmp_path, WEB_THREADS="32")
    manage(env, "migrate", "--noinput")
    machine = Machine(env, tmp_path / "machine.log")
    machine.start().wait_until_up()
    yield machine
    machine.kill()
    postgres.end()


def timed(do: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    done = do()
    return time.monotonic() - began, done


def test_pushes_that_hang_hold_nobody_else_up(machine: Machine, safaricom: Simulated, tell: Any) -> None:
    safaricom.fault("no_callback")
    paid = machine.push(new_phone(), reference="FIRST").json()["checkoutRequestId"]
    safaricom._post(f"prompts/{paid}", {"action": "pay"})
    safaricom.fault("slow_answer", HANGS)
    with ThreadPoolExecutor(PUSHES) as buyers:
        phones = [new_phone() for _ in range(PUSHES)]
        clicked = [buyers.submit(machine.push, phone, reference=f"CART-{phone}") for phone in phones]
        wait_until(lambda: safaricom.count("push") > 40, "the pushes are in flight")
        others = [
            timed(lambda: machine.status(paid)),
            timed(lambda: requests.get(f"{machine.address}/health", timeout=60)),
            timed(lambda: requests.get(f"{machine.address}/health/ready", timeout=60)),
            timed(lambda: safaricom._post(f"redeliver/{paid}")),
            timed(lambda: machine.status(paid)),
        ]
        hanging = sum(not each.done() for each in clicked)
        told = [each.result() for each in clicked]
    assert hanging >= 40
    assert max(took for took, _ in others) < AT_MOST
    assert others[-1][1].json()["status"] == "completed"
    codes = Counter((answer.status_code, answer.json().get("code", "sent")) for answer in told)
    assert set(codes) == {(200, "sent"), (503, "too_many_at_once")}
    assert {answer.headers["Retry-After"] for answer in told if answer.status_code == 503} == {"5"}
    assert codes[200, "sent"] <= 48
    assert safaricom.count("push") == codes[200, "sent"] + 1
    tell(
        f"{PUSHES} pushes on a hanging Safaricom: {codes[200, 'sent']} in flight, the rest refused; others waited"
        f" {max(took for took, _ in others):.2f} s at most"
    )
