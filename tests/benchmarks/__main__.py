"""Runs every benchmark and prints the table of docs/performance.md. `make bench`, about three minutes."""

import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.benchmarks import rig, seed, whole_payments
from tests.benchmarks.table import Row

ROUNDS = 11  # ours and the yardstick take turns, round by round; the middle one's ratio counts
POLL_SECONDS = 1.5
CALLBACKS = 700  # a round
PUSHES = 200  # in flight at any moment
PUSH_SECONDS = 20.0
POLLED_FOR = 8.0  # seconds, idle and while pushes are in flight
WARM_SECONDS = 6.0  # 200 that start at the same instant stay in step for a while
DARAJA_ANSWERS_AFTER = 2.0  # seconds


def main() -> None:
    sys.stdout.write(f"{rig.machine()}\n\n")
    table: list[Row] = []
    with rig.postgres() as url:
        for bench in (polls, callbacks, pushes, calls_to_daraja):
            table += bench(url)
            _say(table[-1])
    table += whole_payments.compared()
    _say(table[-1])
    sys.stdout.write(
        "\n| what | ours | yardstick in the same run | ratio | must reach |\n|---|---|---|---|---|\n"
    )
    for row in table:
        sys.stdout.write(f"| {row.what} | {row.ours} | {row.yardstick} | {row.ratio} | {row.must} |\n")


def polls(url: str) -> list[Row]:
    """Status polls of pending payments, against a bare DRF view with one indexed SELECT."""
    seed.open_payments(url, 1, 2000)
    body = [{"checkoutRequestId": f"ws_CO_{n}"} for n in range(1, 2001)]

    def measure(path: str) -> Callable[[int], float]:
        asked = [(path, each) for each in body]
        return lambda port: rig.rate(rig.load(port, asked, connections=16, seconds=POLL_SECONDS))

    ours, bare = _in_turns(url, measure("/stkpush/status"), measure("/bare/status"))
    return [_row("status polls, requests/s (1 process)", ours, bare, "a bare DRF view, one SELECT", "0.80")]


def callbacks(url: str) -> list[Row]:
    """Callbacks that each pay an order, against hand-written SQL with the same rows and commits."""
    numbers = iter(range(10_001, 1_000_000))

    def measure(path: str) -> Callable[[int], float]:
        def once(port: int) -> float:
            first = next(numbers)
            for _ in range(CALLBACKS - 1):
                last = next(numbers)
            seed.open_payments(url, first, last)
            told = [(f"{path}/token-{n}", seed.success(n)) for n in range(first, last + 1)]
            done = rig.rate(rig.load(port, told, connections=16, seconds=0))
            paid = "SELECT count(*) FROM orders_order WHERE state = 'paid' AND client_reference = ANY(%s)"
            if rig.rows(url, paid, [f"CART{n}" for n in range(first, last + 1)]) != [(CALLBACKS,)]:
                raise RuntimeError("not every callback paid its order")
            return done

        return once

    ours, bare = _in_turns(url, measure("/api/payments/callback"), measure("/bare/callback"))
    return [
        _row(
            "callbacks that pay, requests/s (1 process)",
            ours,
            bare,
            "a bare Django view, hand-written SQL",
            "0.60",
        )
    ]


def pushes(url: str) -> list[Row]:
    """200 buyers at any moment wait for Safaricom, which takes two seconds to answer; others poll meanwhile."""
    asked = [
        ("/stkpush", {"phone": f"2547{n:06}78", "amount": 100, "accountReference": f"PUSH{n}"})
        for n in range(10_000)
    ]
    polled = [("/stkpush/status", {"checkoutRequestId": f"ws_CO_{n}"}) for n in range(1, 2001)]
    with rig.simulator("--fault", f"slow_answer={DARAJA_ANSWERS_AFTER}") as safaricom:
        told = {"MPESA_BASE_URL": safaricom, "MPESA_CALLBACK_URL": "http://127.0.0.1:9/callback"}
        with rig.granian(url, workers=2, threads=240, pinned=False, **told) as port:

            def push(first: int, **how: float) -> dict[str, Any]:
                return rig.load(port, asked[first:], connections=PUSHES, pinned=False, **how)

            def poll() -> float:
                return rig.rate(rig.load(port, polled, connections=16, seconds=POLLED_FOR, pinned=False))

            idle = poll()
            with _Most(url) as most:
                herd = rig.load(port, asked[:PUSHES], connections=PUSHES, seconds=0, pinned=False)
                done = push(PUSHES, seconds=PUSH_SECONDS, warm=WARM_SECONDS)
            meanwhile = _meanwhile(lambda: push(5000, seconds=PUSH_SECONDS), poll)
    ideal = PUSHES / DARAJA_ANSWERS_AFTER
    return [
        Row(
            f"{PUSHES} pushes in flight, pushes/s (2 processes)", f"{rig.rate(done):.0f}", f"{ideal:.0f} (ideal)",
            f"{rig.rate(done) / ideal:.2f}", "0.90",
        ),
        Row(
            f"… {PUSHES} at one instant, until the last is answered, s", f"{herd['worst']:.1f}",
            f"{DARAJA_ANSWERS_AFTER:.1f} (ideal)", f"{herd['worst'] / DARAJA_ANSWERS_AFTER:.2f}", "",
        ),
        Row("… most database connections meanwhile", f"{most.seen}", "20", "", "at most 20"),
        Row(
            "… polls meanwhile, requests/s", f"{meanwhile:.0f}", f"{idle:.0f} (the same, idle)",
            f"{meanwhile / idle:.2f}", "0.60",
        ),
    ]  # fmt: skip


