"""Safaricom hangs and very many press pay, or very many send a byte at a time: the others go on as if nothing was."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.races.crowd import new_phone, wait_until
from tests.support.races.machines import Machine, Postgres, environment, manage, simulated_safaricom
from tests.support.simulated import Simulated

pytestmark = pytest.mark.postgres

PUSHES = 215
A_PROCESS = 24  # pushes in flight: three quarters of the 32 threads
HANGS = 20.0  # seconds that Safaricom takes for its answer
SLOW_BODIES = 400  # far more than threads: they wait at the door
AT_MOST = 2.0  # seconds that anybody else may wait


@pytest.fixture
def safaricom() -> Iterator[Simulated]:
    with simulated_safaricom() as simulated:
        yield simulated


@pytest.fixture
def machine(tmp_path: Path, safaricom: Simulated) -> Iterator[Machine]:
    """Two processes of 32 threads."""
    postgres = Postgres()
    env = environment(postgres.address, safaricom.address, tmp_path)
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
        wait_until(
            lambda: safaricom.count("push") - 1 + sum(each.done() for each in clicked) >= PUSHES,
            "each push is in flight, or refused",
        )
        others = [
            timed(lambda: machine.status(paid)),
            timed(lambda: requests.get(f"{machine.address}/health", timeout=60)),
            timed(lambda: requests.get(f"{machine.address}/health/ready", timeout=60)),
            timed(lambda: safaricom._post(f"redeliver/{paid}")),
            timed(lambda: machine.status(paid)),
        ]
        hanging = sum(not each.done() for each in clicked)
        told = [each.result() for each in clicked]
    # Both processes full, or one of them, where the other took none of these (it may not have been up yet).
    assert A_PROCESS <= hanging <= 2 * A_PROCESS
    assert max(took for took, _ in others) < AT_MOST
    assert others[-1][1].json()["status"] == "completed"
    codes = Counter((answer.status_code, answer.json().get("code", "sent")) for answer in told)
    assert set(codes) == {(200, "sent"), (503, "too_many_at_once")}
    assert {answer.headers["Retry-After"] for answer in told if answer.status_code == 503} == {"5"}
    assert codes[200, "sent"] == hanging
    assert safaricom.count("push") == codes[200, "sent"] + 1
    tell(
        f"{PUSHES} pushes on a hanging Safaricom: {codes[200, 'sent']} in flight, the rest refused; others waited"
        f" {max(took for took, _ in others):.2f} s at most"
    )


def test_bodies_that_come_a_byte_at_a_time_hold_nobody_up(
    machine: Machine, safaricom: Simulated, tell: Any
) -> None:
    safaricom.fault("no_callback")
    paid = machine.push(new_phone(), reference="FIRST").json()["checkoutRequestId"]
    safaricom._post(f"prompts/{paid}", {"action": "pay"})
    slow = [
        begun(machine, path) for path in ("/stkpush", "/api/mpesa-callback") for _ in range(SLOW_BODIES // 2)
    ]
    took = []
    for _ in range(4):
        for sending in slow:
            sending.sendall(b" ")
        took += [
            timed(lambda: machine.status(paid))[0],
            timed(lambda: requests.get(f"{machine.address}/health/ready", timeout=60))[0],
            timed(lambda: safaricom._post(f"redeliver/{paid}"))[0],
        ]
        time.sleep(0.5)
    pushed, answer = timed(lambda: machine.push(new_phone(), reference="SECOND"))
    assert (answer.status_code, machine.status(paid).json()["status"]) == (200, "completed")
    assert max(*took, pushed) < AT_MOST
    for sending in slow:
        sending.close()
    tell(f"{SLOW_BODIES} bodies a byte at a time: others waited {max(*took, pushed):.2f} s at most")


def begun(machine: Machine, path: str) -> socket.socket:
    """A request that has said how long it will be, and goes on a byte at a time."""
    at = urlsplit(machine.address)
    sending = socket.create_connection((str(at.hostname), at.port or 80), timeout=10)
    head = f"POST {path} HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Type: application/json\r\nContent-Length: 300\r\n\r\n"
    sending.sendall(head.encode() + b"{")
    return sending
