"""Buyers who press again: each has the shop open in two tabs, one on each host, and a phone that she answers once."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

import requests

from tests.support.races.machines import Shop

PRICE = 1500
EVERY = 2.0  # seconds between what a tab does and what it does next, give or take a half
PRESSES_MORE = 2  # of each tab, though the phone was asked already
ANSWERS_AFTER = 1.5  # seconds from the first ring to the PIN
OVER = ("already_paid", "just_paid")  # what a tab is told that pressed too late


class Does(StrEnum):
    """What she does at her phone."""

    PAYS = "pay"
    CANCELS = "cancel"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a tab heard. `status` None: no answer at all; `body` is empty where it was not JSON."""

    at: float  # by the steady clock, when it asked
    took: float
    status: int | None
    body: dict[str, Any]

    @property
    def in_words(self) -> bool:
        return bool(self.body.get("message"))


def heard(ask: Callable[[], requests.Response]) -> Told:
    at = time.monotonic()
    status, body = None, None
    try:
        answer = ask()
        status, body = answer.status_code, answer.json()
    except (requests.RequestException, ValueError):
        pass
    took = time.monotonic() - at
    return Told(at=at, took=took, status=status, body=body if isinstance(body, dict) else {})


@dataclass(kw_only=True)
class Buyer:
    """`rang_at`, `answered_at`: by the steady clock; None until then. `silent`: Safaricom never calls back about
    her."""

    phone: str
    does: Does
    silent: bool
    reference: str
    rang_at: float | None = None
    answered_at: float | None = None
    presses: list[Told] = field(default_factory=list)
    polls: list[Told] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pressing: int = 0

    def press(self, shop: Shop) -> Told | None:
        """None: she has cancelled, and wants nothing more."""
        with self._lock:
            if self.does is Does.CANCELS and self.answered_at is not None:
                return None
            self._pressing += 1
        told = heard(lambda: shop.push(self.phone, PRICE, self.reference))
        with self._lock:
            self._pressing -= 1
            self.presses.append(told)
        return told

    def answers_now(self) -> bool:
        """Whether her PIN, or her "cancel", is given in this moment. One who cancels has taken her finger off the
        shop's buttons: a press after that is another wish, and rings rightly."""
        now = time.monotonic()
        with self._lock:
            self.rang_at = self.rang_at or now
            if self.answered_at is not None or now - self.rang_at < ANSWERS_AFTER:
                return False
            if self.does is Does.CANCELS and self._pressing:
                return False
            self.answered_at = now
            return True


class Tab:
    """One window of hers."""

    def __init__(self, buyer: Buyer, shop: Shop, chance: Random) -> None:
        self._buyer = buyer
        self._shop = shop
        self._chance = chance
        self._poll_id = ""
        self._presses_more = PRESSES_MORE
        self.is_done = False

    def stay_open(self, over: threading.Event) -> None:
        """Until it is told how the payment ended, or the storm is over."""
        while not self.is_done and not over.is_set():
            if self._poll_id and not self._presses_more:
                self._poll()
            else:
                self._press()
            over.wait(EVERY * self._chance.uniform(0.5, 1.5))

    def _press(self) -> None:
        if self._poll_id:
            self._presses_more -= 1
        told = self._buyer.press(self._shop)
        if told is None:
            self._presses_more = 0
            self.is_done = not self._poll_id
        elif told.status == 200:
            self._poll_id = str(told.body["checkoutRequestId"])
        elif told.body.get("code") in OVER and not self._poll_id:
            self.is_done = True

    def _poll(self) -> None:
        told = heard(lambda: self._shop.status(self._poll_id))
        self._buyer.polls.append(told)
        status = told.body.get("status")
        if status == "completed" or (status == "failed" and self._buyer.rang_at is not None):
            self.is_done = True
        elif status == "failed":  # her phone was never asked: she presses once more
            self._poll_id = ""


def tabs_of(buyers: Sequence[Buyer], hosts: Sequence[Shop], chance: Random) -> list[Tab]:
    return [Tab(buyer, host, Random(chance.random())) for buyer in buyers for host in hosts]