def _meanwhile(first: Callable[[], Any], second: Callable[[], float]) -> float:
    """What the second comes to while the first is well under way."""
    runner = threading.Thread(target=first)
    runner.start()
    time.sleep(WARM_SECONDS)
    try:
        return second()
    finally:
        runner.join()


def calls_to_daraja(url: str) -> list[Row]:
    """What fifty payments that go well cost at Daraja, over two processes."""
    with rig.simulator() as safaricom:
        port_of_callbacks = rig.free_port()
        told = {
            "MPESA_BASE_URL": safaricom,
            "MPESA_CALLBACK_URL": f"http://127.0.0.1:{port_of_callbacks}/api/payments/callback",
        }
        with rig.granian(url, workers=2, threads=32, pinned=False, port=port_of_callbacks, **told) as port:
            asked = [
                ("/stkpush", {"phone": f"2547{n:06}00", "amount": 100, "accountReference": f"WELL{n}"})
                for n in range(500_000, 500_050)
            ]
            rig.load(port, asked, connections=8, seconds=0, pinned=False)
            rig.control(safaricom, "wait-idle?timeout=30")
            counters = rig.control(safaricom, "state")["counters"]
    paid = rig.rows(
        url, "SELECT count(*) FROM orders_order WHERE state='paid' AND client_reference LIKE 'WELL%'"
    )
    ours = f"{counters['push']} pushes, {counters['query']} queries, {counters['oauth']} OAuth ({paid[0][0]} paid)"
    return [Row("calls to Daraja for 50 payments that go well", ours, "50, 0, 1", "", "50, 0, 1")]


def _in_turns(
    url: str, ours: Callable[[int], float], bare: Callable[[int], float]
) -> tuple[list[float], list[float]]:
    """Both measured in turns on the same kind of server, in short rounds, so that a slow moment hits both."""
    rates: tuple[list[float], list[float]] = ([], [])
    with (
        rig.granian(url) as ours_at,
        rig.granian(url, settings="tests.benchmarks.settings") as bare_at,
    ):
        ours(ours_at), bare(bare_at)  # warm
        for _ in range(ROUNDS):
            rates[0].append(ours(ours_at))
            rates[1].append(bare(bare_at))
    return rates


def _row(what: str, ours: list[float], bare: list[float], yardstick: str, must: str) -> Row:
    """The middle rates, and the middle of the rounds' ratios with the quarter below and above it."""
    low, middle, high = statistics.quantiles([a / b for a, b in zip(ours, bare, strict=True)], n=4)
    rate, against = statistics.median(ours), statistics.median(bare)
    ratio = f"{middle:.2f} ({low:.2f}–{high:.2f})"
    return Row(what, f"{rate:.0f}", f"{against:.0f} ({yardstick})", ratio, must)


class _Most:
    """Looks at PostgreSQL every 50 ms: the most connections that the shop held."""

    def __init__(self, url: str) -> None:
        self._url, self.seen, self._over = url, 0, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "_Most":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        others = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        while not self._over.wait(0.05):
            self.seen = max(self.seen, int(rig.rows(self._url, others)[0][0]))


def _say(row: Row) -> None:
    sys.stdout.write(f"{row.what}: {row.ours} beside {row.yardstick} {row.ratio}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
