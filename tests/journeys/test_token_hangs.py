"""The address that gives access tokens takes connections and never answers: nobody waits behind anybody else."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import requests
from django.utils import timezone

from payments.models import DarajaToken, MpesaTransaction
from tests.support.shop import Shop
from tests.support.simulated import Simulated

BUYERS = 12


def press(shop: Shop, number: int) -> tuple[float, requests.Response]:
    """How long the buyer waited, and what she was told."""
    body = {"phone": f"2547123001{number:02}", "amount": 1500, "accountReference": f"CART{number}"}
    began = time.monotonic()
    answer = requests.post(f"{shop.address}/stkpush", json=body, timeout=60)
    return time.monotonic() - began, answer


def all_press(shop: Shop) -> list[tuple[float, requests.Response]]:
    with ThreadPoolExecutor(BUYERS) as buyers:
        return list(buyers.map(lambda number: press(shop, number), range(BUYERS)))


def assert_refused_in_words(answer: requests.Response) -> None:
    told = answer.json()
    assert (answer.status_code, told["success"], told["code"]) == (503, False, "daraja_unreachable")
    assert "Nothing was charged" in told["message"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 30


def test_buyers_are_told_together_and_nobody_is_asked(shop: Shop, simulator: Simulated) -> None:
    simulator.fault("slow_oauth", 30)
    first = all_press(shop)
    assert max(took for took, _ in first) < 12
    again = all_press(shop)
    assert max(took for took, _ in again) < 5
    for _, answer in first + again:
        assert_refused_in_words(answer)
    assert (simulator.count("oauth"), simulator.count("push")) == (1, 0)
    assert set(MpesaTransaction.objects.values_list("state", flat=True)) == {"failed"}

    simulator.no_faults()
    DarajaToken.objects.update(refused_until=timezone.now() - timedelta(seconds=1))
    assert {answer.json().get("prompt") for _, answer in all_press(shop)} == {"sent"}
    assert simulator.count("push") == BUYERS
