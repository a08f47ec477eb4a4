"""Whether the shop stays as quick with a million payments as with ten thousand. `make bench-million`, a few minutes.

python -m tests.benchmarks.million [HOW MANY]
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count

import requests

from tests.benchmarks import rig, seed

SMALL = 10_000
LARGE = 1_000_000
ROUNDS = 30  # of each page
CALLBACKS = 1500
MUST = 1.3

LOGIN = """from django.contrib.auth.models import User; from django.test import Client
c = Client(); c.force_login(User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)[0])
print("session", c.cookies["sessionid"].value)"""
CLAIMS = """import time; from django.utils import timezone; from payments.enquiries import ask
took = []
for _ in range(60):
    began = time.perf_counter(); due = ask.due(now=timezone.now(), limit=20)
    ask._claim(due[0], now=timezone.now()); took.append(time.perf_counter() - began)
print("seconds", sorted(took)[30])"""


def main(large: int = LARGE) -> None:
    sys.stdout.write(f"{rig.machine()}\n\n")
    numbers = count(1)
    with rig.postgres() as url, rig.granian(url) as port:
        found = {}
        for size, first in ((SMALL, 1), (large, SMALL + 1)):
            sys.stdout.write(f"Making {size:,} payments ...\n")
            sys.stdout.flush()
            seed.history(url, first, size, of=large)
            found[size] = _measure(url, port, numbers)
    sys.stdout.write(
        f"\n| operation | at {SMALL:,} | at {large:,} | ratio | at most |\n|---|---|---|---|---|\n"
    )
    for what, before in found[SMALL].items():
        after = found[large][what]
        sys.stdout.write(f"| {what} | {before:.2f} ms | {after:.2f} ms | {after / before:.2f} | {MUST} |\n")


def _measure(url: str, port: int, numbers: Iterator[int]) -> dict[str, float]:
    """Milliseconds for one of each, in the middle of many."""
    first = next(numbers)
    last = first
    for _ in range(2 * CALLBACKS - 1):
        last = next(numbers)
    seed.open_payments(url, first, last)
    half = first + CALLBACKS - 1
    polled = [("/stkpush/status", {"checkoutRequestId": f"ws_CO_{n}"}) for n in range(half + 1, last + 1)]
    told = [(f"/api/payments/callback/token-{n}", seed.success(n)) for n in range(first, half + 1)]
    rig.load(port, polled[:300], connections=8, seconds=0)  # warm
    found = {
        "status poll": 1000 / rig.rate(rig.load(port, polled, connections=8, seconds=4)),
        "callback that pays": 1000 / rig.rate(rig.load(port, told, connections=8, seconds=0)),
    }
    rig.rows(url, "UPDATE payments_mpesatransaction SET next_check_at = now() WHERE state = 'pending'")
    found["claim of the next check"] = 1000 * float(_last_word(rig.manage(url, "shell", "-c", CLAIMS)))
    get = _desk(url, port)
    payments = "/admin/payments/mpesatransaction/"
    for what, path in (
        ("desk: first page", payments),
        ("desk: filter by state", f"{payments}?state__exact=failed"),
        ("desk: filter by what needs a person", f"{payments}?needs=unpriced"),
        ("desk: search by receipt", f"{payments}?q=UKP0009001"),
        ("desk: search by order code", f"{payments}?q=H0009001"),
        ("desk: search by reference", f"{payments}?q=PAST0009001"),
        ("desk: search by phone number", f"{payments}?q=0712345678"),
        ("desk: orders", "/admin/orders/order/"),
        ("desk: callback inbox", "/admin/payments/callbackdelivery/"),
        ("desk: home", "/admin/"),
    ):
        found[what] = get(path)
    return found


def _desk(url: str, port: int) -> Callable[[str], float]:
    """Opens a page of the desk ROUNDS times; the milliseconds in the middle."""
    session = requests.Session()
    session.cookies.set("sessionid", _last_word(rig.manage(url, "shell", "-c", LOGIN)))

    def get(path: str) -> float:
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            answer = session.get(f"http://127.0.0.1:{port}{path}", allow_redirects=False, timeout=120)
            took.append(time.perf_counter() - began)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answered {answer.status_code}")
        return 1000 * statistics.median(took)

    return get


def _last_word(printed: str) -> str:
    return printed.split()[-1]


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
