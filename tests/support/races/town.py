"""The shop as it stands in the races: two machines, two people at its desk, one database, one Safaricom."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.races.crowd import at_once
from tests.support.races.machines import Desk, Machine, Rows
from tests.support.simulated import Simulated


@dataclass(kw_only=True)
class Town:
    """Two machines of two processes each, one database, one Safaricom, two people at the shop's desk."""

    env: dict[str, str]
    folder: Path
    machines: list[Machine]
    desks: list[Desk]
    rows: Rows
    safaricom: Simulated

    def machine(self, number: int) -> Machine:
        """They take turns."""
        return self.machines[number % len(self.machines)]

    def rang(self, *phones: str) -> list[dict[str, Any]]:
        """Every prompt that reached one of these phones, ended or not."""
        return [sent for sent in self.safaricom.state()["transactions"] if sent["phone"] in phones]

    def pushed(self, phones: list[str], *, amount: int = 1500) -> list[str]:
        """Each phone is asked to pay its own order; what the pages poll with."""
        doings = [
            lambda n=n, phone=phone: self.machine(n).push(phone, amount, f"CART-{phone}").json()
            for n, phone in enumerate(phones)
        ]
        return [answer["checkoutRequestId"] for answer in at_once(doings)]
