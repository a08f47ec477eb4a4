"""What happens in the storm, and when. Judges nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

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
from tests.support.races.storm.buyers import Buyer, Does, Tab, tabs_of
from tests.support.simulated import Simulated

AHEAD = 300.0  # seconds: the second host's clock
CLOCK_PROGRAM = ("-m", "tests.support.races.host_clock")  # where it takes manage.py's place
CLOCK_APPLICATION = "tests.support.races.host_clock:application"
THREADS = 240  # of each web process, as the Procfile says
QUESTIONS_A_MINUTE = 30
TOKEN_HANGS = 317.0  # seconds that its address takes to answer: longer than anybody waits
ANSWER_TAKES = 1.0  # seconds of Safaricom for a push: the power goes while some are under way
AWAY = 3.0  # seconds that PostgreSQL stays away
CALLING_BACK = 8  # callbacks under way at any moment
LOOKS_EVERY = 0.3  # seconds between two looks at the phones
SETTLES_WITHIN = 150.0  # seconds; one that was committed and never sent is given up after 90
COMES_BACK_WITHIN = 60.0


@dataclass(frozen=True, kw_only=True)
class Size:
    """`hangs_for`: seconds that the token's address hangs. `waits_out_the_breaker`: else it is lifted by hand."""

    buyers: int
    callbacks: int
    restarts: int
    hangs_for: float
    waits_out_the_breaker: bool


LARGE = Size(buyers=100, callbacks=1000, restarts=2, hangs_for=30, waits_out_the_breaker=True)
SMALL = Size(buyers=10, callbacks=60, restarts=1, hangs_for=11, waits_out_the_breaker=False)


