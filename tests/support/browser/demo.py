"""The whole shop as `make run` starts it: `manage.py run_demo`, on free ports, with a database of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.support.places import ROOT
from tests.support.simulated import Simulated

STARTS_WITHIN = 90.0  # seconds
STOPS_WITHIN = 10.0  # seconds
FROM_THE_MACHINE = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")
PRINTED = re.compile(
    r"Shop +(?P<shop>http://\S+)/\n +Phone +(?P<phone>http://\S+) .*\n"
    r" +Desk +(?P<desk>http://\S+) +user (?P<username>\S+), password (?P<password>\S+)\n"
)
HIRING = """
import secrets
from django.contrib.auth.models import Group, User
password = secrets.token_urlsafe(12)
User.objects.create_user(words[1], password=password, is_staff=True).groups.add(Group.objects.get(name=words[0]))
print(password)
"""
PRICING = """
from orders.models import Mix
print(Mix.objects.filter(slug=words[0]).update(price_kes=int(words[1])))
"""
AGEING = """
from datetime import timedelta
from django.db.models import F
from orders.models import Order
print(Order.objects.update(created_at=F("created_at") - timedelta(hours=int(words[0]))))
"""
PERSONAL = re.compile(r"\b(?:254|0)[17]\d{8}\b|ws_CO_\w+")  # a phone number, and an id that ends in one


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What somebody who started the demo reads in the terminal, and a hand on the simulator's control plane."""

    shop: str  # without a slash at the end
    phone: str
    desk: str
    username: str
    password: str
    simulator: Simulated
    folder: Path

    def pushes(self, msisdn: str) -> list[dict[str, object]]:
        """Every request that reached this phone, answered or not."""
        return [sent for sent in self.simulator.state()["transactions"] if sent["phone"] == msisdn]

    def hire(self, role: str, name: str) -> str:
        """Makes a member of staff in this role; gives the password."""
        return _manage(self.folder, HIRING, role, name)

    def price(self, slug: str, kes: int) -> None:
        """What this mix costs from now on."""
        _manage(self.folder, PRICING, slug, str(kes))

    def age_orders(self, hours: int) -> None:
        """Every order was placed so many hours earlier."""
        _manage(self.folder, AGEING, str(hours))

    def unlock(self) -> None:
        """Forgets every wrong password, as `manage.py unlock_logins` does."""
        _manage(self.folder, "from djkraph.staff.accounts import unlock; print(unlock())")

    def push(self, phone: str, amount: int, reference: str) -> str:
        """A push as the merchant's own page sends it; the id it polls with."""
        told = {"phone": phone, "amount": amount, "accountReference": reference}
        answer = requests.post(f"{self.shop}/stkpush", json=told, timeout=30).json()
        assert answer["success"], answer
        return str(answer["checkoutRequestId"])


@contextmanager
def running_demo(folder: Path, *, other_sites: list[str]) -> Iterator[Demo]:
    """Starts it, gives it, and ends it by Ctrl-C: it must end cleanly, at once, and leave nothing behind."""
    port, simulator_port = _free_ports(2)
    printed = folder / "printed.txt"
    command = [sys.executable, "manage.py", "run_demo", "--port", str(port)]
    with printed.open("w") as out:
        process = subprocess.Popen(
            [*command, "--simulator-port", str(simulator_port)],
            cwd=ROOT,
            env=_environment(folder, other_sites),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        read = _read_when_up(process, printed)
        yield Demo(**read, folder=folder, simulator=Simulated(read["phone"].removesuffix("/phone")))
        _end_by_ctrl_c(process, printed, (port, simulator_port))
    finally:
        if process.poll() is None:  # run_demo stops its own three when it is asked to end
            process.terminate()
            process.wait(timeout=STOPS_WITHIN)


def _manage(folder: Path, code: str, *words: str) -> str:
    """Runs a few lines in the shop's own shell; what they print last."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", f"words = {list(words)!r}\n{code}"],
        cwd=ROOT,
        env=_environment(folder, []),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[-1]


def _environment(folder: Path, other_sites: list[str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in FROM_THE_MACHINE if name in os.environ}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "djkraph.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "SPOOL_DIR": str(folder / "spool"),
        "MIXES_DIR": str(folder / "mixes"),
        "STATEMENTS_DIR": str(folder / "statements"),
        "MPESA_ENVIRONMENT": "simulator",
        "CORS_ALLOWED_ORIGINS": ",".join(other_sites),
        "PYTHONUNBUFFERED": "1",
    }


def _read_when_up(process: "subprocess.Popen[bytes]", printed: Path) -> dict[str, str]:
    give_up_at = time.monotonic() + STARTS_WITHIN
    while (found := PRINTED.search(printed.read_text())) is None:
        assert process.poll() is None, f"run_demo could not start:\n{printed.read_text()}"
        assert time.monotonic() < give_up_at, f"run_demo is not up:\n{printed.read_text()}"
        time.sleep(0.05)
    return found.groupdict()


def _end_by_ctrl_c(process: "subprocess.Popen[bytes]", printed: Path, ports: tuple[int, ...]) -> None:
    crew = _children(process.pid)
    process.send_signal(signal.SIGINT)
    try:
        ended_with = process.wait(timeout=STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"run_demo did not end within {STOPS_WITHIN:.0f} s of Ctrl-C") from None
    told = printed.read_text()
    assert ended_with == 0, told
    assert "Traceback" not in told, told
    assert PERSONAL.findall(told) == []  # the logs of shop and worker stand there too
    assert [port for port in ports if _listens(port)] == []
    assert [pid for pid in crew if Path(f"/proc/{pid}").exists()] == []


def _children(pid: int) -> list[str]:
    """Shop, simulator and worker; empty where there is no /proc."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return listed.read_text().split() if listed.exists() else []


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