@dataclass(kw_only=True)
class Storm:
    """The shop, those who want something of it, and how long each of its blackouts took."""

    size: Size
    postgres: Postgres
    rows: Rows
    safaricom: Simulated
    hosts: list[Machine]
    spools: list[Path]
    desk: Desk
    chance: Random
    say: Callable[[str], None]
    buyers: list[Buyer] = field(default_factory=list)
    blackouts: list[float] = field(default_factory=list)
    hung: tuple[float, float] = (0.0, 0.0)  # from when to when, by the steady clock
    took: float = 0.0
    callbacks_sent: int = 0  # as of the last look
    over: threading.Event = field(default_factory=threading.Event)

    def blow(self) -> None:
        began = time.monotonic()
        self.buyers = self._buyers_come()
        tabs = tabs_of(self.buyers, self.hosts, self.chance)
        with ThreadPoolExecutor(len(tabs) + CALLING_BACK + 1) as threads:
            try:
                under_way = self._token_hangs(tabs, threads)
                if self.size.restarts > 1:
                    self._wait(lambda: self._rang() >= self.size.buyers // 2, "half of the phones have rung")
                    self._power_goes("phones are being asked")
                self._wait(lambda: self._rang() >= 1, "a phone rings")
                under_way += [threads.submit(self._call_back_again) for _ in range(CALLING_BACK)]
                self._wait(lambda: self.callbacks_sent >= self.size.callbacks // 2, "half of the callbacks")
                self._power_goes("callbacks are coming")
                self._wait(lambda: self.callbacks_sent >= self.size.callbacks, "all callbacks")
                self._calm_comes(tabs)
            finally:
                self.over.set()
            for each in under_way:
                each.result()
        self.took = time.monotonic() - began

    def waits_in_spools(self) -> list[str]:
        return [file.name for spool in self.spools for file in spool.glob("*") if file.is_file()]

    # --- who takes part ---

    def _buyers_come(self) -> list[Buyer]:
        """Every other one has a cart of ours, the rest a page that names its own reference. One in ten cancels; about
        one in twenty Safaricom never calls back."""
        made = []
        for n in range(self.size.buyers):
            phone = new_phone()
            reference = self.hosts[n % 2].order() if n % 2 else f"CART-{phone}"
            does, silent = (Does.CANCELS if n % 10 == 3 else Does.PAYS), n % 20 == 6
            made.append(Buyer(phone=phone, does=does, silent=silent, reference=reference))
            if silent:
                self.safaricom.fault("no_callback", phone=phone)
        self.safaricom.fault("duplicate_callback", 2)
        return made

    def _phones_are_answered(self) -> None:
        whose = {buyer.phone: buyer for buyer in self.buyers}
        while not self.over.wait(LOOKS_EVERY):
            seen = self.safaricom.state()
            self.callbacks_sent = seen["counters"]["callback"]
            for prompt in seen["prompts"]:
                buyer = whose[prompt["phone"]]
                if buyer.answers_now():
                    self.safaricom._post(f"prompts/{prompt['checkout_request_id']}", {"action": buyer.does})

    def _call_back_again(self) -> None:
        """Safaricom repeats itself, about whomever it may, until there were as many callbacks as were wanted."""
        silent = {buyer.phone for buyer in self.buyers if buyer.silent}
        chance, door = Random(self.chance.random()), Simulated(self.safaricom.address)
        while self.callbacks_sent < self.size.callbacks and not self.over.is_set():
            ended = [
                each
                for each in door.state()["transactions"]
                if each["state"] != "prompt" and each["phone"] not in silent
            ]
            for told_again in chance.sample(ended, min(5, len(ended))):
                door._post(f"redeliver/{told_again['checkout_request_id']}")
            self.over.wait(0.05)

    # --- what happens ---

    def _token_hangs(self, tabs: list[Tab], threads: ThreadPoolExecutor) -> list[Future[None]]:
        self.say(f"The token's address hangs, and {len(self.buyers)} buyers press in two tabs each.")
        self.safaricom.fault("slow_oauth", TOKEN_HANGS)
        began = time.monotonic()
        under_way = [threads.submit(tab.stay_open, self.over) for tab in tabs]
        under_way.append(threads.submit(self._phones_are_answered))
        time.sleep(self.size.hangs_for)
        self.safaricom.fault("slow_answer", ANSWER_TAKES)
        self.safaricom.fault("slow_oauth", False)
        self.hung = (began, time.monotonic())
        if not self.size.waits_out_the_breaker:
            self.rows.do("UPDATE payments_darajatoken SET refused_until = clock_timestamp()")
        self.say("The token's address answers again.")
        return under_way

    def _power_goes(self, meanwhile: str) -> None:
        """From the moment when PostgreSQL loses its power until both hosts have served a page again."""
        began = time.monotonic()
        self.postgres.stop()
        self.say(f"PostgreSQL has lost its power while {meanwhile}.")
        time.sleep(AWAY)
        self.postgres.start()
        self.rows.reconnect()
        wait_until(lambda: all(map(_serves, self.hosts)), "the shop is back", within=COMES_BACK_WITHIN)
        self.blackouts.append(time.monotonic() - began)
        self.say(f"The shop is back, {self.blackouts[-1]:.1f} s after the power went.")

    def _calm_comes(self, tabs: list[Tab]) -> None:
        """Or not: what is still open when the time is over, the findings tell."""
        with suppress(AssertionError):
            took = wait_until(lambda: self._is_calm(tabs), "all is settled", within=SETTLES_WITHIN)
            self.say(f"All is settled, {took:.1f} s after the last callback.")

    def _is_calm(self, tabs: list[Tab]) -> bool:
        return (
            all(tab.is_done for tab in tabs)
            and not self.waits_in_spools()
            and not self.rows.all(
                "SELECT 1 FROM payments_callbackdelivery WHERE verdict = 'received' LIMIT 1"
            )
            and not self.rows.all(
                "SELECT 1 FROM payments_mpesatransaction"
                " WHERE state IN ('created', 'pending', 'unknown') LIMIT 1"
            )
        )

    def _rang(self) -> int:
        return sum(buyer.rang_at is not None for buyer in self.buyers)

    @staticmethod
    def _wait(is_so: Callable[[], Any], what: str) -> None:
        wait_until(is_so, what, within=SETTLES_WITHIN)


def _serves(host: Machine) -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"{host.address}/", timeout=10).status_code == 200
    return False


@contextmanager
def standing(size: Size, folder: Path, *, seed: int, say: Callable[[str], None]) -> Iterator[Storm]:
    """The shop on two hosts: web as the Procfile starts it and a worker on each, a spool each, one database."""
    with ExitStack() as ends:
        postgres = Postgres()
        ends.callback(postgres.end)
        safaricom = ends.enter_context(simulated_safaricom())
        settings = {"WEB_THREADS": str(THREADS), "MPESA_QUERY_BUDGET_PER_MINUTE": str(QUESTIONS_A_MINUTE)}
        env = environment(postgres.address, safaricom.address, folder, **settings)
        manage(env, "migrate", "--noinput")
        rows = Rows(postgres.address)
        ends.callback(rows.close)
        rows.sell()
        spools = [folder / "spool-1", folder / "spool-2"]
        envs = [
            env | {"SPOOL_DIR": str(spools[0])},
            env | {"SPOOL_DIR": str(spools[1]), "CLOCK_AHEAD": str(AHEAD)},
        ]
        hosts = [
            Machine(envs[0], folder / "web-1.log", threads=THREADS),
            Machine(envs[1], folder / "web-2.log", threads=THREADS, application=CLOCK_APPLICATION),
        ]
        for host in hosts:
            ends.callback(host.kill)
            host.start()
        desk = Desk(envs[0], folder / "desk.log")
        ends.callback(desk.close)
        at_once([host.wait_until_up for host in hosts])
        ends.enter_context(worker(envs[0], folder / "worker-1.log"))
        ends.enter_context(worker(envs[1], folder / "worker-2.log", program=CLOCK_PROGRAM))
        yield Storm(
            size=size,
            postgres=postgres,
            rows=rows,
            safaricom=safaricom,
            hosts=hosts,
            spools=spools,
            desk=desk,
            chance=Random(seed),
            say=say,
        )
